// API keys of connectors, third parties and bots: answered once, kept as hashes, known by heart.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { GatewayError } from '../model/errors'
import { DEFAULT_TENANT, type Tenant } from '../model/ids'
import { newId } from '../model/new-id'
import { channelName } from '../model/participant'
import type { AccountStore, ApiKey, KeyKind } from '../store/account-store'

/** A connector's key from the operator's settings. */
export interface FixedKey {
  readonly channel: string
  /** Empty: every account of the channel. */
  readonly account: string
  /** SHA-256 of the key, hexadecimal. */
  readonly hash: string
}
/** Whoever showed a good key, and what it opens. */
export interface KeyHolder {
  readonly id: string
  readonly tenant: Tenant
  readonly kind: KeyKind
  readonly name: string
  readonly channel: string
  /** Empty: every account of the channel. */
  readonly account: string
  /** Outbound notifications a day (UTC); null: no limit of its own. */
  readonly dailyQuota: number | null
  /** E.164 prefixes that outbound notifications may go to; empty: any. */
  readonly prefixes: readonly string[]
}
/** A key as supervisors see it: never the key, never its hash. */
export interface ListedKey extends KeyHolder {
  /** ISO 8601; null for a key from the settings. */
  readonly createdAt: string | null
}
export type NewKey = Pick<ApiKey, 'kind' | 'name' | 'channel' | 'account'> &
  Partial<Pick<ApiKey, 'dailyQuota' | 'prefixes'>>

export interface ApiKeysDeps {
  readonly store: AccountStore
  readonly fixed?: readonly FixedKey[]
  readonly tenant?: Tenant
  readonly now?: () => Date
}
interface Entry {
  readonly digest: Buffer
  readonly listed: ListedKey
}

/** So that a key is known as ours wherever it lies about. */
const PREFIX = 'flk_'
const KEY_BYTES = 32
const MAX_KEY = 512

export class ApiKeys {
  readonly #deps: ApiKeysDeps
  readonly #tenant: Tenant
  readonly #byHash = new Map<string, Entry>()
  readonly #ids = new Set<string>()
  readonly #listeners = new Set<(keyId: string) => void>()

  private constructor(deps: ApiKeysDeps) {
    this.#deps = deps
    this.#tenant = deps.tenant ?? DEFAULT_TENANT
  }

  /** Reads all keys. @throws what the store throws. */
  static async open(deps: ApiKeysDeps): Promise<ApiKeys> {
    const keys = new ApiKeys(deps)
    for (const key of await deps.store.listKeys(keys.#tenant)) keys.#learn(key.hash, asListed(key))
    const count = new Map<string, number>()
    for (const { channel: spelled, account, hash } of deps.fixed ?? []) {
      const channel = channelName(spelled)
      const n = (count.get(channel) ?? 0) + 1
      count.set(channel, n)
      keys.#learn(hash, {
        id: `env:${channel}:${n}`,
        tenant: keys.#tenant,
        kind: 'connector',
        name: 'CONNECTOR_KEYS',
        channel,
        account,
        dailyQuota: null,
        prefixes: [],
        createdAt: null,
      })
    }
    return keys
  }

  /**
   * Makes a key; the answer is the only time it is said.
   * @throws GatewayError `conflict` when its scope (kind, channel, account) has two keys already
   */
  async create(wish: NewKey): Promise<ListedKey & { readonly key: string }> {
    const key = PREFIX + randomBytes(KEY_BYTES).toString('base64url')
    const made: ApiKey = {
      id: newId(),
      tenant: this.#tenant,
      kind: wish.kind,
      name: wish.name,
      channel: wish.channel,
      account: wish.account,
      hash: digestOf(key).toString('hex'),
      dailyQuota: wish.dailyQuota ?? null,
      prefixes: wish.prefixes ?? [],
      createdAt: (this.#deps.now?.() ?? new Date()).toISOString(),
    }
    if (!(await this.#deps.store.createKey(made)))
      throw new GatewayError(
        'conflict',
        'There are two keys for this kind, channel and account, enough to change over. Delete one first.',
      )
    const listed = asListed(made)
    this.#learn(made.hash, listed)
    return { ...listed, key }
  }

  list(): readonly ListedKey[] {
    return [...this.#byHash.values()].map(({ listed }) => listed)
  }

  /** @throws GatewayError `notFound`; `conflict` for a key from the settings. */
  async revoke(id: string): Promise<void> {
    const [hash, entry] = [...this.#byHash].find(([, { listed }]) => listed.id === id) ?? []
    if (hash === undefined) throw new GatewayError('notFound', 'There is no such key. List the keys to find its id.')
    if (entry?.listed.createdAt === null)
      throw new GatewayError('conflict', 'This key stands in CONNECTOR_KEYS. Take it out there and restart.')
    await this.#deps.store.deleteKey(this.#tenant, id)
    this.#byHash.delete(hash)
    this.#ids.delete(id)
    for (const listener of this.#listeners) listener(id)
  }

  /** What the key opens; null when it is not one of ours. */
  authenticate(presented: string): KeyHolder | null {
    if (presented.length > MAX_KEY) return null
    const digest = digestOf(presented)
    const entry = this.#byHash.get(digest.toString('hex'))
    if (!entry || !timingSafeEqual(digest, entry.digest)) return null
    return asHolder(entry.listed)
  }

  /** Whether the key is still good. Cheap: meant for every event. */
  isCurrent(id: string): boolean {
    return this.#ids.has(id)
  }

  /** Calls the listener when a key was revoked. Returns how to stop it. */
  onRevoked(listener: (keyId: string) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #learn(hash: string, listed: ListedKey): void {
    this.#byHash.set(hash, { digest: Buffer.from(hash, 'hex'), listed })
    this.#ids.add(listed.id)
  }
}

const digestOf = (key: string): Buffer => createHash('sha256').update(key).digest()
/** Field by field: whatever a row may hold one day, its hash does not slip out with it. */
const asListed = (key: ApiKey): ListedKey => ({ ...asHolder(key), createdAt: key.createdAt })
const asHolder = (key: KeyHolder): KeyHolder => ({
  id: key.id,
  tenant: key.tenant,
  kind: key.kind,
  name: key.name,
  channel: key.channel,
  account: key.account,
  dailyQuota: key.dailyQuota,
  prefixes: key.prefixes,
})
