// Who is calling: one credential, from wherever it may stand, for as long as it is good.
import { Accounts } from '../../src/identity/accounts'
import { connectorByAddress, Credentials, opens, type Presented } from '../../src/identity/credentials'
import { ApiKeys } from '../../src/identity/keys'
import { Passwords } from '../../src/identity/passwords'
import { Tokens } from '../../src/identity/tokens'
import { DEFAULT_TENANT } from '../../src/model/ids'
import { newConversationId, newParticipantId } from '../../src/model/new-id'
import { openMemory } from '../../src/store/open-database'

const ADA = { username: 'ada', name: 'Ada', role: 'supervisor', password: 'correct horse' } as const
const BOB = { username: 'bob', name: 'Bob', role: 'agent', password: 'battery staple' } as const
const UNAUTHORIZED = { code: 'unauthorized' }

async function open() {
  let time = Date.now()
  const tokens = new Tokens({ secretKeys: ['a secret key that has at least 32 bytes'], now: () => new Date(time) })
  const store = (await openMemory({})).accounts
  const accounts = await Accounts.open({ store, tokens, passwords: new Passwords({ ln: 8 }) })
  const keys = await ApiKeys.open({ store })
  const credentials = new Credentials({ tokens, accounts, keys })
  await accounts.create(ADA)
  const bob = await accounts.create(BOB)
  const owner = { tenant: DEFAULT_TENANT, conversationId: newConversationId(), participantId: newParticipantId() }
  return {
    accounts,
    keys,
    credentials,
    bob,
    owner,
    customer: (await tokens.signCustomer(owner)).token,
    staff: (await accounts.login('bob', BOB.password)).token,
    now: () => time,
    pass: (ms: number) => (time += ms),
    resolve: (presented: Presented, query = true) => credentials.resolve(presented, { query }),
  }
}
let house: Awaited<ReturnType<typeof open>>
beforeAll(async () => (house = await open()))

describe('a credential', () => {
  it('may be missing', async () => {
    for (const nothing of [{}, { auth: null, query: '', authorization: undefined, key: [] }])
      expect(await house.resolve(nothing)).toEqual({ kind: 'anonymous' })
  })
  it('may stand in auth, in the header, and where it is allowed in the query', async () => {
    const { customer: token, owner } = house
    for (const presented of [
      { auth: token },
      { auth: `Bearer ${token}` },
      { authorization: `bearer ${token}` },
      { query: token },
      { query: [token, token], auth: token, authorization: `Bearer ${token}` },
    ])
      expect(await house.resolve(presented)).toMatchObject({ kind: 'customer', ...owner })
  })
  it('in the query is not looked at where it is not allowed', async () => {
    expect(await house.resolve({ query: house.customer }, false)).toEqual({ kind: 'anonymous' })
  })
  it('is refused when another one contradicts it', async () => {
    await expect(house.resolve({ auth: house.customer, query: house.staff })).rejects.toMatchObject(UNAUTHORIZED)
    await expect(house.resolve({ query: [house.customer, 'other'] })).rejects.toMatchObject(UNAUTHORIZED)
  })
  it('is refused when it is junk, in any shape, with one sentence', async () => {
    const sentences = new Set<string>()
    for (const auth of [
      'junk',
      ['junk'],
      'a.b.c',
      7,
      { a: 1 },
      true,
      'x'.repeat(5_000),
      ['junk', {}],
      `${house.staff}x`,
    ])
      await house.resolve({ auth }).catch((cause: unknown) => {
        expect(cause).toMatchObject(UNAUTHORIZED)
        sentences.add((cause as Error).message)
      })
    expect(sentences.size).toBe(1)
    expect([...sentences].join()).not.toContain('junk')
  })
  it('may stand eight times in one place, and in no list within a list', async () => {
    const { customer } = house
    const times = (count: number): unknown[] => Array.from({ length: count }, () => customer)
    for (const auth of [times(8), ['', null, customer]])
      expect(await house.resolve({ auth })).toMatchObject({ kind: 'customer' })
    const deep: unknown = JSON.parse(`${'['.repeat(1_000)}"${customer}"${']'.repeat(1_000)}`)
    for (const auth of [times(9), times(250_000), [[customer]], deep])
      await expect(house.resolve({ auth })).rejects.toMatchObject(UNAUTHORIZED)
  })
  it('of another scheme is left to the proxy that asked for it', async () => {
    expect(await house.resolve({ authorization: 'Basic dTpw' })).toEqual({ kind: 'anonymous' })
  })
  it('of the staff never stands in a query, not even beside itself', async () => {
    const { staff, bob } = house
    expect(await house.resolve({ authorization: `Bearer ${staff}` })).toMatchObject({
      kind: 'staff',
      accountId: bob.id,
      name: 'Bob',
      role: 'agent',
    })
    await expect(house.resolve({ query: staff })).rejects.toMatchObject(UNAUTHORIZED)
    await expect(house.resolve({ query: staff, auth: staff })).rejects.toMatchObject(UNAUTHORIZED)
  })
  it.each(['connector', 'thirdParty', 'bot'] as const)('may be the key of a %s', async (kind) => {
    const { key, id } = await house.keys.create({ kind, name: 'K', channel: 'sms', account: '', dailyQuota: 5 })
    const expected = { kind, keyId: id, tenant: DEFAULT_TENANT, name: 'K', channel: 'sms', account: '' }
    const caller = await house.resolve({ key })
    expect(caller).toEqual(kind === 'thirdParty' ? { ...expected, dailyQuota: 5, prefixes: [] } : expected)
    expect(await house.resolve({ query: key, auth: key })).toEqual(caller)
  })
})

