// Accounts and keys on SQL. Whatever must hold of several rows at once is checked by the statement that writes.
import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { AccountId, Tenant } from '../model/ids'
import { isEnabledSupervisor, MAX_KEYS_PER_SCOPE, usernameKey } from './account-keys'
import type { Account, AccountStore, ApiKey } from './account-store'
import { toAccount, toApiKey } from './sql-rows'
import type { Tables } from './sql-schema'
import type { SqlSpelling } from './sql-spelling'

export class SqlAccountStore implements AccountStore {
  constructor(
    private readonly db: Kysely<Tables>,
    private readonly spelling: SqlSpelling,
  ) {}

  async createAccount(account: Account): Promise<boolean> {
    const { id, tenant } = account
    const inserted = this.db.insertInto('account').values({ id, tenant, ...columns(account) })
    const { numInsertedOrUpdatedRows } = await inserted.onConflict((oc) => oc.doNothing()).executeTakeFirstOrThrow()
    return numInsertedOrUpdatedRows === 1n
  }
  async findAccount(tenant: Tenant, id: AccountId): Promise<Account | null> {
    const found = this.db.selectFrom('account').selectAll().where('tenant', '=', tenant).where('id', '=', id)
    const row = await found.executeTakeFirst()
    return row ? toAccount(row) : null
  }
  async findByUsername(tenant: Tenant, username: string): Promise<Account | null> {
    const row = await this.db
      .selectFrom('account')
      .selectAll()
      .where('tenant', '=', tenant)
      .where('username_key', '=', usernameKey(username))
      .executeTakeFirst()
    return row ? toAccount(row) : null
  }
  async listAccounts(tenant: Tenant): Promise<Account[]> {
    const rows = await this.db
      .selectFrom('account')
      .selectAll()
      .where('tenant', '=', tenant)
      .orderBy('username_key')
      .execute()
    return rows.map(toAccount)
  }
  async updateAccount(account: Account): Promise<boolean> {
    try {
      if (isEnabledSupervisor(account)) return await this.#update(this.db, account, sql<boolean>`1 = 1`)
      const { tenant } = account
      return await this.#withoutOthers(tenant, (db) => this.#update(db, account, mayGo(account)))
    } catch (cause) {
      // Somebody on another node has taken the name since the statement looked.
      if (this.spelling.isDuplicate(cause)) return false
      throw cause
    }
  }
  async #update(db: Kysely<Tables>, account: Account, condition: RawBuilder<boolean>): Promise<boolean> {
    const { tenant, id, version } = account
    const update = db
      .updateTable('account')
      .set(columns(account))
      .where('tenant', '=', tenant)
      .where('id', '=', id)
      .where('version', '=', version - 1)
      .where(
        sql<boolean>`not exists (
          select 1 from account as other where other.tenant = ${tenant}
            and other.username_key = ${usernameKey(account.username)} and other.id <> ${id})`,
      )
      .where(condition)
    const { numUpdatedRows } = await update.executeTakeFirstOrThrow()
    return numUpdatedRows === 1n
  }
  async deleteAccount(tenant: Tenant, id: AccountId): Promise<boolean> {
    return this.#withoutOthers(tenant, async (db) => {
      const doomed = db.deleteFrom('account').where('tenant', '=', tenant).where('id', '=', id)
      const { numDeletedRows } = await doomed.where(mayGo({ tenant, id })).executeTakeFirstOrThrow()
      return numDeletedRows === 1n
    })
  }
  /** Two supervisors who demote each other on two nodes must not both succeed. */
  #withoutOthers<T>(tenant: Tenant, work: (db: Kysely<Tables>) => Promise<T>): Promise<T> {
    return this.spelling.alone(this.db, JSON.stringify([tenant, 'supervisors']), work)
  }

  async createKey(key: ApiKey): Promise<boolean> {
    const { id, tenant, kind, name, channel, account, hash, dailyQuota, createdAt } = key
    const prefixes = JSON.stringify(key.prefixes)
    const insert = sql`
      insert into api_key (id, tenant, kind, name, channel, account, hash, daily_quota, prefixes, created_at)
      select ${id}, ${tenant}, ${kind}, ${name}, ${channel}, ${account}, ${hash}, cast(${dailyQuota} as integer),
        ${prefixes}, ${createdAt}
      where (
        select count(*) from api_key
        where tenant = ${tenant} and kind = ${kind} and channel = ${channel} and account = ${account}
      ) < ${MAX_KEYS_PER_SCOPE}`
    const scope = JSON.stringify([tenant, kind, channel, account])
    const { numAffectedRows } = await this.spelling.alone(this.db, scope, (db) => insert.execute(db))
    return numAffectedRows === 1n
  }
  async findKey(tenant: Tenant, hash: string): Promise<ApiKey | null> {
    const found = this.db.selectFrom('api_key').selectAll().where('tenant', '=', tenant).where('hash', '=', hash)
    const row = await found.executeTakeFirst()
    return row ? toApiKey(row) : null
  }
  async listKeys(tenant: Tenant): Promise<ApiKey[]> {
    const rows = await this.db
      .selectFrom('api_key')
      .selectAll()
      .where('tenant', '=', tenant)
      .orderBy('created_at')
      .orderBy('id')
      .execute()
    return rows.map(toApiKey)
  }
  async deleteKey(tenant: Tenant, id: string): Promise<boolean> {
    const deleted = this.db.deleteFrom('api_key').where('tenant', '=', tenant).where('id', '=', id)
    const { numDeletedRows } = await deleted.executeTakeFirstOrThrow()
    return numDeletedRows === 1n
  }
}

/** Is no enabled supervisor, or not the only one. */
const mayGo = ({ tenant, id }: Pick<Account, 'tenant' | 'id'>): RawBuilder<boolean> => sql<boolean>`(
  role <> 'supervisor' or disabled = 1 or exists (
    select 1 from account as other where other.tenant = ${tenant}
      and other.role = 'supervisor' and other.disabled = 0 and other.id <> ${id}))`

const columns = (account: Account) => ({
  username: account.username,
  username_key: usernameKey(account.username),
  name: account.name,
  role: account.role,
  password_hash: account.passwordHash,
  disabled: account.disabled ? (1 as const) : (0 as const),
  version: account.version,
  created_at: account.createdAt,
})
