// §1: the handle, messaging channels, request ids, and what an error looks like.
import { CONNECTOR_KEY } from '../../../support/gateway'
import { carrier, texter } from '../../../support/carrier'
import { TestClock } from '../../../support/databases'
import { agentIn, connect, customer, init, joining, login, pictureOf, post, request } from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const clock = new TestClock()
const gateway = withGateway({}, { now: clock.now })
const start = (body: unknown, token?: string) => post(gateway.url, '/api/customer/init', body, token)

describe('§1 the handle', () => {
  it('is the participant.id of the answer, and joins as that customer', async () => {
    const started = await init(gateway.url)
    const someone = await connect(gateway.url)
    expect(await someone.call('joinConversation', joining(started))).toMatchObject({ code: 200, role: 'customer' })
  })
  it('everybody else sees another, public id, which join refuses with the 404 of what is unknown', async () => {
    const ann = await customer(gateway.url)
    const bo = await agentIn(gateway.url, ann.conversationId, await login(gateway.url))
    const { participants } = await pictureOf(bo)
    expect(JSON.stringify(bo.heard)).not.toContain(ann.participant.id)
    const { id } = participants.find(({ type }) => type === 'Customer')!
    const thief = await connect(gateway.url)
    const { conversationId } = ann
    const refused = await thief.call('joinConversation', { conversationId, id })
    expect(refused).toMatchObject({ code: 404 })
    expect(refused).toEqual(await thief.call('joinConversation', { conversationId: 'A'.repeat(22), id }))
  })
  it('stands where its own id stands, for the socket that joined with it', async () => {
    const ann = await customer(gateway.url)
    const info = await pictureOf(ann)
    const mine = { id: ann.participant.id, name: 'Ann', type: 'Customer' }
    expect(info).toMatchObject({ participants: [mine], participant: [mine] })
    expect(info.messages).toMatchObject([{ from: mine, info: { participant: mine } }])
  })
  it('conversation ids hold 128 bits and are never 20 characters long', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => init(gateway.url)))
    for (const { conversationId } of ids) expect(conversationId).toMatch(/^[\w-]{22}$/)
    expect(new Set(ids.map(({ conversationId }) => conversationId)).size).toBe(20)
  })
})

describe('§1 messaging channels', () => {
  it('on `web` anybody may init, and each init is a new conversation, also for one claimed phone', async () => {
    const [one, two] = await Promise.all(
      [1, 2].map(() => init(gateway.url, { phone: '+923001234567', refId: undefined })),
    )
    expect(one!.conversationId).not.toBe(two!.conversationId)
    expect(one!.participant.id).not.toBe(two!.participant.id)
  })
  it.each([
    ['without a key', undefined],
    ['with another channel’s key', CONNECTOR_KEY.echo],
    ['with a key that is none', 'no such key'],
  ])('on every other channel init %s answers 401, whether or not that customer is known', async (_row, key) => {
    await texter(gateway.url, '+known')
    const known = await start({ channel: 'sms', refId: '+known' }, key)
    const unknown = await start({ channel: 'sms', refId: '+unknown' }, key)
    expect([known.status, known.json]).toEqual([401, unknown.json])
    expect(known.text).not.toContain('conversationId')
  })
  it('with the key, a live conversation of the same address is returned, however many requests race', async () => {
    const started = await Promise.all(Array.from({ length: 25 }, () => texter(gateway.url, '+race')))
    expect(new Set(started.map(({ conversationId }) => conversationId)).size).toBe(1)
  })
  it.each([
    ['another number', { refId: '+2' }],
    ['another account', { account: 'other' }],
  ])('an address is (tenant, channel, account, refId): %s has a conversation of its own', async (_row, more) => {
    const { conversationId } = await texter(gateway.url, '+1')
    expect((await texter(gateway.url, '+1', more)).conversationId).not.toBe(conversationId)
  })
  it('an ended conversation is not returned: a new one begins', async () => {
    const sms = await carrier(gateway.url)
    const { conversationId } = await texter(gateway.url, '+ended')
    await sms.call('joinConversation', { conversationId })
    await sms.call('endConversation', { conversationId })
    expect((await texter(gateway.url, '+ended')).conversationId).not.toBe(conversationId)
  })
  it('identifiers are verified only when a keyed connector vouches for them', async () => {
    const supervisor = await login(gateway.url)
    const customerOf = async (conversationId: string) => {
      const { conversation } = await pictureOf(await agentIn(gateway.url, conversationId, supervisor))
      return conversation['customer']
    }
    expect(await customerOf((await init(gateway.url)).conversationId)).toMatchObject({ verified: false })
    expect(await customerOf((await init(gateway.url, {}, CONNECTOR_KEY.sms)).conversationId)).toMatchObject({
      verified: false,
    })
    expect(await customerOf((await texter(gateway.url, '+v')).conversationId)).toMatchObject({ verified: true })
  })
})

