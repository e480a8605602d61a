// Who may sign in as staff: sign-in, the supervisors' changes, and whether a token still speaks for its account.
import { join } from 'node:path'
import { GatewayError } from '../model/errors'
import { type AccountId, DEFAULT_TENANT, type Tenant } from '../model/ids'
import { newAccountId } from '../model/new-id'
import type { Account, AccountStore } from '../store/account-store'
import { keptSecret } from './kept-secret'
import { KnownAccounts } from './known-accounts'
import type { Passwords } from './passwords'
import type { Tokens } from './tokens'

export type StaffRole = Account['role']
/** An account as supervisors see it. */
export interface Agent {
  readonly id: AccountId
  readonly username: string
  readonly name: string
  readonly role: StaffRole
  readonly disabled: boolean
  readonly createdAt: string
}
export interface NewAgent {
  readonly username: string
  readonly name: string
  readonly role: StaffRole
  readonly password: string
}
export interface AgentChange {
  readonly name?: string | undefined
  readonly role?: StaffRole | undefined
  readonly password?: string | undefined
  readonly disabled?: boolean | undefined
}
/** A member of the staff whose token was found good. */
export interface SignedIn {
  readonly tenant: Tenant
  readonly accountId: AccountId
  readonly name: string
  readonly role: StaffRole
  readonly version: number
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}
/** What became of the first supervisor at start. */
export type FirstSupervisor =
  /** It was there. `passwordDiffers`: ADMIN_PASSWORD is not its password (any more), and nothing was changed. */
  | { readonly kind: 'present'; readonly passwordDiffers: boolean }
  | { readonly kind: 'made'; readonly username: string }
  /** Made without anybody's wish, outside production: to be printed once. */
  | { readonly kind: 'generated'; readonly username: string; readonly password: string; readonly file: string }

export interface AccountsDeps {
  readonly store: AccountStore
  readonly tokens: Tokens
  readonly passwords: Passwords
  readonly tenant?: Tenant
  readonly now?: () => Date
}

const MIN_PASSWORD = 12
const MAX_PASSWORD = 256
const GENERATED_USERNAME = 'admin'

/**
 * The accounts of one tenant. It knows their live state by heart, so that every event of a socket can be checked; what
 * other nodes change is read again when it is told of, or when somebody comes with something newer.
 */
export class Accounts {
  readonly #deps: AccountsDeps
  readonly #tenant: Tenant
  readonly #known: KnownAccounts

  private constructor(deps: AccountsDeps) {
    this.#deps = deps
    this.#tenant = deps.tenant ?? DEFAULT_TENANT
    this.#known = new KnownAccounts({ store: deps.store, tenant: this.#tenant })
  }

  /** Reads all accounts. @throws what the store throws. */
  static async open(deps: AccountsDeps): Promise<Accounts> {
    const accounts = new Accounts(deps)
    await accounts.refreshAll()
    return accounts
  }

  /** Reads all accounts again and acts on what is different. @throws what the store throws. */
  refreshAll(): Promise<void> {
    return this.#known.refreshAll()
  }
  /** Reads one account again and acts on what is different. @throws what the store throws. */
  refresh(id: AccountId): Promise<void> {
    return this.#known.refresh(id)
  }

