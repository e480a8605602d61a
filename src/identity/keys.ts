// API keys of connectors, third parties and bots: answered once, kept as hashes, known by heart.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { GatewayError } from '../model/errors'
import { DEFAULT_TENANT, type Tenant } from '../model/ids'
import { newId } from '../model/new-id'
import { channelName } from '../model/participant'
import type { AccountStore, ApiKey, KeyKind } from '../store/account-store'
import { UnknownKeys } from './unknown-keys'

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
/** What is not spelled like one of ours is not looked for in the store. */
const OURS = /^flk_[\w-]{43}$/
const MAX_KEY = 512

export class ApiKeys {
  readonly #deps: ApiKeysDeps
  readonly #tenant: Tenant
  readonly #byHash = new Map<string, Entry>()
  readonly #ids = new Set<string>()
  readonly #revokedListeners = new Set<(keyId: string) => void>()
  readonly #changedListeners = new Set<(keyId: string) => void>()
  readonly #unknown: UnknownKeys
  /** Changes and looks take turns: what was read before a change must not undo it. */
  #turn: Promise<unknown> = Promise.resolve()
  /** A look at all keys that has not begun: many who ask are one who reads. */
  #asked: Promise<void> | null = null

  private constructor(deps: ApiKeysDeps) {
    this.#deps = deps
    this.#tenant = deps.tenant ?? DEFAULT_TENANT
    this.#unknown = new UnknownKeys((hash) => deps.store.findKey(this.#tenant, hash))
  }

  /** Reads all keys. @throws what the store throws. */
  static async open(deps: ApiKeysDeps): Promise<ApiKeys> {
    const keys = new ApiKeys(deps)
    await keys.refreshAll()
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

  /** Reads all keys again and acts on what is different. @throws what the store throws. */
  refreshAll(): Promise<void> {
    return (this.#asked ??= this.#inTurn(async () => {
      this.#asked = null
      const stored = await this.#deps.store.listKeys(this.#tenant)
      const hashes = new Set(stored.map(({ hash }) => hash))
      for (const [hash, { listed }] of [...this.#byHash])
        if (listed.createdAt !== null && !hashes.has(hash)) this.#forget(hash, listed.id)
      for (const key of stored) this.#learn(key.hash, asListed(key))
    }))
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
    const listed = asListed(made)
    await this.#inTurn(async () => {
      if (!(await this.#deps.store.createKey(made)))
        throw new GatewayError(
          'conflict',
          'There are two keys for this kind, channel and account, enough to change over. Delete one first.',
        )
      this.#learn(made.hash, listed)
    })
    this.#tell(this.#changedListeners, made.id)
    return { ...listed, key }
  }

  list(): readonly ListedKey[] {
    return [...this.#byHash.values()].map(({ listed }) => listed)
  }

  /** @throws GatewayError `notFound`; `conflict` for a key from the settings. */
  async revoke(id: string): Promise<void> {
    // Another node may have made it just now.
    if (!this.#ids.has(id)) await this.refreshAll()
    const [hash, entry] = [...this.#byHash].find(([, { listed }]) => listed.id === id) ?? []
    if (hash === undefined) throw new GatewayError('notFound', 'There is no such key. List the keys to find its id.')
    if (entry?.listed.createdAt === null)
      throw new GatewayError('conflict', 'This key stands in CONNECTOR_KEYS. Take it out there and restart.')
    await this.#inTurn(async () => {
      await this.#deps.store.deleteKey(this.#tenant, id)
      this.#forget(hash, id)
    })
    this.#tell(this.#changedListeners, id)
  }

  /**
   * What the key opens; null when it is not one of ours. One that another node has just made is looked up.
   * @throws GatewayError `tooManyRequests` when too many unknown keys are shown at once; what the store throws
   */
  async authenticate(presented: string): Promise<KeyHolder | null> {
    if (presented.length > MAX_KEY) return null
    const digest = digestOf(presented)
    const hash = digest.toString('hex')
    if (!this.#byHash.has(hash) && OURS.test(presented) && (await this.#unknown.find(hash))) await this.refreshAll()
    const entry = this.#byHash.get(hash)
    if (!entry || !timingSafeEqual(digest, entry.digest)) return null
    return asHolder(entry.listed)
  }

  /** Whether the key is still good. Cheap: meant for every event. */
  isCurrent(id: string): boolean {
    return this.#ids.has(id)
  }

  /** Calls the listener when a key was revoked, on whatever node. Returns how to stop it. */
  onRevoked(listener: (keyId: string) => void): () => void {
    this.#revokedListeners.add(listener)
    return () => void this.#revokedListeners.delete(listener)
  }
  /** Calls the listener when a key was made or revoked here, for whoever tells the other nodes. */
  onChanged(listener: (keyId: string) => void): void {
    this.#changedListeners.add(listener)
  }

  #learn(hash: string, listed: ListedKey): void {
    this.#byHash.set(hash, { digest: Buffer.from(hash, 'hex'), listed })
    this.#ids.add(listed.id)
  }
  #forget(hash: string, id: string): void {
    this.#byHash.delete(hash)
    this.#ids.delete(id)
    this.#unknown.refuse(hash)
    this.#tell(this.#revokedListeners, id)
  }
  #tell(listeners: ReadonlySet<(keyId: string) => void>, id: string): void {
    for (const listener of listeners) listener(id)
  }
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work)
    this.#turn = mine.catch(() => undefined)
    return mine
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
