// The outbox's shelf on SQL: leasing is each engine's own, looking is a cold query.
import { sql, type Kysely } from 'kysely'
import type { DeliveryId, Tenant } from '../model/ids'
import type { Claim, DeliveryStore, Supply } from './delivery-store'
import type { Delivery } from './records'
import { toDelivery } from './sql-rows'
import type { Tables } from './sql-schema'

/** What each engine does in a way of its own. */
export type Shelf = Omit<DeliveryStore, 'deadLetters'>

export class SqlDeliveryStore implements DeliveryStore {
  readonly #db: Kysely<Tables>
  readonly #shelf: Shelf

  constructor(deps: { db: Kysely<Tables>; shelf: Shelf }) {
    this.#db = deps.db
    this.#shelf = deps.shelf
  }

  claim(tenant: Tenant, claim: Claim): Promise<Delivery[]> {
    return this.#shelf.claim(tenant, claim)
  }
  release(tenant: Tenant, lease: string): Promise<number> {
    return this.#shelf.release(tenant, lease)
  }
  nextDueIn(tenant: Tenant, at: Supply): Promise<number | null> {
    return this.#shelf.nextDueIn(tenant, at)
  }
  replay(tenant: Tenant, id: DeliveryId): Promise<boolean> {
    return this.#shelf.replay(tenant, id)
  }

  async deadLetters(tenant: Tenant, after: string, limit: number): Promise<Delivery[]> {
    const rows = await this.#db
      .selectFrom('delivery')
      .selectAll()
      .where('tenant', '=', tenant)
      .where(sql<boolean>`state = 'dead'`)
      .where(sql<boolean>`seq > coalesce((select seq from delivery where tenant = ${tenant} and id = ${after}), 0)`)
      .orderBy('seq')
      .limit(limit)
      .execute()
    return rows.map(toDelivery)
  }
}
