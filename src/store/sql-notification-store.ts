// Notifications and the suppression list on SQL, and the broom for what has outlived its time.
import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import type { NotificationStore } from './notification-store'
import type { Notification } from './records'
import { toNotification } from './sql-rows'
import type { Tables } from './sql-schema'
import type { SqlSpelling } from './sql-spelling'
import { lastKeptDay, wholeGroups } from './sweeping'

/** Rows in one delete: a commit that arrives meanwhile waits for no more than this. */
const SWEEP_SIZE = 1_000

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
    const now = this.#now()
    const at = now.toISOString()
    const expired = (table: string, key: string) => this.#sweepAll({ table, key }, tenant, sql`expires_at <= ${at}`)
    const once = await expired('once', 'tenant, scope, key')
    const recent = this.#spelling.dialect === 'sqlite' ? await expired('once_recent', 'id') : 0
    const parked = await expired('parked_receipt', 'tenant, channel, account, provider_id, state')
    if (this.#spelling.dialect === 'postgres') await this.#sweepNames(tenant)
    const quota = { table: 'quota', key: 'tenant, key_id, day' }
    return once + recent + parked + (await this.#sweepAll(quota, tenant, sql`day < ${lastKeptDay(now)}`))
  }
  /** Names that only a parked receipt had a use for. */
  #sweepNames(tenant: Tenant): Promise<number> {
    const names = { table: 'provider_part', key: 'tenant, channel, account, provider_id' }
    return this.#sweepAll(
      names,
      tenant,
      sql`delivery_id is null and not exists (
        select from parked_receipt as parked
        where parked.tenant = provider_part.tenant and parked.channel = provider_part.channel
          and parked.account = provider_part.account and parked.provider_id = provider_part.provider_id)`,
    )
  }
  async #sweepAll(
    { table: name, key: columns }: { table: string; key: string },
    tenant: Tenant,
    isOld: RawBuilder<unknown>,
  ): Promise<number> {
    const [table, key] = [sql.raw(name), sql.raw(columns)]
    const old = sql`select ${key} from ${table} where tenant = ${tenant} and ${isOld}
      limit ${SWEEP_SIZE} ${this.#spelling.skipLocked}`
    let total = 0
    for (;;) {
      const { numAffectedRows = 0n } = await sql`delete from ${table} where (${key}) in (${old})`.execute(this.#db)
      total += Number(numAffectedRows)
      if (numAffectedRows < SWEEP_SIZE) return total
    }
  }
}
