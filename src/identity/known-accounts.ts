// What one node knows by heart of the accounts, and how it keeps in step with the store, which other nodes write to as well.
import type { AccountId, Tenant } from '../model/ids'
import type { Account, AccountStore } from '../store/account-store'

type Listener = (accountId: AccountId) => void

export class KnownAccounts {
  readonly #store: Pick<AccountStore, 'listAccounts' | 'findAccount' | 'findByUsername'>
  readonly #tenant: Tenant
  readonly #live = new Map<AccountId, Account>()
  readonly #revokedListeners = new Set<Listener>()
  readonly #changedListeners = new Set<Listener>()
  /** Looks that have not begun, so that many who ask for one account are one who reads. */
  readonly #asked = new Map<AccountId, Promise<void>>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(deps: { store: AccountStore; tenant: Tenant }) {
    this.#store = deps.store
    this.#tenant = deps.tenant
  }

  get(id: AccountId): Account | undefined {
    return this.#live.get(id)
  }
  all(): readonly Account[] {
    return [...this.#live.values()]
  }
  /** @param username as accounts are spelled */
  named(username: string): Account | undefined {
    return this.all().find((account) => account.username === username)
  }

  /** Calls the listener when an account's tokens have become void, whoever did it. Returns how to stop it. */
  onRevoked(listener: Listener): () => void {
    this.#revokedListeners.add(listener)
    return () => void this.#revokedListeners.delete(listener)
  }
  /** Calls the listener when an account was made, changed or deleted here. */
  onChanged(listener: Listener): void {
    this.#changedListeners.add(listener)
  }

  /** What was written here, in turn. Null: deleted. */
  wrote(id: AccountId, account: Account | null): void {
    this.#learn(id, account)
    for (const listener of this.#changedListeners) listener(id)
  }
  /** Reads all accounts again and acts on what is different. @throws what the store throws. */
  refreshAll(): Promise<void> {
    return this.inTurn(async () => {
      const found = await this.#store.listAccounts(this.#tenant)
      const ids = new Set(found.map(({ id }) => id))
      for (const id of [...this.#live.keys()]) if (!ids.has(id)) this.#learn(id, null)
      for (const account of found) this.#learn(account.id, account)
    })
  }
  /** Reads one account again and acts on what is different. @throws what the store throws. */
  refresh(id: AccountId): Promise<void> {
    const asked = this.#asked.get(id)
    if (asked) return asked
    const reading = this.inTurn(async () => {
      // Whoever asks from here on may mean something newer.
      this.#asked.delete(id)
      await this.refreshNow(id)
    })
    this.#asked.set(id, reading)
    return reading
  }
  /** For whoever has the turn. Answers what stands in the store. */
  async refreshNow(id: AccountId): Promise<Account | null> {
    const stored = await this.#store.findAccount(this.#tenant, id)
    this.#learn(id, stored)
    return stored
  }
  /** As the store knows it, whether or not this node does: a look that some names are spared would tell them apart. */
  async latest(username: string): Promise<Account | undefined> {
    const stored = await this.#store.findByUsername(this.#tenant, username)
    const known = this.named(username)
    if (stored?.id !== known?.id || stored?.version !== known?.version)
      for (const account of [stored, known]) if (account) await this.refresh(account.id)
    return this.named(username)
  }

  /** One change or look after the other: what was read before a change must not undo it. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work)
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  #learn(id: AccountId, account: Account | null): void {
    const known = this.#live.get(id)
    if (account) this.#live.set(id, account)
    else this.#live.delete(id)
    if (known && known.version !== account?.version) for (const listener of this.#revokedListeners) listener(id)
  }
}
