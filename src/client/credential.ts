// A token that is renewed before it expires, or when it was refused.
import { pauseAfter } from './pause'

/** Renewed when this much of the rest of its life is over; a tenth by chance, so that not all come at once. */
const RENEW_AT = 0.8
/** Milliseconds: a wrong clock makes every token look expired, and must not make a storm. */
const SHORTEST_TIMER = 10_000
const LONGEST_TIMER = 2 ** 31 - 1
/** Seconds: a token is taken for expired a little before it is. */
const SKEW = 5

type Renewal = (refused: string | undefined) => Promise<string>

export class Credential {
  #token: string | undefined
  #renewal: Renewal | undefined
  #renewing: Promise<boolean> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #failures = 0
  #closed = false

  constructor(options: { token?: string | undefined; renewal?: Renewal | undefined } = {}) {
    this.#renewal = options.renewal
    if (options.token !== undefined) this.take(options.token)
  }

  get token(): string | undefined {
    return this.#token
  }

  /** How to renew it, unless that is known already. */
  renewBy(renewal: Renewal): void {
    this.#renewal ??= renewal
    if (this.#token !== undefined) this.take(this.#token)
  }

  /** A fresh one that the server gave. */
  take(token: string): void {
    this.#token = token
    this.#failures = 0
    const rest = (expiryOf(token) ?? Infinity) - Date.now() / 1000
    this.#schedule(rest * 1000 * (RENEW_AT + Math.random() / 10))
  }

  /** Where a handle alone may do, a token that was refused is better not shown again. */
  drop(): void {
    this.#token = undefined
    clearTimeout(this.#timer)
  }

  /** The token for a handshake: made or renewed first when there is none or it has expired. */
  async fresh(): Promise<string | undefined> {
    const expired = this.#token !== undefined && (expiryOf(this.#token) ?? Infinity) - SKEW < Date.now() / 1000
    if (expired || this.#token === undefined) await this.renew()
    return this.#token
  }

  /** True when there is another token than before. Never rejects; calls at the same time share one renewal. */
  renew(): Promise<boolean> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  async #renew(): Promise<boolean> {
    const before = this.#token
    try {
      const token = await this.#renewal?.(before)
      if (token === undefined || this.#closed) return false
      this.take(token)
    } catch {
      // The token in hand may still be good: what is refused with it says so loudly enough.
      this.#failures += 1
      this.#schedule(pauseAfter(this.#failures) * 10)
    }
    return this.#token !== before
  }

  #schedule(milliseconds: number): void {
    clearTimeout(this.#timer)
    if (this.#closed || this.#renewal === undefined || milliseconds > LONGEST_TIMER) return
    this.#timer = setTimeout(() => void this.renew(), Math.max(milliseconds, SHORTEST_TIMER))
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }
}

/** Seconds since 1970, or undefined for what is no JWT, such as a connector's key. */
export function expiryOf(token: string): number | undefined {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')
    const claims: unknown = JSON.parse(atob(payload))
    if (typeof claims === 'object' && claims !== null && 'exp' in claims && typeof claims.exp === 'number')
      return claims.exp
  } catch {
    // No JWT: it never expires as far as we can see.
  }
  return undefined
}
