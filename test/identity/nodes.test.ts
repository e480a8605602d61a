// Accounts and keys on two nodes over one store: what one changes holds on the other, heard of or not.
import { Accounts, type NewAgent } from '../../src/identity/accounts'
import { ApiKeys, type NewKey } from '../../src/identity/keys'
import { Passwords } from '../../src/identity/passwords'
import { Rereading } from '../../src/identity/rereading'
import { Tokens } from '../../src/identity/tokens'
import type { AccountId } from '../../src/model/ids'
import { GatewayError } from '../../src/model/errors'
import type { AccountStore } from '../../src/store/account-store'
import { openMemory } from '../../src/store/open-database'
import { eventually } from '../support/eventually'

const tokens = new Tokens({ secretKeys: ['a secret key that has at least 32 bytes'] })
const passwords = new Passwords({ ln: 8 })
const ADA: NewAgent = { username: 'ada', name: 'Ada', role: 'supervisor', password: 'correct horse' }
const BOB: NewAgent = { username: 'bob', name: 'Bob', role: 'agent', password: 'battery staple' }
const SMS: NewKey = { kind: 'connector', name: 'SMSC', channel: 'sms', account: '' }
const REFUSED = { code: 'unauthorized' }

/** A store that counts what it is asked for, and can be away. */
async function counted() {
  const { accounts: store } = await openMemory({})
  const asked: string[] = []
  const state = { isAway: false }
  const spied = new Proxy(store, {
    get: (target, name) => {
      const own: unknown = Reflect.get(target, name)
      if (typeof own !== 'function') return own
      return (...args: unknown[]): unknown => {
        asked.push(String(name))
        if (state.isAway) return Promise.reject(new GatewayError('unavailable', 'Away.'))
        return Reflect.apply(own, target, args)
      }
    },
  })
  const count = (name: keyof AccountStore) => asked.filter((one) => one === name).length
  return { store: spied, count, state }
}
async function node(store: AccountStore) {
  const accounts = await Accounts.open({ store, tokens, passwords })
  const keys = await ApiKeys.open({ store })
  const revoked: string[] = []
  accounts.onRevoked((id) => revoked.push(id))
  keys.onRevoked((id) => revoked.push(id))
  return { accounts, keys, revoked }
}

describe('an account', () => {
  it('made on one node signs in on another at once, and its token opens every node', async () => {
    const { store } = await counted()
    const [one, two, three] = [await node(store), await node(store), await node(store)]
    const { id } = await one.accounts.create(ADA)
    const { token } = await two.accounts.login('ADA', ADA.password)
    expect(await three.accounts.authenticate(token)).toMatchObject({ accountId: id, version: 1 })
    expect(two.accounts.list()).toHaveLength(1)
  })
  it('changed on one node lets its new token in on another before that has heard of it, and dismisses the old one', async () => {
    const { store } = await counted()
    const [one, two] = [await node(store), await node(store)]
    await one.accounts.create(ADA)
    const { id } = await one.accounts.create(BOB)
    const { token: old } = await two.accounts.login('bob', BOB.password)
    await one.accounts.patch(id, { password: 'staple battery' })
    await expect(two.accounts.login('bob', BOB.password)).rejects.toMatchObject(REFUSED)
    expect(two.revoked).toEqual([id])
    expect(await two.accounts.authenticate(old)).toBeNull()
    const { token } = await one.accounts.login('bob', 'staple battery')
    expect(await two.accounts.authenticate(token)).toMatchObject({ version: 2 })
  })
  it('deleted on one node is void on another as soon as somebody signs in or it is told', async () => {
    const { store } = await counted()
    const [one, two] = [await node(store), await node(store)]
    const { id } = await one.accounts.create(BOB)
    await two.accounts.refreshAll()
    await one.accounts.remove(id)
    await expect(two.accounts.login('bob', BOB.password)).rejects.toMatchObject(REFUSED)
    expect(two.revoked).toEqual([id])
    expect(two.accounts.list()).toEqual([])
  })
  it('is changed and deleted on a node that has not heard of it yet', async () => {
    const { store } = await counted()
    const [one, two] = [await node(store), await node(store)]
    const { id } = await one.accounts.create(BOB)
    expect(await two.accounts.patch(id, { name: 'Robert' })).toMatchObject({ name: 'Robert' })
    await expect(one.accounts.patch(id, { name: 'Rob' })).rejects.toMatchObject({ code: 'conflict' })
    expect(await one.accounts.patch(id, { name: 'Rob' })).toMatchObject({ name: 'Rob' })
    await two.accounts.remove(id)
    await expect(one.accounts.remove(id)).rejects.toMatchObject({ code: 'notFound' })
  })
  it('of the last supervisor stays one when two nodes take away two at once', async () => {
    const { store } = await counted()
    const one = await node(store)
    const ada = await one.accounts.create(ADA)
    const eve = await one.accounts.create({ ...ADA, username: 'eve' })
    const two = await node(store)
    const outcomes = await Promise.allSettled([
      one.accounts.patch(ada.id, { role: 'agent' }),
      two.accounts.patch(eve.id, { disabled: true }),
    ])
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(refused.map(({ reason }) => (reason as GatewayError).message)).toEqual([
      'This is the last supervisor who can sign in. Make another one first.',
    ])
  })
  it('is looked up for every sign-in alike, whether or not there is such a name', async () => {
    const { store, count } = await counted()
    const { accounts } = await node(store)
    await accounts.create(ADA)
    await accounts.login('ada', ADA.password)
    expect(count('findByUsername')).toBe(1)
    await accounts.login('nobody', ADA.password).catch(() => undefined)
    expect([count('findByUsername'), count('findAccount')]).toEqual([2, 0])
  })
})

