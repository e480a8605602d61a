// Notifications and the suppression list on SQL, and the broom for what has outlived its time.
import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import type { NotificationStore } from './notification-store'
import type { Notification } from './records'
import { toNotification } from './sql-rows'
import type { Tables } from './sql-schema'
import { lastKeptDay, wholeGroups } from './sweeping'

/** Rows in one delete: a commit that arrives meanwhile waits for no more than this. */
const SWEEP_SIZE = 1_000

export class SqlNotificationStore implements NotificationStore {
  readonly #db: Kysely<Tables>
  readonly #now: () => Date

  constructor(deps: { db: Kysely<Tables>; now: () => Date }) {
    this.#db = deps.db
    this.#now = deps.now
  }

  async find(tenant: Tenant, id: string): Promise<Notification | null> {
    const found = this.#db.selectFrom('notification').selectAll().where('tenant', '=', tenant).where('id', '=', id)
    const row = await found.executeTakeFirst()
    return row ? toNotification(row) : null
  }

  async suppressed(tenant: Tenant, channel: string, after: string, limit: number): Promise<Address[]> {
    const rows = await this.#db
      .selectFrom('suppression')
      .select(['channel', 'account', 'ref_id as refId'])
      .where('tenant', '=', tenant)
      .where('channel', '=', channel)
      .where('ref_id', '>', after)
      .orderBy('ref_id')
      .orderBy('account')
      .limit(limit + 1)
      .execute()
    return wholeGroups(rows, limit)
  }

  async sweep(tenant: Tenant): Promise<number> {
    const now = this.#now()
    const at = now.toISOString()
    const once = await this.#sweepAll(
      sql`delete from once where (tenant, scope, key) in (
        select tenant, scope, key from once where tenant = ${tenant} and expires_at <= ${at} limit ${SWEEP_SIZE})`,
    )
    const recent = await this.#sweepAll(
      sql`delete from once_recent where id in (
        select id from once_recent where tenant = ${tenant} and expires_at <= ${at} limit ${SWEEP_SIZE})`,
    )
    const parked = await this.#sweepAll(
      sql`delete from parked_receipt where rowid in (
        select rowid from parked_receipt where tenant = ${tenant} and expires_at <= ${at} limit ${SWEEP_SIZE})`,
    )
    const quotas = await this.#sweepAll(
      sql`delete from quota where (tenant, key_id, day) in (
        select tenant, key_id, day from quota where tenant = ${tenant} and day < ${lastKeptDay(now)} limit ${SWEEP_SIZE})`,
    )
    return once + recent + parked + quotas
  }
  async #sweepAll(statement: RawBuilder<unknown>): Promise<number> {
    let total = 0
    for (;;) {
      const { numAffectedRows = 0n } = await statement.execute(this.#db)
      total += Number(numAffectedRows)
      if (numAffectedRows < SWEEP_SIZE) return total
    }
  }
}
