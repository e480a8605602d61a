// §5 outbound notifications: one test for each clause.
import { carrier, inbound, makeKey, texter } from '../../../support/carrier'
import { TestClock } from '../../../support/databases'
import { eventually } from '../../../support/eventually'
import { CONNECTOR_KEY } from '../../../support/gateway'
import { agentIn, connect, joining, login, post, request, say } from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const clock = new TestClock()
const gateway = withGateway({}, { now: clock.now })
let supervisor: string
// Before each: the clock moves by a day.
beforeEach(async () => {
  supervisor = await login(gateway.url)
})
let count = 0
/** A third party with a key of its own, for an account of its own. */
async function sender(wish: object = {}) {
  const account = `account ${(count += 1)}`
  const { secret } = await makeKey(gateway.url, supervisor, { kind: 'thirdParty', account, ...wish })
  const send = (body: object) => post(gateway.url, '/api/channels/sms/messages', body, secret)
  const find = async (id: unknown) =>
    (await request(gateway.url, `/api/channels/sms/messages/${String(id)}`, {}, secret)).json
  return { account, secret, send, find, register: { account } }
}

describe('§5 POST /api/channels/{channel}/messages', () => {
  it('202 with an id; delivered through the channel’s connector; GET tells what became of it', async () => {
    const { account, send, find, register } = await sender()
    const sent = await send({ to: '+49', text: 'campaign', attachments: [{ contentUrl: 'https://f.example/a' }] })
    expect(sent.status).toBe(202)
    const { id } = sent.json
    expect(sent.json).toEqual({ id: expect.any(String) as string, state: 'waiting' })
    expect(await find(id)).toMatchObject({ id, channel: 'sms', account, to: '+49', state: 'waiting' })
    const sms = await carrier(gateway.url, { register, answer: () => ({ code: 200, providerMessageId: account }) })
    await eventually(async () => (await find(id))['state'] === 'sent')
    expect(sms.deliveries).toMatchObject([
      {
        type: 'ChatMessage',
        refId: '+49',
        channel: 'sms',
        account,
        text: 'campaign',
        deliveryId: expect.any(String) as string,
      },
    ])
    expect(sms.deliveries[0]).not.toHaveProperty('conversationId')
    await sms.call('sendMessage', { activityType: 'delivered', account, providerMessageId: account })
    expect(await find(id)).toMatchObject({ state: 'delivered' })
  })
  it('a number in `to` becomes text', async () => {
    const { send, find } = await sender()
    const { json } = await send({ to: 4917, text: 'hi' })
    expect(await find(json['id'])).toMatchObject({ to: '4917' })
  })
  it.each([
    ['nobody to send to', { text: 'hi' }, 400],
    ['nothing to say', { to: '+1' }, 400],
    ['an expiresAt that has passed', { to: '+1', text: 'hi', expiresAt: '2020-01-01T00:00:00Z' }, 400],
    ['an expiresAt that is no time', { to: '+1', text: 'hi', expiresAt: 'soon' }, 400],
    ['too long a text', { to: '+1', text: 'x'.repeat(17_000) }, 413],
    ['a `file:` link', { to: '+1', attachments: [{ contentUrl: 'file:///a' }] }, 400],
    ['another account', { to: '+1', text: 'hi', account: 'theirs' }, 403],
  ])('%s is refused', async (_row, body, status) => {
    expect((await (await sender()).send(body)).status).toBe(status)
  })
  it('with an API key of a third party for this channel only', async () => {
    const { secret } = await sender()
    const ask = async (channel: string, key?: string) =>
      (await post(gateway.url, `/api/channels/${channel}/messages`, { to: '+1', text: 'hi' }, key)).status
    expect(await ask('SMS', secret)).toBe(202)
    expect(await ask('whatsapp', secret)).toBe(403)
    expect(await ask('sms', CONNECTOR_KEY.sms)).toBe(403)
    expect(await ask('sms', supervisor)).toBe(403)
    expect(await ask('sms')).toBe(401)
  })
  it('another account’s notification is a 404', async () => {
    const [mine, theirs] = [await sender(), await sender()]
    const { json } = await theirs.send({ to: '+1', text: 'hi' })
    const answer = await request(gateway.url, `/api/channels/sms/messages/${String(json['id'])}`, {}, mine.secret)
    expect(answer.status).toBe(404)
    expect((await request(gateway.url, '/api/channels/sms/messages/unknown', {}, mine.secret)).json).toEqual(
      answer.json,
    )
  })
})

describe('§5 `idempotencyKey` is scoped to the key', () => {
  it('the same answer for the same body, 409 for another, and nothing of another key’s', async () => {
    const [mine, theirs] = [await sender(), await sender()]
    const body = { to: '+1', text: 'hi', idempotencyKey: 'k' }
    const first = await mine.send(body)
    expect((await mine.send(body)).json).toEqual(first.json)
    const other = await mine.send({ ...body, text: 'other' })
    expect(other.status).toBe(409)
    expect(other.text).not.toContain(first.json['id'])
    expect((await theirs.send({ ...body, text: 'theirs' })).status).toBe(202)
    const sms = await carrier(gateway.url, { register: mine.register })
    await eventually(async () => (await mine.find(first.json['id']))['state'] === 'sent')
    expect(sms.deliveries).toHaveLength(1)
  })
})

