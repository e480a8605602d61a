// Ends what is silent: warns first, and ends conversations that nobody ever joined. Many nodes that look share the work.
import { toGatewayError } from '../model/errors'
import type { Place, Tenant } from '../model/ids'
import type { Conversations } from './conversations'
import type { Idleness } from './rules'

const UNJOINED_MS = 15 * 60_000
/** Conversations that are claimed at once. */
const PAGE = 100
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
  readonly #intervalMs: number
  #timer: NodeJS.Timeout | null = null
  #round: Promise<void> | null = null
  #closed = false

  constructor(deps: Deps) {
    this.#deps = { now: () => new Date(), onFault: () => undefined, ...deps }
    const shortest = Math.min(...[MAX_INTERVAL_MS * 4, deps.warningMs, deps.endMs].filter((ms) => ms > 0))
    this.#intervalMs = Math.max(MIN_INTERVAL_MS, Math.min(MAX_INTERVAL_MS, Math.floor(shortest / 4)))
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
    // Claimed for as long as the next round is away: what could not be dealt with is found again then, and not before.
    const claim = { limit: PAGE, claimMs: this.#intervalMs }
    for (;;) {
      const found = await conversations.claimIdle(tenant, idleness, claim)
      for (const { id } of found) {
        if (this.#closed) return
        await this.#dealWith({ tenant, conversationId: id }, idleness)
      }
      if (found.length < PAGE) return
    }
  }
  /** One conversation that cannot be written does not hold up the others; a store that is down ends the round. */
  async #dealWith(place: Place, idleness: Idleness): Promise<void> {
    try {
      await this.#deps.conversations.idle(place, idleness)
    } catch (cause) {
      const error = toGatewayError(cause)
      if (error.code === 'unavailable') throw error
      this.#deps.onFault(cause)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#round
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#round = this.check()
        .catch(this.#deps.onFault)
        .finally(() => {
          this.#round = null
          if (!this.#closed) this.#schedule()
        })
    }, this.#intervalMs)
  }
}
