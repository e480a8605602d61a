// Ends what is silent: warns first, and ends conversations that nobody ever joined.
import type { Tenant } from '../model/ids'
import type { Conversations } from './conversations'

const UNJOINED_MS = 15 * 60_000
/** Conversations looked at in one round; the rest waits for the next. */
const MAX_ROUND = 500
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
    const shortest = Math.min(...[UNJOINED_MS, warningMs, endMs].filter((ms) => ms > 0))
    const idleness = {
      warnBefore: warningMs > 0 ? ago(warningMs) : '',
      endBefore: endMs > 0 ? ago(endMs) : '',
      endsAt: endMs > 0 ? new Date(at + endMs - warningMs).toISOString() : '',
      unjoinedBefore: ago(UNJOINED_MS),
    }
    const silent = await conversations.idleSince(tenant, ago(shortest), MAX_ROUND)
    for (const { id } of silent) {
      if (this.#closed) return
      await conversations.idle({ tenant, conversationId: id }, idleness)
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