describe('§5 daily quota and allowed country prefixes', () => {
  it('beyond the quota of the day it is 429; a repeat costs nothing; tomorrow goes on', async () => {
    const { send } = await sender({ dailyQuota: 2 })
    const body = { to: '+1', text: 'hi', idempotencyKey: 'k' }
    expect((await send(body)).status).toBe(202)
    expect((await send(body)).status).toBe(202)
    expect((await send({ to: '+1', text: 'two' })).status).toBe(202)
    const beyond = await send({ to: '+1', text: 'three' })
    expect(beyond.status).toBe(429)
    expect(beyond.json).toMatchObject({ error: { code: 'tooManyRequests' } })
    clock.forward(24 * 3_600_000)
    expect((await send({ to: '+1', text: 'three' })).status).toBe(202)
  })
  it('to another country it is 403', async () => {
    const { send } = await sender({ prefixes: ['+49', '+43'] })
    expect((await send({ to: '+491', text: 'hi' })).status).toBe(202)
    expect((await send({ to: '+431', text: 'hi' })).status).toBe(202)
    expect((await send({ to: '+921', text: 'hi' })).status).toBe(403)
  })
})

describe('§5 opt-out words', () => {
  const oneStep = async (refId: string, account: string) => {
    const sms = await carrier(gateway.url, { register: { account } })
    return (text: string) =>
      sms.call('sendMessage', inbound(refId, text, { account, externalMessageId: crypto.randomUUID() }))
  }
  const documented = async (refId: string, account: string) => {
    const sms = await carrier(gateway.url, { register: { account } })
    const started = await texter(gateway.url, refId, { account })
    await sms.call('joinConversation', joining(started))
    return (text: string) => sms.call('sendMessage', say(started.conversationId, text, { refId }))
  }
  it.each([
    ['in one step', oneStep],
    ['the documented way', documented],
  ])('%s: STOP puts an address on the list, START takes it off', async (_row, way) => {
    const { account, send } = await sender()
    const refId = `+1${account}`
    const write = await way(refId, account)
    for (const [word, status] of [
      ['stop it', 202],
      [' Stop ', 403],
      ['hello', 403],
      ['start', 202],
      ['UNSUBSCRIBE', 403],
      ['START', 202],
    ] as const) {
      expect(await write(word)).toMatchObject({ code: 200 })
      const sent = await send({ to: refId, text: 'campaign' })
      expect([word, sent.status]).toEqual([word, status])
      if (status === 403)
        expect(sent.json).toMatchObject({ error: { message: expect.stringContaining('opted out') as string } })
    }
  })
  it('on all our numbers, for this address only; an agent’s word is none', async () => {
    const [one, two] = [await sender(), await sender()]
    await (
      await oneStep('+stop', one.account)
    )('STOP')
    expect((await two.send({ to: '+stop', text: 'hi' })).status).toBe(403)
    expect((await two.send({ to: '+other', text: 'hi' })).status).toBe(202)
    const { conversationId } = await texter(gateway.url, '+agent', { account: one.account })
    const bo = await agentIn(gateway.url, conversationId, supervisor)
    await bo.call('sendMessage', say(conversationId, 'STOP'))
    expect((await one.send({ to: '+agent', text: 'hi' })).status).toBe(202)
  })
  it('live replies are not concerned', async () => {
    const { account } = await sender()
    const sms = await carrier(gateway.url, { register: { account } })
    const { conversationId } = await sms.call('sendMessage', inbound('+live', 'STOP', { account }))
    const bo = await agentIn(gateway.url, conversationId as string, supervisor)
    await bo.call('sendMessage', say(conversationId as string, 'As you like.'))
    await eventually(() => sms.deliveries.length === 1)
  })
  it('a word in the conversation’s own language', async () => {
    const { account, send } = await sender()
    const sms = await carrier(gateway.url, { register: { account } })
    await sms.call('sendMessage', inbound('+de', 'Abmelden', { account, language: 'de-AT' }))
    await sms.call('sendMessage', inbound('+en', 'Abmelden', { account, language: 'en' }))
    expect((await send({ to: '+de', text: 'hi' })).status).toBe(403)
    expect((await send({ to: '+en', text: 'hi' })).status).toBe(202)
  })
  it('who only claims the number, on the web, cannot opt it out', async () => {
    const { send } = await sender()
    const started = await post(gateway.url, '/api/customer/init', {
      channel: 'web',
      refId: '+claimed',
      phone: '+claimed',
    })
    const conversationId = started.json['conversationId'] as string
    const web = await connect(gateway.url)
    await web.call('joinConversation', { conversationId, id: (started.json['participant'] as { id: string }).id })
    expect(await web.call('sendMessage', say(conversationId, 'STOP'))).toMatchObject({ code: 200 })
    expect((await send({ to: '+claimed', text: 'hi' })).status).toBe(202)
  })
})

describe('§5 `expiresAt`', () => {
  it('after it a notification is not delivered, and says so', async () => {
    const { send, find, register } = await sender()
    const late = await send({ to: '+1', text: 'late', expiresAt: clock.in(60_000) })
    const good = await send({ to: '+2', text: 'good', expiresAt: clock.in(3_600_000) })
    clock.forward(120_000)
    const sms = await carrier(gateway.url, { register })
    await eventually(async () => (await find(good.json['id']))['state'] === 'sent')
    await eventually(async () => (await find(late.json['id']))['state'] === 'failed')
    expect(await find(late.json['id'])).toMatchObject({ reason: 'expired' })
    expect(sms.deliveries.map(({ text }) => text)).toEqual(['good'])
  })
})
