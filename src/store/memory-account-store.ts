// Accounts and keys in memory.
import type { AccountId, Tenant } from '../model/ids'
import { isEnabledSupervisor, MAX_KEYS_PER_SCOPE, usernameKey } from './account-keys'
import type { Account, AccountStore, ApiKey } from './account-store'
import { keyOf } from './memory-tables'

export class MemoryAccountStore implements AccountStore {
  readonly #accounts = new Map<string, Account>()
  readonly #keys = new Map<string, ApiKey>()

  async createAccount(account: Account): Promise<boolean> {
    const key = keyOf(account.tenant, account.id)
    if (this.#accounts.has(key) || this.#named(account.tenant, account.username)) return false
    this.#accounts.set(key, account)
    return true
  }
  async findAccount(tenant: Tenant, id: AccountId): Promise<Account | null> {
    return this.#accounts.get(keyOf(tenant, id)) ?? null
  }
  async findByUsername(tenant: Tenant, username: string): Promise<Account | null> {
    return this.#named(tenant, username) ?? null
  }
  async listAccounts(tenant: Tenant): Promise<Account[]> {
    return this.#of(tenant).sort((a, b) => (usernameKey(a.username) < usernameKey(b.username) ? -1 : 1))
  }
  async updateAccount(account: Account): Promise<boolean> {
    const key = keyOf(account.tenant, account.id)
    const other = this.#named(account.tenant, account.username)
    if (this.#accounts.get(key)?.version !== account.version - 1 || (other && other.id !== account.id)) return false
    if (!isEnabledSupervisor(account) && this.#isLastSupervisor(account)) return false
    this.#accounts.set(key, account)
    return true
  }
  async deleteAccount(tenant: Tenant, id: AccountId): Promise<boolean> {
    return !this.#isLastSupervisor({ tenant, id }) && this.#accounts.delete(keyOf(tenant, id))
  }

  async createKey(key: ApiKey): Promise<boolean> {
    const { tenant, kind, channel, account } = key
    // Nothing is awaited between looking and writing: two calls must not both find room.
    const others = [...this.#keys.values()].filter(
      (other) =>
        other.tenant === tenant && other.kind === kind && other.channel === channel && other.account === account,
    )
    if (others.length >= MAX_KEYS_PER_SCOPE) return false
    this.#keys.set(keyOf(tenant, key.id), key)
    return true
  }
  async findKey(tenant: Tenant, hash: string): Promise<ApiKey | null> {
    return (await this.listKeys(tenant)).find((key) => key.hash === hash) ?? null
  }
  async listKeys(tenant: Tenant): Promise<ApiKey[]> {
    const found = [...this.#keys.values()].filter((key) => key.tenant === tenant)
    return found.sort((a, b) => (a.createdAt + a.id < b.createdAt + b.id ? -1 : 1))
  }
  async deleteKey(tenant: Tenant, id: string): Promise<boolean> {
    return this.#keys.delete(keyOf(tenant, id))
  }

  #isLastSupervisor({ tenant, id }: Pick<Account, 'tenant' | 'id'>): boolean {
    const supervisors = this.#of(tenant).filter(isEnabledSupervisor)
    return supervisors.length === 1 && supervisors[0]?.id === id
  }
  #named(tenant: Tenant, username: string): Account | undefined {
    return this.#of(tenant).find((account) => usernameKey(account.username) === usernameKey(username))
  }
  #of(tenant: Tenant): Account[] {
    return [...this.#accounts.values()].filter((account) => account.tenant === tenant)
  }
}
