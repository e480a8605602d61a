// Every failure a caller can see has one of these codes; each border translates the code into its own tongue.

/** The closed list. `docs/customer-channel-api.md` says what a reader can do about each. */
export const ERROR_CODES = [
  'invalidRequest',
  'unauthorized',
  'forbidden',
  'notFound',
  'timeout',
  'conflict',
  'conversationEnded',
  'tooLarge',
  'unsupportedMediaType',
  'tooManyRequests',
  'internal',
  'notImplemented',
  'unavailable',
  'storageFull',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]
const RETRYABLE: readonly ErrorCode[] = ['timeout', 'tooManyRequests', 'internal', 'unavailable', 'storageFull']

interface ErrorDetails extends ErrorOptions {
  /** Paths of the offending fields, never their values. */
  readonly details?: readonly string[]
  /** Seconds after which a repeat may succeed. */
  readonly retryAfter?: number
  /** A repeat cannot succeed, although others with this code may. */
  readonly permanent?: boolean
}

/** A failure with a sentence that says what the reader can do. It never holds a secret or a message's text. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly details: readonly string[]
  readonly retryAfter: number | undefined
  readonly #permanent: boolean

  constructor(
    readonly code: ErrorCode,
    sentence: string,
    options: ErrorDetails = {},
  ) {
    super(sentence, options)
    this.details = options.details ?? []
    this.retryAfter = options.retryAfter
    this.#permanent = options.permanent ?? false
  }
  /** The same call with the same key may succeed later. */
  get retryable(): boolean {
    return !this.#permanent && RETRYABLE.includes(this.code)
  }
}

/** The one normaliser: whatever was thrown becomes something that may be shown. */
export function toGatewayError(cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause
  return new GatewayError('internal', 'Something went wrong on our side. Try again; the log has the details.', {
    cause,
  })
}

/** Unknown, foreign, ended and erased look alike from outside: one code, one sentence. */
export const notYours = (): GatewayError =>
  new GatewayError('notFound', 'There is nothing here for you. Check the conversation id and your credential.')
