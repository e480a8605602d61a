// Turns a use case into what happens on an event of a socket: parse, run, answer if an answer was asked for. Nothing throws past this line.
import type { z } from 'zod'
import { toGatewayError, type ErrorCode, type GatewayError } from '../../model/errors'
import { parse } from './tolerant'
import type { Failure } from './wire'

/** Every border of this dialect answers these, on a socket as on REST. */
export const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalidRequest: 400,
  unauthorized: 401,
  forbidden: 403,
  notFound: 404,
  timeout: 408,
  conflict: 409,
  conversationEnded: 410,
  tooLarge: 413,
  unsupportedMediaType: 415,
  tooManyRequests: 429,
  internal: 500,
  notImplemented: 501,
  unavailable: 503,
  storageFull: 507,
}

export function failureOf(error: GatewayError): Failure {
  const { code, message, retryable, details, retryAfter } = error
  return {
    code: STATUS[code],
    error: {
      code,
      message,
      retryable,
      ...(details.length > 0 && { details: [...details] }),
      ...(retryAfter !== undefined && { retryAfter }),
    },
  }
}

export type Answer<T extends object = object> = (reply: T) => void
/** Whoever a request comes from. */
export interface Border {
  /** Says a failure that nobody waits for. */
  complain(failure: Failure): void
  /** Runs before each request; throws when this caller may not speak now. From then on it is under way. */
  admit(): void
  /** Runs behind each request that was admitted. */
  settled(): void
  /** For the log: a failure of ours. */
  fault(cause: unknown): void
}
/** What a caller's event leads to. One for all callers: a socket with listeners of its own for each event costs memory. */
export type Handler<C extends Border> = (caller: C, args: readonly unknown[]) => void

/**
 * A handler for one event. `run` answers exactly once, when what it did is durable; what it throws is the answer
 * otherwise. A request may come with an acknowledgement or without.
 */
export function handle<C extends Border, S extends z.ZodType, T extends object>(
  schema: S,
  run: (caller: C, request: z.output<S>, answer: Answer<T>) => Promise<void> | void,
): Handler<C> {
  return (caller, args) => {
    const last = args.at(-1)
    const ack = typeof last === 'function' ? (last as (reply: object) => void) : null
    const raw = args[0] === ack ? undefined : args[0]
    let answered = false
    const once = (reply: object) => {
      if (answered) return
      answered = true
      ack?.(reply)
    }
    const fail = (cause: unknown) => {
      const error = toGatewayError(cause)
      if (error.code === 'internal') caller.fault(cause)
      if (ack) once(failureOf(error))
      else if (!answered) caller.complain(failureOf(error))
    }
    try {
      caller.admit()
    } catch (cause) {
      fail(cause)
      return
    }
    const settled = () => caller.settled()
    const failed = (cause: unknown) => {
      try {
        fail(cause)
      } finally {
        caller.settled()
      }
    }
    try {
      const running = run(caller, parse(schema, raw), (reply) => once({ code: 200, ...reply }))
      if (running) running.then(settled, failed)
      else settled()
    } catch (cause) {
      failed(cause)
    }
  }
}
