// Staff accounts: signing in, the supervisors' changes, and how soon a change is felt.
import { scryptSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Accounts, type NewAgent } from '../../src/identity/accounts'
import { keptSecret } from '../../src/identity/kept-secret'
import { Passwords } from '../../src/identity/passwords'
import { Tokens } from '../../src/identity/tokens'
import { type AccountId, DEFAULT_TENANT } from '../../src/model/ids'
import type { AccountStore } from '../../src/store/account-store'
import { openMemory } from '../../src/store/open-database'

const tokens = new Tokens({ secretKeys: ['a secret key that has at least 32 bytes'] })
const passwords = new Passwords({ ln: 8 })
const ADA: NewAgent = { username: 'Ada', name: 'Ada L.', role: 'supervisor', password: 'correct horse' }
const BOB: NewAgent = { username: 'bob', name: 'Bob', role: 'agent', password: 'battery staple' }

async function open(kept?: AccountStore) {
  const store = kept ?? (await openMemory({})).accounts
  const accounts = await Accounts.open({ store, tokens, passwords })
  const revoked: AccountId[] = []
  accounts.onRevoked((id) => revoked.push(id))
  return { accounts, store, revoked }
}

describe('signing in', () => {
  it('answers a token that says who it is', async () => {
    const { accounts } = await open()
    const { id } = await accounts.create(ADA)
    const { token, agent } = await accounts.login(' ADA ', ADA.password)
    expect(agent).toEqual({ id, name: 'Ada L.', role: 'supervisor' })
    expect(await accounts.authenticate(token)).toMatchObject({
      accountId: id,
      tenant: DEFAULT_TENANT,
      name: 'Ada L.',
      role: 'supervisor',
      version: 1,
    })
  })

  it('fails with the same sentence for an unknown name, a wrong password and a disabled account', async () => {
    const { accounts } = await open()
    await accounts.create(ADA)
    const bob = await accounts.create(BOB)
    await accounts.patch(bob.id, { disabled: true })
    const refusals = await Promise.allSettled([
      accounts.login('nobody', 'correct horse'),
      accounts.login('ada', 'wrong horse!'),
      accounts.login('bob', BOB.password),
      accounts.login('ada', 'x'.repeat(1e6)),
    ])
    const reasons = refusals.map((refusal) => (refusal as PromiseRejectedResult).reason as Error)
    expect(reasons.map(({ message }) => message)).toEqual(Array(4).fill(reasons[0]?.message))
    for (const reason of reasons) expect(reason).toMatchObject({ code: 'unauthorized' })
  })

  it('fails when the account is changed or deleted while its password is hashed', async () => {
    const { accounts } = await open()
    await accounts.create(ADA)
    const { id } = await accounts.create(BOB)
    const slow = accounts.login('bob', BOB.password)
    await accounts.remove(id)
    await expect(slow).rejects.toMatchObject({ code: 'unauthorized' })
  })

  it('renews a hash of another cost without asking', async () => {
    const { accounts, store } = await open()
    const { id } = await accounts.create(ADA)
    const account = (await store.findAccount(DEFAULT_TENANT, id))!
    // scrypt of 'correct horse' at a sixteenth of the cost
    const salt = Buffer.alloc(16, 7)
    const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
    const cheap = `$scrypt$ln=11,r=8,p=1$${unpadded(salt)}$${unpadded(scryptSync(ADA.password, salt, 32, { N: 2 ** 11, r: 8 }))}`
    await store.updateAccount({ ...account, passwordHash: cheap, version: 2 })
    const { accounts: later } = await open(store)
    const { token } = await later.login('ada', ADA.password)
    expect((await store.findAccount(DEFAULT_TENANT, id))?.passwordHash).toMatch(/^\$scrypt\$ln=8,/)
    expect(await later.authenticate(token)).not.toBeNull()
    expect(await later.authenticate((await later.login('ada', ADA.password)).token)).not.toBeNull()
  })
})

