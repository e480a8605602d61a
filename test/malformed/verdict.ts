// Judges every answer: a success, or a failure in the one documented shape, from the closed list, without a word of the request in it.
import { z } from 'zod'
import { ERROR_CODES } from '../../src/model/errors'
import { MARK } from './junk'

const failure = z.strictObject({
  code: z.enum(ERROR_CODES),
  message: z.string().min(1).max(1_000),
  retryable: z.boolean(),
  details: z.array(z.string().max(256)).min(1).max(16).optional(),
  retryAfter: z.number().positive().optional(),
})
const reply = z.strictObject({ code: z.int().min(400).max(499), error: failure })
const NOT_THERE_YET = z.strictObject({
  code: z.literal(501),
  error: failure.extend({ code: z.literal('notImplemented') }),
})
const socketFailure = z.union([reply, NOT_THERE_YET])
const restFailure = z.strictObject({ error: failure })
/** Where somebody looks for the first time when a case fails. */
const STACK = /\bat .+:\d+:\d+|node_modules|\/src\/|Error:/

export class Verdicts {
  readonly #tally = new Map<string, number>()
  readonly #wrong: string[] = []

  count(kind: string, times = 1): void {
    this.#tally.set(kind, (this.#tally.get(kind) ?? 0) + times)
  }
  wrong(why: string, what: string): void {
    this.count(`WRONG: ${why}`)
    if (this.#wrong.length < 20) this.#wrong.push(`${why}: ${what.slice(0, 1_000)}`)
  }

  /** A failure as an acknowledgement or as the event `error`. @param about what was asked, for the reader of a fault */
  socket(body: unknown, kind: 'ack' | 'error' | 'refusal', about: string): void {
    const text = JSON.stringify(body)
    const code = typeof body === 'object' && body !== null && 'code' in body ? Number(body.code) : 0
    if (kind === 'ack' && code === 200) {
      this.count('ack 200')
      return
    }
    if (!socketFailure.safeParse(body).success) {
      this.wrong(`${kind} of another shape`, `${text} to ${about}`)
      return
    }
    this.#said(`${kind} ${code}`, text, about)
  }
  rest(status: number, body: string, about: string): void {
    const parsed = restFailure.safeParse(jsonOf(body))
    const expected = status < 500 || (status === 503 && parsed.data?.error.code === 'unavailable')
    if (!expected || !parsed.success) {
      this.wrong(`${status} of another shape`, `${body} to ${about}`)
      return
    }
    this.#said(`${status} ${parsed.data.error.code}`, body, about)
  }
  #said(kind: string, text: string, about: string): void {
    if (text.includes(MARK)) {
      this.wrong('an echo of the request', `${text} to ${about}`)
      return
    }
    if (STACK.test(text)) {
      this.wrong('a stack trace', `${text} to ${about}`)
      return
    }
    this.count(kind)
  }

  get mistakes(): readonly string[] {
    return this.#wrong
  }
  get total(): number {
    return [...this.#tally.values()].reduce((sum, one) => sum + one, 0)
  }
  toString(): string {
    const lines = [...this.#tally].sort(([, a], [, b]) => b - a).map(([kind, count]) => `${kind}: ${count}`)
    return lines.join(', ')
  }
}

export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
