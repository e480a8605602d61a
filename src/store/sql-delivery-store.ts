// The outbox's shelf on SQLite: leasing is the thread's, looking is a cold query.
import { sql, type Kysely } from 'kysely'
import type { DeliveryId, Tenant } from '../model/ids'
import type { Claim, DeliveryStore } from './delivery-store'
import type { Delivery } from './records'
import { toDelivery } from './sql-rows'
import type { Tables } from './sql-schema'
import type { SqliteThread } from './sqlite-thread'

export class SqlDeliveryStore implements DeliveryStore {
  readonly #db: Kysely<Tables>
  readonly #thread: SqliteThread

  constructor(deps: { db: Kysely<Tables>; thread: SqliteThread }) {
    this.#db = deps.db
    this.#thread = deps.thread
  }

  claim(tenant: Tenant, claim: Claim): Promise<Delivery[]> {
    return this.#thread.consult<'claim'>({ do: 'claim', tenant, claim })
  }
  release(tenant: Tenant, lease: string): Promise<number> {
    return this.#thread.consult<'release'>({ do: 'release', tenant, lease })
  }
  nextDueIn(tenant: Tenant, channel: string, account: string): Promise<number | null> {
    return this.#thread.consult<'nextDueIn'>({ do: 'nextDueIn', tenant, channel, account })
  }
  replay(tenant: Tenant, id: DeliveryId): Promise<boolean> {
    return this.#thread.consult<'replay'>({ do: 'replay', tenant, id })
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
