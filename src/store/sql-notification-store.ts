// Notifications and the suppression list on SQL, and the broom for what has outlived its time.
import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import type { NotificationStore } from './notification-store'
import type { Notification } from './records'
import { toNotification } from './sql-rows'
import type { Tables } from './sql-schema'
import type { SqlSpelling } from './sql-spelling'
import { cutoffsAt, lastKeptDay, wholeGroups } from './sweeping'

/** Rows in one delete: a commit that arrives meanwhile waits for no more than this. */
const SWEEP_SIZE = 1_000
/** Those with a body, of which all its pages are let go. */
const DELIVERIES_AT_ONCE = 250

export class SqlNotificationStore implements NotificationStore {
  readonly #db: Kysely<Tables>
  readonly #spelling: SqlSpelling
  readonly #now: () => Date

  constructor(deps: { db: Kysely<Tables>; spelling: SqlSpelling; now: () => Date }) {
    this.#db = deps.db
    this.#spelling = deps.spelling
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
    // Nobody's rows but ours, which nobody counts.
    if (this.#spelling.dialect === 'postgres')
      await this.#broom('provider_part', PROVIDER, { tenant, isOld: UNUSED_NAME }).execute(this.#db)
    return total
  }
  #brooms(tenant: Tenant, now: Date): readonly RawBuilder<unknown>[] {
    const { dialect } = this.#spelling
    const expired = sql`expires_at <= ${now.toISOString()}`
    const cutoffs = cutoffsAt(now)
    const changed = sql`state <> 'waiting' and changed_at <= ${cutoffs.notification}`
    return [
      this.#broom('once', 'tenant, scope, key', { tenant, isOld: expired }),
      ...(dialect === 'sqlite' ? [this.#broom('once_recent', 'id', { tenant, isOld: expired })] : []),
      this.#broom('parked_receipt', `${PROVIDER}, state`, { tenant, isOld: expired }),
      this.#broom('quota', 'tenant, key_id, day', { tenant, isOld: sql`day < ${lastKeptDay(now)}` }),
      this.#broom('notification', 'tenant, id', { tenant, isOld: changed }),
      ...this.#settledBrooms(tenant, { state: 'done', before: cutoffs.done }),
      ...this.#settledBrooms(tenant, { state: 'dead', before: cutoffs.dead }),
    ]
  }
  #broom(name: string, columns: string, which: { tenant: Tenant; isOld: RawBuilder<unknown> }): RawBuilder<unknown> {
    const [table, key] = [sql.raw(name), sql.raw(columns)]
    return sql`delete from ${table} where (${key}) in (
      select ${key} from ${table} where tenant = ${which.tenant} and ${which.isOld}
      limit ${SWEEP_SIZE} ${this.#spelling.skipLocked})`
  }
  /** The provider's ids first, and then the deliveries that have none any more. */
  #settledBrooms(tenant: Tenant, { state, before }: { state: 'done' | 'dead'; before: string }) {
    const { skipLocked } = this.#spelling
    // Spelled as in the index, or SQLite does not use it.
    const settled = sql`delivery.tenant = ${tenant} and delivery.state in ('done', 'dead')
      and delivery.state = ${state} and delivery.due_at <= ${before}`
    return [
      sql`delete from provider_part where (tenant, channel, account, provider_id) in (
        select part.tenant, part.channel, part.account, part.provider_id from delivery
        join provider_part as part on part.tenant = delivery.tenant and part.delivery_id = delivery.id
        where ${settled} limit ${SWEEP_SIZE} ${skipLocked})`,
      sql`delete from delivery where seq in (
        select seq from delivery where ${settled} and not exists (
          select 1 from provider_part as part where part.tenant = delivery.tenant and part.delivery_id = delivery.id)
        limit ${DELIVERIES_AT_ONCE} ${skipLocked})`,
    ]
  }
}

const PROVIDER = 'tenant, channel, account, provider_id'
/** A name that only a parked receipt had a use for. */
const UNUSED_NAME = sql`delivery_id is null and not exists (
  select from parked_receipt as parked
  where parked.tenant = provider_part.tenant and parked.channel = provider_part.channel
    and parked.account = provider_part.account and parked.provider_id = provider_part.provider_id)`
