// The outbox's shelf in memory.
import type { DeliveryId, Tenant } from '../model/ids'
import type { Claim, DeliveryStore, Supply } from './delivery-store'
import type { MemoryOutbox } from './memory-outbox'
import { keyOf, type MemoryTables } from './memory-tables'
import type { Delivery } from './records'

export class MemoryDeliveryStore implements DeliveryStore {
  readonly #tables: MemoryTables
  readonly #outbox: MemoryOutbox
  readonly #now: () => Date

  constructor(deps: { tables: MemoryTables; outbox: MemoryOutbox; now: () => Date }) {
    this.#tables = deps.tables
    this.#outbox = deps.outbox
    this.#now = deps.now
  }

  async claim(tenant: Tenant, claim: Claim): Promise<Delivery[]> {
    return this.#tables.transact(() => this.#outbox.claim(tenant, claim, this.#at()))
  }
  async release(tenant: Tenant, lease: string): Promise<number> {
    return this.#tables.transact(() => this.#outbox.release(tenant, lease, this.#at()))
  }
  async replay(tenant: Tenant, id: DeliveryId): Promise<boolean> {
    return this.#tables.transact(() => this.#outbox.replay(tenant, id, this.#at()))
  }
  async nextDueIn(tenant: Tenant, at: Supply): Promise<number | null> {
    return this.#outbox.nextDueIn(tenant, at, this.#at())
  }
  async deadLetters(tenant: Tenant, after: string, limit: number): Promise<Delivery[]> {
    const last = this.#tables.deliveries.get(keyOf(tenant, after))?.seq ?? 0
    const found = [...this.#tables.deliveries.values()].filter(
      ({ delivery, seq }) => delivery.tenant === tenant && delivery.state === 'dead' && seq > last,
    )
    const oldestFirst = found.sort((a, b) => a.seq - b.seq).slice(0, limit)
    return oldestFirst.map(({ delivery }) => delivery)
  }

  #at(): string {
    return this.#now().toISOString()
  }
}
