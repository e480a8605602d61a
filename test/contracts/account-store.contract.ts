// What every account store must do.
import { newAccountId, newId } from '../../src/model/new-id'
import type { Account, ApiKey } from '../../src/store/account-store'
import type { OpenDatabase, TestDatabase } from '../support/databases'
import { tenant } from '../support/log-fixtures'

const account = (username: string, more: Partial<Account> = {}): Account => ({
  id: newAccountId(),
  tenant,
  username,
  name: 'Bo',
  role: 'agent',
  passwordHash: 'hash',
  disabled: false,
  version: 1,
  createdAt: '2030-01-01T00:00:00.000Z',
  ...more,
})
const apiKey = (more: Partial<ApiKey> = {}): ApiKey => ({
  id: newId(),
  tenant,
  kind: 'connector',
  name: 'SMSC',
  channel: 'sms',
  account: '+1000',
  hash: 'ab',
  dailyQuota: null,
  prefixes: ['+49', '+43'],
  createdAt: '2030-01-01T00:00:00.000Z',
  ...more,
})

export function accountStoreContract(name: string, openDatabase: OpenDatabase): void {
  describe(`account store: ${name}`, () => {
    let under: TestDatabase
    beforeEach(async () => {
      under = await openDatabase()
    })
    afterEach(() => under.close())
    const store = () => under.database.accounts

    it('gives back an account as it was created, by id and by username in any case', async () => {
      const bo = account('Bo.Ängström')
      expect(await store().createAccount(bo)).toBe(true)
      expect(await store().findAccount(tenant, bo.id)).toEqual(bo)
      expect(await store().findByUsername(tenant, 'bo.äNGSTRÖM')).toEqual(bo)
      expect(await store().findByUsername(tenant, 'nobody')).toBeNull()
    })
    it('refuses a username that is taken, in any case', async () => {
      await store().createAccount(account('bo'))
      expect(await store().createAccount(account('BO'))).toBe(false)
      expect(await store().createAccount(account('BO', { tenant: 'other' as typeof tenant }))).toBe(true)
      expect(await store().listAccounts(tenant)).toHaveLength(1)
    })
    it('lets one of several concurrent creations of a username win', async () => {
      const outcomes = await Promise.all(Array.from({ length: 5 }, () => store().createAccount(account('bo'))))
      expect(outcomes.filter(Boolean)).toHaveLength(1)
    })
    it('lists the accounts of its tenant by username', async () => {
      for (const username of ['cy', 'Ann', 'bo']) await store().createAccount(account(username))
      expect((await store().listAccounts(tenant)).map(({ username }) => username)).toEqual(['Ann', 'bo', 'cy'])
      expect(await store().listAccounts('other' as typeof tenant)).toEqual([])
    })
    it('replaces an account only from the version below', async () => {
      const bo = account('bo')
      await store().createAccount(bo)
      const next = { ...bo, name: 'Bo B.', disabled: true, version: 2 }
      expect(await store().updateAccount(next)).toBe(true)
      expect(await store().updateAccount({ ...next, name: 'stale' })).toBe(false)
      expect(await store().findAccount(tenant, bo.id)).toEqual(next)
      expect(await store().updateAccount({ ...account('nobody'), version: 2 })).toBe(false)
    })
    it('does not rename an account to a username that is taken', async () => {
      const bo = account('bo')
      await store().createAccount(bo)
      await store().createAccount(account('cy'))
      expect(await store().updateAccount({ ...bo, username: 'CY', version: 2 })).toBe(false)
      expect(await store().updateAccount({ ...bo, username: 'BO', version: 2 })).toBe(true)
    })
    it('deletes an account once', async () => {
      const bo = account('bo')
      await store().createAccount(bo)
      expect(await store().deleteAccount('other' as typeof tenant, bo.id)).toBe(false)
      expect(await store().deleteAccount(tenant, bo.id)).toBe(true)
      expect(await store().deleteAccount(tenant, bo.id)).toBe(false)
      expect(await store().findAccount(tenant, bo.id)).toBeNull()
    })
    it('keeps the last enabled supervisor, however many are demoted, disabled and deleted at once', async () => {
      const chiefs = ['ann', 'bo', 'cy', 'di'].map((username) => account(username, { role: 'supervisor' }))
      for (const chief of chiefs) await store().createAccount(chief)
      await store().createAccount(account('gone', { role: 'supervisor', disabled: true }))
      const [ann, bo, cy, di] = chiefs as [Account, Account, Account, Account]
      const outcomes = await Promise.all([
        store().updateAccount({ ...ann, role: 'agent', version: 2 }),
        store().updateAccount({ ...bo, disabled: true, version: 2 }),
        store().deleteAccount(tenant, cy.id),
        store().deleteAccount(tenant, di.id),
      ])
      expect(outcomes.filter(Boolean)).toHaveLength(3)
      const left = (await store().listAccounts(tenant)).filter((a) => a.role === 'supervisor' && !a.disabled)
      expect(left).toHaveLength(1)
      expect(await store().deleteAccount(tenant, left[0]!.id)).toBe(false)
      expect(await store().updateAccount({ ...left[0]!, name: 'Chief', version: 2 })).toBe(true)
      expect(await store().createAccount(account('new', { role: 'supervisor' }))).toBe(true)
      expect(await store().deleteAccount(tenant, left[0]!.id)).toBe(true)
    })

    it('gives back keys as they were created, oldest first', async () => {
      const first = apiKey({ dailyQuota: 5 })
      const second = apiKey({ createdAt: '2030-01-02T00:00:00.000Z', prefixes: [] })
      await store().createKey(second)
      await store().createKey(first)
      expect(await store().listKeys(tenant)).toEqual([first, second])
    })
    it('finds a key by its hash', async () => {
      const first = apiKey({ hash: 'cd' })
      await store().createKey(apiKey())
      await store().createKey(first)
      expect(await store().findKey(tenant, 'cd')).toEqual(first)
      expect(await store().findKey(tenant, 'ef')).toBeNull()
      expect(await store().findKey('other' as typeof tenant, 'cd')).toBeNull()
    })
    it('allows two keys in a scope, so that one can replace the other, and no third', async () => {
      const outcomes = await Promise.all(Array.from({ length: 4 }, () => store().createKey(apiKey())))
      expect(outcomes.filter(Boolean)).toHaveLength(2)
      expect(await store().createKey(apiKey({ account: '+2000' }))).toBe(true)
      expect(await store().createKey(apiKey({ kind: 'bot' }))).toBe(true)
    })
    it('makes room when a key is deleted', async () => {
      const first = apiKey()
      await store().createKey(first)
      await store().createKey(apiKey())
      expect(await store().deleteKey(tenant, first.id)).toBe(true)
      expect(await store().deleteKey(tenant, first.id)).toBe(false)
      expect(await store().createKey(apiKey())).toBe(true)
    })
  })
}