describe('a caller', () => {
  it('stays valid until its token ends', async () => {
    const { credentials, pass, now, ...mine } = await open()
    const customer = await mine.resolve({ auth: mine.customer })
    const staff = await mine.resolve({ auth: mine.staff })
    pass(12 * 3_600_000 - 1_000)
    expect([customer, staff].map((caller) => credentials.stillValid(caller, now()))).toEqual([true, true])
    pass(61_000)
    expect([customer, staff].map((caller) => credentials.stillValid(caller, now()))).toEqual([true, false])
    pass(12 * 3_600_000)
    expect(credentials.stillValid(customer, now())).toBe(false)
    expect(credentials.stillValid({ kind: 'anonymous' }, now())).toBe(true)
  })
  it('is no longer valid once the account was changed or the key revoked', async () => {
    const { credentials, accounts, keys, bob, now, ...mine } = await open()
    const staff = await mine.resolve({ auth: mine.staff })
    const { key, id } = await keys.create({ kind: 'connector', name: '', channel: 'sms', account: '' })
    const connector = await mine.resolve({ key })
    expect([staff, connector].map((caller) => credentials.stillValid(caller, now()))).toEqual([true, true])
    await accounts.patch(bob.id, { disabled: true })
    await keys.revoke(id)
    expect([staff, connector].map((caller) => credentials.stillValid(caller, now()))).toEqual([false, false])
  })
  it('that is trusted for its address has no key that could be revoked', () => {
    expect(house.credentials.stillValid(connectorByAddress(DEFAULT_TENANT, 'sms', ''), house.now())).toBe(true)
  })
})

describe('the scope of a key', () => {
  it('is its channel, and its account if it names one', () => {
    expect(opens({ channel: 'sms', account: '' }, 'sms', '+49')).toBe(true)
    expect(opens({ channel: 'sms', account: '+49' }, 'sms', '+49')).toBe(true)
    expect(opens({ channel: 'sms', account: '+49' }, 'sms', '')).toBe(false)
    expect(opens({ channel: 'sms', account: '' }, 'whatsapp', '')).toBe(false)
  })
})
