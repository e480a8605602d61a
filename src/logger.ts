// The log: JSON lines in which secrets and the texts of messages have no place.
import { isNativeError } from 'node:util/types'
import { pino, type DestinationStream, type Logger } from 'pino'
import type { LogLevel } from './settings'

export type { Logger } from 'pino'

const HIDDEN = '[hidden]'
/** Names that hold a secret or somebody's words, compared in lower case without - and _. */
const SECRET_NAMES = new Set([
  ...['authorization', 'proxyauthorization', 'cookie', 'setcookie', 'token', 'accesstoken', 'key', 'apikey', 'handle'],
  ...['password', 'secret', 'secretkey', 'connectorkey', 'xapikey', 'text', 'comment', 'body', 'email', 'phone'],
])
/** Credentials that stand inside a text: in a URL's query, after `Bearer`, a signed token, a key of ours. */
const IN_QUERY = /([?&](?:token|key|password|access_token|handle)=)[^&#\s"'\\]*/gi
const IN_USER_INFO = /(\b[a-z][a-z0-9+.-]{1,10}:\/\/)[^/\s@"'\\]{1,256}@/gi
const IN_TEXT = /\bBearer [\w.~+/=-]+|\beyJ[\w-]+\.[\w-]+\.[\w-]*|\bflk_[\w-]+/gi
const MAX_DEPTH = 5
const MAX_ITEMS = 50
const MAX_TEXT = 4_096

/** A URL, or a text with URLs in it, without the credentials of its query and its user part. */
export function redactUrl(url: string): string {
  return url.replace(IN_QUERY, `$1${HIDDEN}`).replace(IN_USER_INFO, `$1${HIDDEN}@`)
}
/** The last look at a line of the log: it stays JSON, for nothing here touches a quote or a backslash. */
const hideCredentials = (line: string): string => redactUrl(line).replace(IN_TEXT, HIDDEN)
const shorten = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)

const isSecret = (name: string): boolean => SECRET_NAMES.has(name.toLowerCase().replace(/[-_]/g, ''))

/** A copy that may be written down: bounded, without secrets, whatever was thrown at the log. */
function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return shorten(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return '…'
  if (isNativeError(value)) return redactError(value, depth)
  if (value instanceof Date) return value
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => redact(item, depth + 1))
  return redactFields(value, depth)
}
const redactFields = (fields: object, depth: number): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields)
      .slice(0, MAX_ITEMS)
      .map(([name, item]: [string, unknown]) => [name, isSecret(name) ? HIDDEN : redact(item, depth + 1)]),
  )
/** Of an error only what is known to be harmless: libraries hang whole requests on theirs. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  return {
    type: error.name,
    message: shorten(error.message),
    stack: shorten(error.stack ?? ''),
    ...('code' in error && { code: redact(error.code, depth + 1) }),
    ...(error.cause !== undefined && { cause: redact(error.cause, depth + 1) }),
  }
}

interface LogOptions {
  readonly level: LogLevel
  /** Standard output when absent. */
  readonly destination?: DestinationStream
  /**
   * Whether a line is written when the call returns, so that a kill in the next moment does not lose it. Otherwise it is
   * written soon, and a reader of the log that is stuck does not hold up the process.
   */
  readonly sync?: boolean
}

/** Makes the log of a process. */
export function createLogger({ level, destination, sync = false }: LogOptions): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redactFields(fields, 0),
      },
      // What is bound to a child passes by the formatter; pino's own redaction sees it.
      redact: { paths: [...SECRET_NAMES], censor: HIDDEN },
      // Errors are made harmless by `redact` above; pino's own serializer would put back what hangs on them.
      serializers: { err: (error: unknown) => error },
      hooks: {
        streamWrite: hideCredentials,
      },
    },
    destination ?? pino.destination({ dest: 1, sync }),
  )
}

/** A log whose lines carry the request's id. */
export const withRequest = (logger: Logger, requestId: string): Logger => logger.child({ requestId })
