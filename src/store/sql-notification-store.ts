// Notifications and the suppression list on SQL, and the broom for what has outlived its time.
import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import type { NotificationStore } from './notification-store'
import type { Notification } from './records'
import { toNotification } from './sql-rows'
import type { Tables } from './sql-schema'
import { cutoffsAt, lastKeptDay, wholeGroups } from './sweeping'

/** Rows in one delete: a commit that arrives meanwhile waits for no more than this. */
const SWEEP_SIZE = 1_000
/** Those with a body, of which all its pages are let go. */
const DELIVERIES_AT_ONCE = 250

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
    let total = 0
    // One after another: what else the database is asked comes in between.
    for (const statement of this.#brooms(tenant, this.#now())) {
      const { numAffectedRows = 0n } = await statement.execute(this.#db)
      total += Number(numAffectedRows)
    }
    return total
  }
  #brooms(tenant: Tenant, now: Date): readonly RawBuilder<unknown>[] {
    const at = now.toISOString()
    const cutoffs = cutoffsAt(now)
    return [
      sql`delete from once where (tenant, scope, key) in (
        select tenant, scope, key from once where tenant = ${tenant} and expires_at <= ${at} limit ${SWEEP_SIZE})`,
      sql`delete from once_recent where id in (
        select id from once_recent where tenant = ${tenant} and expires_at <= ${at} limit ${SWEEP_SIZE})`,
      sql`delete from parked_receipt where rowid in (
        select rowid from parked_receipt where tenant = ${tenant} and expires_at <= ${at} limit ${SWEEP_SIZE})`,
      sql`delete from quota where (tenant, key_id, day) in (
        select tenant, key_id, day from quota where tenant = ${tenant} and day < ${lastKeptDay(now)} limit ${SWEEP_SIZE})`,
      sql`delete from notification where (tenant, id) in (
        select tenant, id from notification
        where tenant = ${tenant} and state <> 'waiting' and changed_at <= ${cutoffs.notification} limit ${SWEEP_SIZE})`,
      ...settledBrooms(tenant, { state: 'done', before: cutoffs.done }),
      ...settledBrooms(tenant, { state: 'dead', before: cutoffs.dead }),
    ]
  }
}

/** The provider's ids first, and then the deliveries that have none any more. */
function settledBrooms(tenant: Tenant, { state, before }: { state: 'done' | 'dead'; before: string }) {
  // Spelled as in the index, or SQLite does not use it.
  const settled = sql`delivery.tenant = ${tenant} and delivery.state in ('done', 'dead')
    and delivery.state = ${state} and delivery.due_at <= ${before}`
  return [
    sql`delete from provider_part where (tenant, channel, account, provider_id) in (
      select part.tenant, part.channel, part.account, part.provider_id from delivery
      join provider_part as part on part.tenant = delivery.tenant and part.delivery_id = delivery.id
      where ${settled} limit ${SWEEP_SIZE})`,
    sql`delete from delivery where seq in (
      select seq from delivery where ${settled} and not exists (
        select 1 from provider_part as part where part.tenant = delivery.tenant and part.delivery_id = delivery.id)
      limit ${DELIVERIES_AT_ONCE})`,
  ]
}
