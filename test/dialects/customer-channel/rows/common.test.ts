// §0 Common rules: where a token may stand, paths, acknowledgements, what an outsider can tell, what may be sent.
import { TestClock } from '../../../support/databases'
import { eventually } from '../../../support/eventually'
import { CONNECTOR_KEY } from '../../../support/gateway'
import {
  agentIn,
  connect,
  customer,
  init,
  joining,
  latest,
  login,
  pictureOf,
  post,
  request,
  say,
} from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const clock = new TestClock()
const gateway = withGateway({}, { now: clock.now })
const register = { id: 'sms', channel: 'sms' }

describe('§0 where a token may stand', () => {
  const bearer = { extraHeaders: { authorization: `Bearer ${CONNECTOR_KEY.sms}` } }
  it.each([
    ['auth.token', { auth: { token: CONNECTOR_KEY.sms } }],
    ['auth.token with the word Bearer', { auth: { token: `Bearer ${CONNECTOR_KEY.sms}` } }],
    ['Authorization: Bearer', bearer],
    ['the query `token`, on the Socket.IO handshake', { query: { token: CONNECTOR_KEY.sms } }],
    [
      'the same in several places',
      { auth: { token: CONNECTOR_KEY.sms }, query: { token: CONNECTOR_KEY.sms }, ...bearer },
    ],
  ])('%s', async (_row, options) => {
    const sms = await connect(gateway.url, options)
    expect(await sms.call('registerConnector', register)).toMatchObject({ code: 200 })
  })
  it('never in the query of a REST request', async () => {
    const path = `/api/customer/init?token=${CONNECTOR_KEY.sms}`
    expect((await post(gateway.url, path, { channel: 'sms', refId: '+1' })).status).toBe(401)
  })
  it('never in the query for staff: 401', async () => {
    const token = await login(gateway.url)
    const refused = connect(gateway.url, { query: { token } })
    await expect(refused).rejects.toMatchObject({ data: { code: 401, error: { code: 'unauthorized' } } })
  })
  it('two differing credentials: 401', async () => {
    const options = { auth: { token: CONNECTOR_KEY.sms }, query: { token: CONNECTOR_KEY.echo } }
    await expect(connect(gateway.url, options)).rejects.toMatchObject({ data: { code: 401 } })
    const body = { channel: 'sms', refId: '+1', key: CONNECTOR_KEY.echo }
    expect((await post(gateway.url, '/api/customer/init', body, CONNECTOR_KEY.sms)).status).toBe(401)
  })
  it('a bad credential is refused, not taken for none: 401', async () => {
    await expect(connect(gateway.url, { auth: { token: 'bad' } })).rejects.toMatchObject({ data: { code: 401 } })
    expect((await post(gateway.url, '/api/customer/init', { channel: 'web', refId: 'r' }, 'bad')).status).toBe(401)
  })
  it('never in a cookie', async () => {
    const cookie = `token=${CONNECTOR_KEY.sms}; authorization=Bearer ${CONNECTOR_KEY.sms}`
    const someone = await connect(gateway.url, { extraHeaders: { cookie } })
    expect(await someone.call('registerConnector', register)).toMatchObject({ code: 401 })
  })
})

describe('§0 base path', () => {
  const chat = withGateway({ BASE_PATH: '/chat' })
  it('REST and Socket.IO sit under it, and nowhere else', async () => {
    const ann = await customer(chat.url)
    expect((await pictureOf(ann)).role).toBe('customer')
    const { origin } = new URL(chat.url)
    expect((await post(origin, '/api/customer/init', { channel: 'web', refId: 'r' })).status).toBe(404)
    await expect(connect(origin)).rejects.toThrow()
  })
  it('duplicate slashes are collapsed, for `//socket.io` and upgrades too', async () => {
    const { origin } = new URL(chat.url)
    const body = { channel: 'web', refId: 'r' }
    expect((await post(origin, '//chat///api/customer//init', body)).status).toBe(200)
    const started = await init(chat.url)
    for (const transport of ['websocket', 'polling']) {
      const someone = await connect(chat.url, { path: '//chat//socket.io', transports: [transport] })
      expect(await someone.call('joinConversation', joining(started))).toMatchObject({ code: 200 })
    }
  })
})

