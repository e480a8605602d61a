// Keeps what one node knows of accounts and keys in step with what others write: told by hints, and sure by looking now and then.
import type { AccountId } from '../model/ids'
import type { Accounts } from './accounts'
import type { ApiKeys } from './keys'

/** What became of it stands in the store. */
type Change = { readonly what: 'account'; readonly id: AccountId } | { readonly what: 'key' }
interface Deps {
  readonly accounts: Pick<Accounts, 'refresh' | 'refreshAll'>
  readonly keys: Pick<ApiKeys, 'refreshAll'>
  /** Milliseconds between two looks at everything; 0: nobody else writes, and nothing is read. */
  readonly intervalMs: number
  readonly onFault: (cause: unknown) => void
}

export class Rereading {
  readonly #deps: Deps
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> | null = null
  #again = false
  #closed = false

  constructor(deps: Deps) {
    this.#deps = deps
    this.#rest()
  }

  /** Another node says that it changed something. */
  heard(change: Change): void {
    const { accounts, keys, intervalMs, onFault } = this.#deps
    if (intervalMs === 0 || this.#closed) return
    const reading = change.what === 'key' ? keys.refreshAll() : accounts.refresh(change.id)
    reading.catch(onFault)
  }
  /** Looks at everything: hints may have been missed. Many who ask at once are one look. */
  check(): void {
    if (this.#deps.intervalMs === 0 || this.#closed) return
    this.#again = true
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
      this.#rest()
    })
  }
  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer) clearTimeout(this.#timer)
    await this.#looking
  }

  async #look(): Promise<void> {
    const { accounts, keys, onFault } = this.#deps
    while (this.#again && !this.#closed) {
      this.#again = false
      // A store that does not answer is asked again after the interval.
      await Promise.all([accounts.refreshAll(), keys.refreshAll()]).catch(onFault)
    }
  }
  #rest(): void {
    if (this.#timer) clearTimeout(this.#timer)
    if (this.#closed || this.#deps.intervalMs === 0) return
    this.#timer = setTimeout(() => this.check(), this.#deps.intervalMs)
  }
}