describe('§1 requestId', () => {
  const ask = (requestId: string, more: Record<string, unknown> = {}, key?: string) =>
    start({ channel: 'web', refId: 'r', requestId, ...more }, key)

  it('repeats its answer, with the token minted anew', async () => {
    const [first, again] = [await ask('again'), await ask('again')]
    expect(again.status).toBe(200)
    expect(again.json).toMatchObject({
      conversationId: first.json['conversationId'],
      participant: first.json['participant'],
      requestId: 'again',
    })
    expect(again.json['token']).not.toBe(first.json['token'])
  })
  it('repeats its answer once, however many requests race', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => ask('racing')))
    expect(new Set(all.map(({ json }) => json['conversationId'])).size).toBe(1)
  })
  it.each([
    ['account', { account: 'other' }],
    ['refId', { refId: 'other' }],
    ['phone', { phone: '+1' }],
    ['email', { email: 'a@b.example' }],
    ['an unlisted identifier', { customerNumber: 17 }],
  ])('with another %s it is never the answer of the first, and a conflict holds no ids', async (key, more) => {
    const first = await ask(`other ${key}`)
    const other = await ask(`other ${key}`, more)
    expect(other.json['conversationId']).not.toBe(first.json['conversationId'])
    if (key === 'account') return
    expect(other.status).toBe(409)
    expect(other.json).toMatchObject({ error: { code: 'conflict', retryable: false } })
    expect(other.text).not.toContain(first.json['conversationId'])
  })
  it('without a key repeats for 15 min only; with one for 24 h, even after the end', async () => {
    await ask('fifteen')
    const first = await ask('day', { channel: 'sms', refId: '+day' }, CONNECTOR_KEY.sms)
    clock.forward(14 * 60_000)
    expect((await ask('fifteen')).status).toBe(200)
    clock.forward(2 * 60_000)
    expect((await ask('fifteen')).status).toBe(409)
    clock.forward(23 * 3_600_000)
    const again = await ask('day', { channel: 'sms', refId: '+day' }, CONNECTOR_KEY.sms)
    expect(again.json['conversationId']).toBe(first.json['conversationId'])
  })
})

describe('§1 without a key repeats from the same address only', () => {
  const proxied = withGateway({ TRUSTED_PROXIES: '127.0.0.0/8' })
  it('answers 409 to another address', async () => {
    const body = JSON.stringify({ channel: 'web', refId: 'r', requestId: 'from afar' })
    const ask = (from: string) =>
      request(proxied.url, '/api/customer/init', { method: 'POST', body, headers: { 'x-forwarded-for': from } })
    expect((await ask('192.0.2.1')).status).toBe(200)
    expect((await ask('192.0.2.1')).status).toBe(200)
    expect((await ask('192.0.2.2')).status).toBe(409)
  })
})

describe('§1 every error is JSON, never holds conversationId, and its details name paths, never values', () => {
  const raw = (body: string, type = 'application/json') =>
    request(gateway.url, '/api/customer/init', { method: 'POST', body, headers: { 'content-type': type } })

  it.each([
    ['400 for what is no JSON', 400, '{"channel":', 'application/json'],
    ['400 for what is no object', 400, '[]', 'application/json'],
    ['413 for a body that is too large', 413, JSON.stringify({ comment: 'x'.repeat(300_000) }), 'application/json'],
    ['415 for what is not sent as JSON', 415, 'channel=web', 'application/x-www-form-urlencoded'],
    [
      '400 for a name of 65 characters',
      400,
      JSON.stringify({ channel: 'web', refId: 'r', firstName: 'n'.repeat(65) }),
      'application/json',
    ],
  ])('%s', async (_row, status, body, type) => {
    const answer = await raw(body, type)
    expect(answer.status).toBe(status)
    expect(answer.json).toMatchObject({ error: { retryable: false } })
    expect(Object.keys(answer.json)).toEqual(['error'])
    expect(answer.text).not.toMatch(/conversationId|nnnn|xxxx/)
  })
})
