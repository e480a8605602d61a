// Port: who may sign in, and the keys of connectors, bots and third parties. Secrets lie here as hashes only.
import type { AccountId, Tenant } from '../model/ids'

export interface Account {
  readonly id: AccountId
  readonly tenant: Tenant
  /** Unique within the tenant, compared in lower case. */
  readonly username: string
  readonly name: string
  readonly role: 'agent' | 'supervisor'
  readonly passwordHash: string
  readonly disabled: boolean
  /** Raised by every change of password, role or state: older tokens are void. */
  readonly version: number
  readonly createdAt: string
}

export type KeyKind = 'connector' | 'thirdParty' | 'bot'
export interface ApiKey {
  readonly id: string
  readonly tenant: Tenant
  readonly kind: KeyKind
  readonly name: string
  /** What it opens: one channel, and one account of it (empty: every account). */
  readonly channel: string
  readonly account: string
  /** SHA-256 of the key, hexadecimal. The key has 256 random bits, so a fast hash is enough. */
  readonly hash: string
  /** Outbound notifications a day (UTC); null: no limit of its own. */
  readonly dailyQuota: number | null
  /** E.164 prefixes that outbound notifications may go to; empty: any. */
  readonly prefixes: readonly string[]
  readonly createdAt: string
}

export interface AccountStore {
  /** False when the username is taken. */
  createAccount(account: Account): Promise<boolean>
  findAccount(tenant: Tenant, id: AccountId): Promise<Account | null>
  findByUsername(tenant: Tenant, username: string): Promise<Account | null>
  listAccounts(tenant: Tenant): Promise<Account[]>
  /**
   * Replaces the account when it still has the version that is one lower; false otherwise, and where nobody would be
   * left who can make accounts: the last enabled supervisor stays one.
   */
  updateAccount(account: Account): Promise<boolean>
  /** False when there is none, and for the last enabled supervisor. */
  deleteAccount(tenant: Tenant, id: AccountId): Promise<boolean>
  /** False when its scope (kind, channel, account) has two keys already. */
  createKey(key: ApiKey): Promise<boolean>
  /** @param hash SHA-256 of the key, hexadecimal */
  findKey(tenant: Tenant, hash: string): Promise<ApiKey | null>
  listKeys(tenant: Tenant): Promise<ApiKey[]>
  deleteKey(tenant: Tenant, id: string): Promise<boolean>
}