describe('a key', () => {
  it('made on one node opens another at once', async () => {
    const { store } = await counted()
    const [one, two] = [await node(store), await node(store)]
    const { key, id } = await one.keys.create(SMS)
    expect(await Promise.all([1, 2, 3].map(() => two.keys.authenticate(key)))).toMatchObject([{ id }, { id }, { id }])
    expect(two.keys.isCurrent(id)).toBe(true)
    await two.keys.revoke(id)
    await one.keys.refreshAll()
    expect(one.revoked).toEqual([id])
    expect(await one.keys.authenticate(key)).toBeNull()
  })
  it('that opens nothing is looked up once, and what is not spelled like one never', async () => {
    const { store, count } = await counted()
    const { keys } = await node(store)
    const guess = `flk_${'x'.repeat(43)}`
    for (let i = 0; i < 5; i++) expect(await keys.authenticate(guess)).toBeNull()
    for (const other of ['flk_x', `${guess}x`, 'x'.repeat(47), '']) expect(await keys.authenticate(other)).toBeNull()
    expect(count('findKey')).toBe(1)
  })
  it('is guessed at the price of so many looks in a second, and a good one is not in the way', async () => {
    const { store, count } = await counted()
    const { keys } = await node(store)
    const { key } = await keys.create(SMS)
    const guesses = Array.from({ length: 500 }, (_, i) => keys.authenticate(`flk_${String(i).padStart(43, 'x')}`))
    const refusals = (await Promise.allSettled(guesses)).filter(({ status }) => status === 'rejected')
    expect(refusals.length).toBeGreaterThan(0)
    expect(count('findKey') + refusals.length).toBe(500)
    expect(await keys.authenticate(key)).not.toBeNull()
  })
})

describe('what a node reads again', () => {
  const openReading = async (intervalMs: number) => {
    const { store, count, state } = await counted()
    const [one, two] = [await node(store), await node(store)]
    const ada = await one.accounts.create(ADA)
    const bob = await one.accounts.create(BOB)
    const { id: key } = await one.keys.create(SMS)
    await Promise.all([two.accounts.refreshAll(), two.keys.refreshAll()])
    const faults: unknown[] = []
    const rereading = new Rereading({ ...two, intervalMs, onFault: (cause) => faults.push(cause) })
    return { state, count, one, two, ada, bob, key, rereading, faults }
  }

  it('is what it is told of, by itself', async () => {
    const { one, two, bob, key, rereading, count } = await openReading(1e6)
    const changed: AccountId[] = []
    one.accounts.onChanged((id) => changed.push(id))
    await one.accounts.patch(bob.id, { disabled: true })
    await one.keys.revoke(key)
    expect(changed).toEqual([bob.id])
    const before = count('listAccounts')
    rereading.heard({ what: 'account', id: bob.id })
    rereading.heard({ what: 'key' })
    await eventually(() => two.revoked.length === 2)
    expect([...two.revoked].sort()).toEqual([bob.id, key].sort())
    expect(count('listAccounts')).toBe(before)
    await rereading.close()
  })
  it('is everything now and then: made, changed and deleted, though nobody told', async () => {
    const { one, two, ada, bob, key, rereading } = await openReading(20)
    await one.accounts.patch(ada.id, { name: 'Ada L.' })
    await one.accounts.remove(bob.id)
    await one.accounts.create({ ...BOB, username: 'cy' })
    await one.keys.revoke(key)
    await one.keys.create({ ...SMS, name: 'Next' })
    await eventually(() => two.revoked.length === 3 && two.keys.list()[0]?.name === 'Next')
    expect([...two.revoked].sort()).toEqual([ada.id, bob.id, key].sort())
    expect(two.accounts.list()).toEqual(one.accounts.list())
    await rereading.close()
  })
  it('leaves alone who has not changed, and goes on after a store that did not answer', async () => {
    const { state, two, rereading, faults, one, key, count } = await openReading(10)
    state.isAway = true
    await eventually(() => faults.length > 1)
    state.isAway = false
    const before = count('listAccounts')
    await eventually(() => count('listAccounts') > before + 1)
    expect(two.revoked).toEqual([])
    await one.keys.revoke(key)
    await eventually(() => two.revoked.length === 1)
    await rereading.close()
  })
})
