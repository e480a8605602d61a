// Where the connector says what an operator should know: never a message's text, a customer's number or a password.

/** A pino logger fits. */
export interface Log {
  info(fields: object, sentence: string): void
  warn(fields: object, sentence: string): void
}

export const silent: Log = { info: () => undefined, warn: () => undefined }