describe('a supervisor', () => {
  it('makes, lists, changes and removes accounts, and never sees a hash', async () => {
    const { accounts } = await open()
    const ada = await accounts.create(ADA)
    const bob = await accounts.create(BOB)
    expect(accounts.list()).toEqual([ada, bob])
    expect(JSON.stringify(accounts.list())).not.toContain('scrypt')
    expect(await accounts.patch(bob.id, { name: 'Robert', role: 'supervisor' })).toEqual({
      ...bob,
      name: 'Robert',
      role: 'supervisor',
    })
    await accounts.remove(bob.id)
    expect(accounts.list()).toEqual([ada])
  })

  it('cannot take a name twice, whatever its capitals', async () => {
    const { accounts } = await open()
    await accounts.create(ADA)
    await expect(accounts.create({ ...BOB, username: 'aDa' })).rejects.toMatchObject({ code: 'conflict' })
  })

  it('is told about poor passwords and unknown accounts', async () => {
    const { accounts } = await open()
    const refused = { code: 'invalidRequest', details: ['password'] }
    await expect(accounts.create({ ...ADA, password: 'short' })).rejects.toMatchObject(refused)
    const { id } = await accounts.create(ADA)
    await expect(accounts.patch(id, { password: 'x'.repeat(257) })).rejects.toMatchObject(refused)
    await expect(accounts.patch('gone' as AccountId, {})).rejects.toMatchObject({ code: 'notFound' })
    await expect(accounts.remove('gone' as AccountId)).rejects.toMatchObject({ code: 'notFound' })
  })

  it.each([{ name: 'Bert' }, { role: 'supervisor' as const }, { password: 'another password' }, { disabled: true }])(
    'voids the older tokens with %j, at once and also after a restart',
    async (change) => {
      const { accounts, store, revoked } = await open()
      await accounts.create(ADA)
      const { id } = await accounts.create(BOB)
      const { token } = await accounts.login('bob', BOB.password)
      expect(accounts.isCurrent(id, 1)).toBe(true)
      await accounts.patch(id, change)
      expect(accounts.isCurrent(id, 1)).toBe(false)
      expect(await accounts.authenticate(token)).toBeNull()
      expect(revoked).toEqual([id])
      expect(await (await open(store)).accounts.authenticate(token)).toBeNull()
    },
  )

  it('voids the tokens of whom it removes', async () => {
    const { accounts, revoked } = await open()
    await accounts.create(ADA)
    const { id } = await accounts.create(BOB)
    const { token } = await accounts.login('bob', BOB.password)
    await accounts.remove(id)
    expect(await accounts.authenticate(token)).toBeNull()
    expect(revoked).toEqual([id])
  })

  it('changes nothing by a change that is none', async () => {
    const { accounts, revoked } = await open()
    const { id } = await accounts.create(ADA)
    await accounts.patch(id, { name: 'Ada L.', disabled: false })
    expect(accounts.isCurrent(id, 1)).toBe(true)
    expect(revoked).toEqual([])
  })

  it('is told when the row was changed behind its back', async () => {
    const { accounts, store } = await open()
    const { id } = await accounts.create(ADA)
    await store.updateAccount({ ...(await store.findAccount(DEFAULT_TENANT, id))!, version: 2 })
    await expect(accounts.patch(id, { name: 'Other' })).rejects.toMatchObject({ code: 'conflict' })
  })
})

describe('the last enabled supervisor', () => {
  it('cannot be disabled, demoted or removed', async () => {
    const { accounts } = await open()
    const ada = await accounts.create(ADA)
    const other = await accounts.create({ ...BOB, role: 'supervisor' })
    await accounts.patch(other.id, { disabled: true })
    for (const attempt of [
      () => accounts.patch(ada.id, { disabled: true }),
      () => accounts.patch(ada.id, { role: 'agent' }),
      () => accounts.remove(ada.id),
    ])
      await expect(attempt()).rejects.toMatchObject({ code: 'conflict' })
    await accounts.patch(ada.id, { name: 'Still here' })
    await accounts.remove(other.id)
  })

  it('stays even when two demote each other at the same time', async () => {
    const { accounts } = await open()
    const ada = await accounts.create(ADA)
    const bob = await accounts.create({ ...BOB, role: 'supervisor' })
    const done = await Promise.allSettled([
      accounts.patch(ada.id, { role: 'agent' }),
      accounts.patch(bob.id, { role: 'agent' }),
    ])
    expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  })
})

describe('the first supervisor', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-accounts-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const admin = { username: 'Root', password: 'correct horse' }

  it('is made from the settings once, and later left alone', async () => {
    const { accounts, store } = await open()
    expect(await accounts.ensureFirstSupervisor(admin, folder)).toEqual({ kind: 'made', username: 'Root' })
    expect((await accounts.login('root', admin.password)).agent.role).toBe('supervisor')
    const { accounts: later } = await open(store)
    expect(await later.ensureFirstSupervisor(admin, folder)).toEqual({ kind: 'present', passwordDiffers: false })
    const other = { ...admin, password: 'another password' }
    expect(await later.ensureFirstSupervisor(other, folder)).toEqual({ kind: 'present', passwordDiffers: true })
    await expect(later.login('root', other.password)).rejects.toMatchObject({ code: 'unauthorized' })
  })

  it('is made once by nodes that start at the same moment', async () => {
    const { accounts, store } = await open()
    const { accounts: neighbour } = await open(store)
    const made = await Promise.all([accounts, neighbour].map((node) => node.ensureFirstSupervisor(admin, folder)))
    expect(made.map(({ kind }) => kind).sort()).toEqual(['made', 'present'])
    expect(await store.listAccounts(DEFAULT_TENANT)).toHaveLength(1)
  })
  it('is made without settings, its password kept where only the owner reads it', async () => {
    const { accounts, store } = await open()
    const made = await accounts.ensureFirstSupervisor(null, join(folder, 'new'))
    if (made.kind !== 'generated') throw new Error(made.kind)
    expect(made.password).toMatch(/^[\w-]{24}$/)
    expect(readFileSync(made.file, 'utf8').trim()).toBe(made.password)
    expect(statSync(made.file).mode & 0o777).toBe(0o600)
    await accounts.login(made.username, made.password)
    const again = await (await open(store)).accounts.ensureFirstSupervisor(null, join(folder, 'new'))
    expect(again).toEqual({ kind: 'present', passwordDiffers: false })
    // Another database in the same folder: the kept password still opens.
    const { accounts: fresh } = await open()
    expect(await fresh.ensureFirstSupervisor(null, join(folder, 'new'))).toEqual(made)
  })

  it('shares its folder with the secret key that the gateway makes for itself', async () => {
    const file = join(folder, 'secret-key')
    const secret = await keptSecret(file)
    expect(Buffer.byteLength(secret)).toBeGreaterThanOrEqual(32)
    expect(await keptSecret(file)).toBe(secret)
  })
})