describe('§0 acknowledgements are optional for clients', () => {
  it('a request without a callback does what it says', async () => {
    const { conversationId, participant } = await init(gateway.url)
    const someone = await connect(gateway.url)
    someone.socket.emit('joinConversation', { conversationId, id: participant.id })
    expect((await pictureOf(someone)).conversation).toMatchObject({ conversationId })
  })
  it('without a callback a failure arrives as the event `error` with the same body', async () => {
    const someone = await connect(gateway.url)
    const wish = { conversationId: 'unknown', id: 'x' }
    const failure = await someone.call('joinConversation', wish)
    expect(failure).toEqual({
      code: 404,
      error: { code: 'notFound', message: expect.any(String) as string, retryable: false },
    })
    someone.socket.emit('joinConversation', wish)
    await eventually(() => {
      expect(someone.heard.filter(({ event }) => event === 'error').map(({ body }) => body)).toEqual([failure])
    })
  })
  it.each([undefined, null, 'text', 7, [[]]])(
    'a payload that is no object (%j) is a 400, and the socket lives on',
    async (raw) => {
      const someone = await connect(gateway.url)
      expect(await someone.call('sendMessage', raw)).toMatchObject({ code: 400, error: { code: 'invalidRequest' } })
      expect(someone.socket.connected).toBe(true)
    },
  )
})

describe('§0 until membership is proved, every event and route answers the same 404', () => {
  const events = ['joinConversation', 'sendMessage', 'endConversation', 'leaveConversation']
  it.each(events)('%s, be the conversation unknown, foreign or ended', async (event) => {
    const [live, ended] = [await customer(gateway.url), await customer(gateway.url)]
    await ended.call('endConversation', { conversationId: ended.conversationId })
    const outsider = await connect(gateway.url)
    const ask = (conversationId: string) =>
      outsider.call(event, { conversationId, id: 'A'.repeat(32), text: 'hi', type: 'ChatMessage' })
    const unknown = await ask('A'.repeat(22))
    expect(unknown).toMatchObject({ code: 404 })
    expect(await ask(live.conversationId)).toEqual(unknown)
    expect(await ask(ended.conversationId)).toEqual(unknown)
    expect(await ask('no id at all')).toEqual(unknown)
  })
  it('the routes that name a conversation say that same sentence', async () => {
    const { conversationId } = await customer(gateway.url)
    const { error } = await (await connect(gateway.url)).call('joinConversation', { conversationId, id: 'x' })
    for (const id of [conversationId, 'A'.repeat(22), 'x']) {
      const transcript = await request(gateway.url, `/api/customer/transcript/${id}/txt`)
      const token = await post(gateway.url, '/api/customer/token', { conversationId: id, id: 'x' })
      expect([transcript.status, token.status]).toEqual([404, 404])
      expect([transcript.json['error'], token.json['error']]).toEqual([error, error])
    }
  })
})

