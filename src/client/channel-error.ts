// Every failure that a user of the client can see.
import type { Failure } from '../dialects/customer-channel/wire'

/** The server's closed list, and what can go wrong before it is asked. */
export type ChannelErrorCode = Failure['error']['code'] | 'closed' | 'queueFull' | 'noAnswer'

interface Circumstances extends ErrorOptions {
  readonly status?: number
  readonly retryable?: boolean
  readonly retryAfter?: number | undefined
}

/** A failure with a sentence that says what the reader can do. */
export class ChannelError extends Error {
  override readonly name = 'ChannelError'
  /** The HTTP-like status of the answer; 0 when there was none. */
  readonly status: number
  /** The same call with the same `messageId` may succeed later. */
  readonly retryable: boolean
  /** Seconds before a repeat makes sense. */
  readonly retryAfter: number | undefined

  constructor(
    readonly code: ChannelErrorCode,
    message: string,
    { status = 0, retryable = false, retryAfter, cause }: Circumstances = {},
  ) {
    super(message, { cause })
    this.status = status
    this.retryable = retryable
    this.retryAfter = retryAfter
  }

  static of({ code: status, error }: Failure): ChannelError {
    return new ChannelError(error.code, error.message, { ...error, status })
  }
}

export const closedError = (): ChannelError => new ChannelError('closed', 'This was closed. Connect again.')

/** Is it the body that every failure of the gateway has? A proxy in between answers with other things. */
export function isFailure(body: unknown): body is Failure {
  if (typeof body !== 'object' || body === null || !('code' in body) || !('error' in body)) return false
  return typeof body.code === 'number' && typeof body.error === 'object' && body.error !== null
}