  /**
   * Sees to it that somebody can sign in. An account that is there is never changed: whoever lost its password sets
   * another `ADMIN_USER`. Nodes that start at the same moment make one account between them.
   * @param admin as the operator set it; null, outside production: one is made when there is no supervisor, and its
   *   password kept in `dataDir`
   */
  async ensureFirstSupervisor(
    admin: { username: string; password: string } | null,
    dataDir: string,
  ): Promise<FirstSupervisor> {
    try {
      return await this.#findOrMakeFirst(admin, dataDir)
    } catch (cause) {
      if (!(cause instanceof GatewayError && cause.code === 'conflict')) throw cause
      // Another node was faster: its account is there by now.
      await this.refreshAll()
      return this.#findOrMakeFirst(admin, dataDir)
    }
  }
  async #findOrMakeFirst(
    admin: { username: string; password: string } | null,
    dataDir: string,
  ): Promise<FirstSupervisor> {
    if (admin) {
      const present = this.#known.named(spelled(admin.username))
      if (present) {
        const same = await this.#deps.passwords.verify(admin.password, present.passwordHash)
        return { kind: 'present', passwordDiffers: !same }
      }
      await this.create({ ...admin, name: admin.username, role: 'supervisor' })
      return { kind: 'made', username: admin.username }
    }
    if (this.#known.all().some(isEnabledSupervisor)) return { kind: 'present', passwordDiffers: false }
    const file = join(dataDir, 'supervisor-password')
    const first = { username: GENERATED_USERNAME, password: await keptSecret(file, 18) }
    await this.create({ ...first, name: 'Supervisor', role: 'supervisor' })
    return { kind: 'generated', ...first, file }
  }

  /**
   * Signs somebody in for 12 h.
   * @throws GatewayError `unauthorized`, with one sentence and after the same work whatever the cause;
   *   `tooManyRequests` when too many sign in at once; what the store throws
   */
  async login(
    username: string,
    password: string,
  ): Promise<{ token: string; agent: Pick<Agent, 'id' | 'name' | 'role'> }> {
    const account = await this.#known.latest(spelled(username))
    const right = await this.#deps.passwords.verify(password.slice(0, MAX_PASSWORD + 1), account?.passwordHash ?? null)
    // Looked up again: it may have been changed or deleted while the password was hashed.
    if (!account || !right || !this.isCurrent(account.id, account.version))
      throw new GatewayError('unauthorized', 'This username and password do not open an account. Check both.')
    const { id, name, role, version } = await this.#rehashed(account, password)
    const { token } = await this.#deps.tokens.signStaff({ tenant: this.#tenant, accountId: id, role, version })
    return { token, agent: { id, name, role } }
  }

  /**
   * Whom a staff token speaks for now; null when the token is void or its account changed since. One that another node
   * gave for a change that is not known here yet is looked into, for nobody can write one.
   * @throws what the store throws
   */
  async authenticate(token: string): Promise<SignedIn | null> {
    const claims = await this.#deps.tokens.verifyStaff(token)
    if (claims?.tenant !== this.#tenant) return null
    if (claims.version > (this.#known.get(claims.accountId)?.version ?? 0)) await this.refresh(claims.accountId)
    if (!this.isCurrent(claims.accountId, claims.version)) return null
    const account = this.#known.get(claims.accountId)
    return account ? { ...claims, name: account.name, role: account.role } : null
  }

  /** Whether the account is enabled and unchanged since that version. Cheap: meant for every event. */
  isCurrent(accountId: AccountId, version: number): boolean {
    const account = this.#known.get(accountId)
    return account !== undefined && !account.disabled && account.version === version
  }

  /** Calls the listener when an account's tokens have become void, whoever did it. Returns how to stop it. */
  onRevoked(listener: (accountId: AccountId) => void): () => void {
    return this.#known.onRevoked(listener)
  }
  /** Calls the listener when an account was made, changed or deleted here, for whoever tells the other nodes. */
  onChanged(listener: (accountId: AccountId) => void): void {
    this.#known.onChanged(listener)
  }

  list(): readonly Agent[] {
    return this.#known
      .all()
      .map(asAgent)
      .sort((a, b) => (a.username < b.username ? -1 : 1))
  }

  /** @throws GatewayError `conflict` when the username is taken, `invalidRequest` for a poor password. */
  async create({ username, name, role, password }: NewAgent): Promise<Agent> {
    checkPassword(password)
    const passwordHash = await this.#deps.passwords.hash(password)
    return this.#known.inTurn(async () => {
      const account: Account = {
        id: newAccountId(),
        tenant: this.#tenant,
        username: spelled(username),
        name,
        role,
        passwordHash,
        disabled: false,
        version: 1,
        createdAt: this.#at().toISOString(),
      }
      if (!(await this.#deps.store.createAccount(account)))
        throw new GatewayError('conflict', 'This username is taken. Choose another.', { details: ['username'] })
      this.#known.wrote(account.id, account)
      return asAgent(account)
    })
  }

  /**
   * Changes an account. Every real change voids its tokens and closes its sockets.
   * @throws GatewayError `notFound`; `conflict` for the last enabled supervisor, or when somebody else was faster;
   *   `invalidRequest` for a poor password
   */
  async patch(id: AccountId, { password, ...change }: AgentChange): Promise<Agent> {
    await this.#find(id)
    if (password !== undefined) checkPassword(password)
    const passwordHash = password === undefined ? undefined : await this.#deps.passwords.hash(password)
    return this.#known.inTurn(async () => {
      const before = this.#present(id)
      const after: Account = {
        ...before,
        name: change.name ?? before.name,
        role: change.role ?? before.role,
        disabled: change.disabled ?? before.disabled,
        passwordHash: passwordHash ?? before.passwordHash,
      }
      if (isSame(before, after)) return asAgent(before)
      return asAgent(await this.#replace(after))
    })
  }

  /** @throws GatewayError `notFound`; `conflict` for the last enabled supervisor. */
  async remove(id: AccountId): Promise<void> {
    await this.#find(id)
    await this.#known.inTurn(async () => {
      if (await this.#deps.store.deleteAccount(this.#tenant, id)) this.#known.wrote(id, null)
      else throw (await this.#known.refreshNow(id)) ? lastSupervisor() : noSuchAccount()
    })
  }

  /** Today's cost for yesterday's hash. It voids older tokens like any change, so it happens once per account. */
  async #rehashed(account: Account, password: string): Promise<Account> {
    if (!this.#deps.passwords.needsRehash(account.passwordHash)) return account
    const passwordHash = await this.#deps.passwords.hash(password)
    return this.#known.inTurn(async () => {
      const now = this.#present(account.id)
      return now.version === account.version ? this.#replace({ ...now, passwordHash }) : now
    })
  }

  async #replace(change: Account): Promise<Account> {
    const account = { ...change, version: change.version + 1 }
    if (!(await this.#deps.store.updateAccount(account))) {
      const stored = await this.#known.refreshNow(account.id)
      if (stored?.version === change.version) throw lastSupervisor()
      throw new GatewayError('conflict', 'Somebody else changed this account just now. Look again and repeat.')
    }
    this.#known.wrote(account.id, account)
    return account
  }

  /** Another node may have made it just now. */
  async #find(id: AccountId): Promise<void> {
    if (!this.#known.get(id)) await this.refresh(id)
    this.#present(id)
  }
  #present(id: AccountId): Account {
    const account = this.#known.get(id)
    if (!account) throw noSuchAccount()
    return account
  }
  #at(): Date {
    return this.#deps.now?.() ?? new Date()
  }
}

const noSuchAccount = (): GatewayError =>
  new GatewayError('notFound', 'There is no such account. List the accounts to find its id.')
const lastSupervisor = (): GatewayError =>
  new GatewayError('conflict', 'This is the last supervisor who can sign in. Make another one first.')

/** Usernames differ by more than their capitals. */
const spelled = (username: string): string => username.trim().normalize('NFKC').toLowerCase()

function checkPassword(password: string): void {
  if (password.length < MIN_PASSWORD || password.length > MAX_PASSWORD)
    throw new GatewayError('invalidRequest', `A password has ${MIN_PASSWORD} to ${MAX_PASSWORD} characters.`, {
      details: ['password'],
    })
}
const isEnabledSupervisor = ({ role, disabled }: Account): boolean => role === 'supervisor' && !disabled
const isSame = (a: Account, b: Account): boolean =>
  a.name === b.name && a.role === b.role && a.disabled === b.disabled && a.passwordHash === b.passwordHash

const asAgent = ({ id, username, name, role, disabled, createdAt }: Account): Agent => ({
  id,
  username,
  name,
  role,
  disabled,
  createdAt,
})
