// Finds what no hint told: asks the store now and then where the logs stand that are followed here, and lets who is behind read.
import type { ConversationId, Place, Tenant } from '../model/ids'
import type { ConversationStore } from '../store/conversation-store'

/** Conversations that are asked for at once. */
const BATCH = 1_000
/** Before the store is asked again that did not answer. */
const AFTER_FAULT_MS = 1_000

/** What a stream is to a sweep. */
interface Swept {
  readonly place: Place
  /** The log has come at least this far. */
  hearPosition(position: number): void
}
interface Deps {
  readonly store: Pick<ConversationStore, 'positions'>
  readonly streams: () => Iterable<Swept>
  /** Milliseconds in which each stream is looked at once; 0: only when `check` is called. */
  readonly intervalMs: number
  readonly onFault: (cause: unknown) => void
}
interface Batch {
  readonly tenant: Tenant
  readonly streams: Map<ConversationId, Swept>
}

export class GapSweep {
  readonly #deps: Deps
  #timer: NodeJS.Timeout | null = null
  #retry: NodeJS.Timeout | null = null
  #isChecking = false
  #again = false
  #closed = false

  constructor(deps: Deps) {
    this.#deps = deps
    this.#rest([], deps.intervalMs)
  }

  /** Looks at all that is followed now: the bus was deaf. A store that does not answer is asked until it does. */
  check(): void {
    this.#again = true
    if (this.#isChecking || this.#retry || this.#closed) return
    this.#isChecking = true
    void this.#checkAll()
      .catch((cause: unknown) => {
        this.#again = true
        this.#deps.onFault(cause)
        this.#retry = setTimeout(() => {
          this.#retry = null
          this.check()
        }, AFTER_FAULT_MS)
      })
      .finally(() => {
        this.#isChecking = false
        if (this.#closed && this.#retry) clearTimeout(this.#retry)
      })
  }
  close(): void {
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
    if (this.#retry) clearTimeout(this.#retry)
  }

  async #checkAll(): Promise<void> {
    while (this.#again) {
      this.#again = false
      for (const batch of this.#batches()) {
        if (this.#closed) return
        await this.#look(batch)
      }
    }
  }
  async #look({ tenant, streams }: Batch): Promise<void> {
    const positions = await this.#deps.store.positions(tenant, [...streams.keys()])
    for (const [id, position] of positions) streams.get(id)?.hearPosition(position)
  }

  /** One batch after another, spread over the interval, so that a sweep is never a burst. */
  #rest(batches: readonly Batch[], ms: number): void {
    const { intervalMs, onFault } = this.#deps
    if (intervalMs === 0 || this.#closed) return
    this.#timer = setTimeout(() => {
      const [next, ...later] = batches.length > 0 ? batches : this.#batches()
      const pause = batches.length > 0 ? ms : intervalMs / Math.max(1, later.length + 1)
      const looked = next ? this.#look(next).catch(onFault) : Promise.resolve()
      void looked.then(() => this.#rest(later, pause))
    }, ms)
  }
  #batches(): Batch[] {
    const batches: Batch[] = []
    const open = new Map<Tenant, Batch>()
    for (const stream of this.#deps.streams()) {
      const { tenant, conversationId } = stream.place
      let batch = open.get(tenant)
      if (!batch || batch.streams.size >= BATCH) {
        batch = { tenant, streams: new Map() }
        open.set(tenant, batch)
        batches.push(batch)
      }
      batch.streams.set(conversationId, stream)
    }
    return batches
  }
}