describe('§0 input', () => {
  it('`null` is absent', async () => {
    const ann = await customer(gateway.url, { lastName: null, email: null, subject: null })
    const sent = {
      ...say(ann.conversationId, 'hi'),
      to: null,
      tag: null,
      attachments: null,
      messageId: null,
      info: null,
    }
    expect(await ann.call('sendMessage', sent)).toMatchObject({ code: 200 })
  })
  it('names are without control and bidi-control characters', async () => {
    const { participant } = await init(gateway.url, { firstName: '\u202eNa\u0007di\u200fa\n' })
    expect(participant.name).toBe('Nadia')
  })
  it.each([
    ['17 unknown keys', Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`key${i}`, i]))],
    ['more than 4 KB together', { a: 'x'.repeat(3_000), b: 'x'.repeat(1_200) }],
    ['depth 5', { a: { b: { c: { d: { e: { f: 1 } } } } } }],
  ])('unknown keys within bounds: %s answer 400, on the socket as on REST', async (_row, extras) => {
    const ann = await customer(gateway.url)
    expect(await ann.call('sendMessage', say(ann.conversationId, 'hi', extras))).toMatchObject({ code: 400 })
    expect((await post(gateway.url, '/api/customer/init', { channel: 'web', refId: 'r', ...extras })).status).toBe(400)
  })
  it('unknown keys within bounds: 16 keys of depth 4 pass', async () => {
    const extras = {
      ...Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`key${i}`, i])),
      a: { b: { c: { d: { e: 1 } } } },
    }
    const ann = await customer(gateway.url)
    expect(await ann.call('sendMessage', say(ann.conversationId, 'hi', extras))).toMatchObject({ code: 200 })
  })
  it('`__proto__`, `constructor`, `prototype` are dropped, at every depth', async () => {
    const ann = await customer(gateway.url)
    const bo = await agentIn(gateway.url, ann.conversationId, await login(gateway.url))
    const evil = '{"__proto__":{"admin":1},"constructor":2,"prototype":3,"mine":4,"deep":{"constructor":5,"ok":6}}'
    await ann.call('sendMessage', { ...say(ann.conversationId, 'hi'), ...(JSON.parse(evil) as object) })
    const arrived = await latest(bo, 'hi')
    expect(arrived).toMatchObject({ mine: 4, deep: { ok: 6 } })
    for (const key of ['__proto__', 'constructor', 'prototype']) expect(Object.hasOwn(arrived, key)).toBe(false)
    expect(Object.keys(arrived['deep'] as object)).toEqual(['ok'])
  })
  it('text up to 16 KB of UTF-8, and too much is a 413, not a closed socket', async () => {
    const ann = await customer(gateway.url)
    const most = 'ü'.repeat(8 * 1024)
    expect(await ann.call('sendMessage', say(ann.conversationId, most))).toMatchObject({ code: 200 })
    for (const tooMuch of [`${most}!`, 'x'.repeat(200_000)]) {
      const reply = await ann.call('sendMessage', say(ann.conversationId, tooMuch))
      expect(reply).toMatchObject({ code: 413, error: { code: 'tooLarge', retryable: false } })
    }
    expect(ann.socket.connected).toBe(true)
  })
  it('`data:` links under 32 KB; too much of one, or of many together, is a 413, not a closed socket', async () => {
    const link = (size: number) => ({ contentUrl: `data:text/plain;base64,${'QUFB'.repeat(size / 4)}` })
    const ann = await customer(gateway.url)
    const send = (attachments: object[]) => ann.call('sendMessage', say(ann.conversationId, 'see', { attachments }))
    expect(await send([link(32_000)])).toMatchObject({ code: 200 })
    expect(await send([link(33_000)])).toMatchObject({ code: 413 })
    expect(
      await send(Array.from({ length: 10 }, () => ({ ...link(32_000), thumbnailUrl: link(32_000).contentUrl }))),
    ).toMatchObject({ code: 413 })
    expect(ann.socket.connected).toBe(true)
  })
})

describe('§0 credentials run out', () => {
  it('an expired token of a customer is a 401, at the handshake and on a socket that is open', async () => {
    const { token } = await init(gateway.url)
    const open = await connect(gateway.url, { auth: { token } })
    clock.forward(25 * 3_600_000)
    await expect(connect(gateway.url, { auth: { token } })).rejects.toMatchObject({ data: { code: 401 } })
    expect(await open.call('joinConversation', { conversationId: 'x', id: 'y' })).toMatchObject({ code: 401 })
    await eventually(() => !open.socket.connected)
  })
})
