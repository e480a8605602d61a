// Looks after what is to be erased by itself: what somebody began and left, and what has been kept for long enough.
import type { ConversationId, Tenant } from '../model/ids'
import type { CustodyStore } from '../store/custody-store'
import type { Erasure } from './erasure'

const INTERVAL_MS = 60_000
/** A gateway that starts finds what the last one left, but after whoever waits for it to be up. */
const FIRST_MS = 5_000
/** Erasures of others that are read at once. */
const PAGE = 500
/** Clocks differ, and so does what a round sees of what commits at that moment. */
const OVERLAP_MS = 60_000

interface Deps {
  readonly erasure: Erasure
  readonly custody: Pick<CustodyStore, 'erasedSince'>
  /** Told of every conversation that was erased, wherever that was, once more or less: a notice may have been lost. */
  readonly onErased: (id: ConversationId) => void
  readonly tenant: Tenant
  readonly now?: () => Date
  readonly onFault: (cause: unknown) => void
  readonly firstMs?: number
  readonly intervalMs?: number
}

export class ErasureWatch {
  readonly #deps: Required<Deps>
  #timer: NodeJS.Timeout
  #round: Promise<void> | null = null
  #closed = false
  /** ISO 8601: up to here it is known what others erased. */
  #known: string

  constructor(deps: Deps) {
    this.#deps = { now: () => new Date(), firstMs: FIRST_MS, intervalMs: INTERVAL_MS, ...deps }
    this.#known = this.#ago(OVERLAP_MS)
    this.#timer = setTimeout(() => this.#begin(), this.#deps.firstMs)
  }

  /** Waits for the conversation under way, not for all that is left. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#round
  }

  #begin(): void {
    this.#round = this.check()
      .catch(this.#deps.onFault)
      .finally(() => {
        this.#round = null
        if (!this.#closed) this.#timer = setTimeout(() => this.#begin(), this.#deps.intervalMs)
      })
  }
  /** One round: first what others erased, then what is to be erased here. */
  async check(): Promise<void> {
    const { erasure, tenant } = this.#deps
    await this.#hearOthers()
    while (!this.#closed && (await erasure.catchUp(tenant, () => this.#closed)));
  }
  async #hearOthers(): Promise<void> {
    const { custody, tenant, onErased } = this.#deps
    const until = this.#ago(OVERLAP_MS)
    let from = this.#known
    for (;;) {
      const page = await custody.erasedSince(tenant, from, PAGE)
      for (const { id } of page) onErased(id)
      const last = page.at(-1)
      if (!last || page.length < PAGE || last.at === from) break
      from = last.at
    }
    this.#known = until
  }
  #ago(ms: number): string {
    return new Date(this.#deps.now().getTime() - ms).toISOString()
  }
}
