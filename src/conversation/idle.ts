// Ends what is silent: warns first, and ends conversations that nobody ever joined.
import { toGatewayError } from '../model/errors'
import type { Place, Tenant } from '../model/ids'
import type { Conversations } from './conversations'
import type { Idleness } from './rules'

const UNJOINED_MS = 15 * 60_000
/** Conversations that are read at once. */
const PAGE = 500
const MAX_INTERVAL_MS = 60_000
const MIN_INTERVAL_MS = 250

interface Deps {
  readonly conversations: Conversations
  readonly tenant: Tenant
  /** Milliseconds of silence before a warning; 0: no warning. */
  readonly warningMs: number
  /** Milliseconds of silence before the end; 0: never. */
  readonly endMs: number
  readonly now?: () => Date
  readonly onFault?: (cause: unknown) => void
}

export class IdleWatch {
  readonly #deps: Required<Deps>
  #timer: NodeJS.Timeout | null = null
  #round: Promise<void> | null = null
  #closed = false

  constructor(deps: Deps) {
    this.#deps = { now: () => new Date(), onFault: () => undefined, ...deps }
    this.#schedule()
  }

  /** One round over what has been silent for long enough. */
  async check(): Promise<void> {
    const { conversations, tenant, warningMs, endMs, now } = this.#deps
    const at = now().getTime()
    const ago = (ms: number) => new Date(at - ms).toISOString()
    const idleness = {
      warnBefore: warningMs > 0 ? ago(warningMs) : '',
      endBefore: endMs > 0 ? ago(endMs) : '',
      endMs,
      unjoinedBefore: ago(UNJOINED_MS),
    }
    // What was dealt with is not found again: round after round, until nothing is left or nothing can be done.
    for (;;) {
      const found = await conversations.idleSince(tenant, idleness, PAGE)
      let dealtWith = 0
      for (const { id } of found) {
        if (this.#closed) return
        if (await this.#dealWith({ tenant, conversationId: id }, idleness)) dealtWith += 1
      }
      if (found.length < PAGE || dealtWith === 0) return
    }
  }
  /** One conversation that cannot be written does not hold up the others; a store that is down ends the round. */
  async #dealWith(place: Place, idleness: Idleness): Promise<boolean> {
    try {
      return await this.#deps.conversations.idle(place, idleness)
    } catch (cause) {
      const error = toGatewayError(cause)
      if (error.code === 'unavailable') throw error
      this.#deps.onFault(cause)
      return false
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#round
  }

  #schedule(): void {
    const { warningMs, endMs } = this.#deps
    const shortest = Math.min(...[MAX_INTERVAL_MS * 4, warningMs, endMs].filter((ms) => ms > 0))
    const interval = Math.max(MIN_INTERVAL_MS, Math.min(MAX_INTERVAL_MS, shortest / 4))
    this.#timer = setTimeout(() => {
      this.#round = this.check()
        .catch(this.#deps.onFault)
        .finally(() => {
          this.#round = null
          if (!this.#closed) this.#schedule()
        })
    }, interval)
  }
}
