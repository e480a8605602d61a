// The door: who may connect, from where and with what, and how many.
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { Writable } from 'node:stream'
import { io } from 'socket.io-client'
import { createLogger } from '../../../src/logger'
import { eventually } from '../../support/eventually'
import { CONNECTOR_KEY, openGateway } from '../../support/gateway'
import { connect, customer, init, joining, login, post, request, say } from '../../support/people'

type Gateway = Awaited<ReturnType<typeof openGateway>>
const SITE = 'https://www.example.org'
const UNAUTHORIZED = { data: { code: 401, error: { code: 'unauthorized', retryable: false } } }

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Ends a connection that was upgraded. */
  readonly end: () => void
}
/** A plain GET, or an upgrade to a WebSocket where the headers ask for one. */
function get(url: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(`${url}${path}`, { headers: { connection: 'close', ...headers } })
    asked.once('response', (response) => {
      const { statusCode: status = 0, headers } = response
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('end', () =>
        resolve({ status, headers, body: String(Buffer.concat(chunks)), end: () => undefined }),
      )
    })
    asked.once('upgrade', ({ statusCode: status = 0, headers }, socket) => {
      socket.on('error', () => undefined)
      resolve({ status, headers, body: '', end: () => socket.destroy() })
    })
    asked.once('error', reject)
    asked.end()
  })
}
const POLLING = '/socket.io/?EIO=4&transport=polling'
const WEBSOCKET = '/socket.io/?EIO=4&transport=websocket'
const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

describe('origins', () => {
  let gateway: Gateway
  beforeAll(async () => {
    gateway = await openGateway({ ALLOWED_ORIGINS: SITE })
  })
  afterAll(() => gateway.close())
  const others = [
    'https://evil.example',
    'http://www.example.org',
    'https://www.example.org.evil.example',
    'https://example.org',
    'https://www.example.org:8443',
    'https://wwwxexample.org',
    'null',
    '*',
  ]

  it('that are listed connect, by polling and by WebSocket', async () => {
    const { status, headers } = await get(gateway.url, POLLING, { origin: SITE })
    expect(status).toBe(200)
    expect(headers).toMatchObject({
      'access-control-allow-origin': SITE,
      'access-control-allow-credentials': 'true',
    })
    const upgraded = await get(gateway.url, WEBSOCKET, { ...UPGRADE, origin: SITE })
    expect(upgraded.status).toBe(101)
    upgraded.end()
  })
  it('that are absent belong to no browser, and connect', async () => {
    expect((await get(gateway.url, POLLING)).status).toBe(200)
    const upgraded = await get(gateway.url, WEBSOCKET, UPGRADE)
    expect(upgraded.status).toBe(101)
    upgraded.end()
  })
  it.each(others)('such as %s are refused, and learn nothing', async (origin) => {
    const refused = await get(gateway.url, POLLING, { origin })
    expect(refused.status).toBe(403)
    const upgrade = await get(gateway.url, WEBSOCKET, { ...UPGRADE, origin })
    expect(upgrade.status).toBe(400)
    for (const { headers, body } of [refused, upgrade]) {
      expect(headers['access-control-allow-origin']).toBeUndefined()
      expect(headers['set-cookie']).toBeUndefined()
      expect(body).toContain('This origin is not allowed')
      expect(JSON.stringify([headers, body])).not.toMatch(/www\.example\.org|sid/)
    }
  })
  it('are echoed by REST for listed ones only, and never together with a star', async () => {
    for (const origin of [SITE, ...others]) {
      const { headers } = await request(gateway.url, '/api/agent/conversations', { headers: { origin } })
      expect(headers.get('access-control-allow-origin')).toBe(origin === SITE ? SITE : null)
      expect(headers.get('vary')).toContain('Origin')
    }
    const preflight = await request(gateway.url, '/api/customer/init', { method: 'OPTIONS', headers: { origin: SITE } })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization')
  })
})

describe('credentials', () => {
  let gateway: Gateway
  const lines: string[] = []
  beforeAll(async () => {
    const destination = new Writable({
      write: (line: Buffer, _encoding, done) => {
        lines.push(String(line))
        done()
      },
    })
    gateway = await openGateway({}, { logger: createLogger({ level: 'trace', destination }) })
  })
  afterAll(() => gateway.close())
  const bearer = (token: string) => ({ extraHeaders: { authorization: `Bearer ${token}` } })

  it('may stand in several places when they are the same', async () => {
    const { url } = gateway
    const token = await login(url)
    const staff = await connect(url, { auth: { token }, ...bearer(token) })
    expect(staff.socket.connected).toBe(true)
    staff.close()
    const key = CONNECTOR_KEY.sms
    const connector = await connect(url, { auth: { token: key }, query: { token: key }, ...bearer(key) })
    expect(await connector.call('registerConnector', { id: 'sms' })).toMatchObject({ code: 200 })
    connector.close()
  })
  it('that differ are refused, each good by itself', async () => {
    const { url } = gateway
    const [staff, { token }] = [await login(url), await init(url)]
    const { sms, echo } = CONNECTOR_KEY
    const pairs = [
      { auth: { token: staff }, ...bearer(token) },
      { auth: { token: sms }, query: { token: echo } },
      { query: { token }, ...bearer(sms) },
      { auth: { token: sms }, ...bearer('junk') },
    ]
    for (const pair of pairs) await expect(connect(url, pair)).rejects.toMatchObject(UNAUTHORIZED)
    const wish = { channel: 'sms', refId: '1', key: sms }
    expect((await post(url, '/api/customer/init', wish, echo)).status).toBe(401)
  })
  it('that are bad are refused in the handshake, wherever they stand', async () => {
    const { url } = gateway
    const { token } = await init(url)
    const bad = ['junk', `${token}x`, `${token.slice(0, -2)}AA`, 'flk_junk', 'x'.repeat(5_000), ' ']
    for (const one of bad) {
      await expect(connect(url, { auth: { token: one } })).rejects.toMatchObject(UNAUTHORIZED)
      await expect(connect(url, { query: { token: one } })).rejects.toMatchObject(UNAUTHORIZED)
      if (one.trim() !== '') await expect(connect(url, bearer(one))).rejects.toMatchObject(UNAUTHORIZED)
    }
    for (const one of [{ a: 1 }, ['x'], 7, true])
      await expect(connect(url, { auth: { token: one } })).rejects.toMatchObject(UNAUTHORIZED)
  })
  it('of the staff are refused in a query, those of others are not', async () => {
    const { url } = gateway
    const [staff, ann] = [await login(url), await init(url)]
    await expect(connect(url, { query: { token: staff } })).rejects.toMatchObject(UNAUTHORIZED)
    const both = { query: { token: staff }, auth: { token: staff } }
    await expect(connect(url, both)).rejects.toMatchObject(UNAUTHORIZED)
    expect((await request(url, `/api/agent/conversations?token=${staff}`)).status).toBe(401)
    const someone = await connect(url, { query: { token: ann.token } })
    expect(await someone.call('joinConversation', joining(ann))).toMatchObject({ code: 200 })
    someone.close()
  })
  it('never stand in the log', async () => {
    const { url } = gateway
    const [staff, ann] = [await login(url), await customer(url)]
    const secrets = [staff, ann.token, ann.participant.id, CONNECTOR_KEY.sms, 'a word that nobody logs']
    await connect(url, { query: { token: staff } }).catch(() => undefined)
    await connect(url, { query: { token: CONNECTOR_KEY.sms } }).then((someone) => someone.close())
    await request(url, `/api/customer/transcript/${ann.conversationId}/json?token=${ann.token}`, {}, ann.token)
    await request(url, `/api/nowhere/${ann.participant.id}?key=${CONNECTOR_KEY.sms}`, {}, staff)
    await post(url, '/api/customer/init', { channel: 'sms', refId: '1', key: CONNECTOR_KEY.sms })
    await ann.call('sendMessage', say(ann.conversationId, 'a word that nobody logs'))
    await eventually(() => expect(lines.filter((line) => line.includes('answered')).length).toBeGreaterThan(4))
    for (const secret of secrets) expect(lines.filter((line) => line.includes(secret))).toEqual([])
    ann.close()
  })
  it('make one caller of one connection, however often it says connect', async () => {
    const { origin } = new URL(gateway.url)
    const socket = io(origin, { transports: ['websocket'], forceNew: true, reconnection: false })
    const { engine } = socket.io
    const packets: string[] = []
    engine.on('packet', ({ data }) => packets.push(String(data)))
    engine.once('open', () => {
      for (let i = 0; i < 20; i += 1) engine.write('0{}')
    })
    await eventually(() => expect(packets.filter((packet) => /^[04]\{/.test(packet)).length).toBeGreaterThan(0))
    await eventually(() => expect(engine.readyState === 'closed' || packets.length >= 20).toBe(true))
    expect(packets.filter((packet) => packet.startsWith('0{"sid"')).length).toBeLessThanOrEqual(1)
    socket.disconnect()
  })
})

describe('addresses', () => {
  let gateway: Gateway
  afterEach(() => gateway.close())
  const from = (...hops: string[]) => ({ headers: { 'x-forwarded-for': hops.join(', ') } })
  const start = (url: string, body: object, options: RequestInit) =>
    request(url, '/api/customer/init', { method: 'POST', body: JSON.stringify(body), ...options })

  it('behind a trusted proxy are those that it names, from the right', async () => {
    gateway = await openGateway({ TRUSTED_PROXIES: '127.0.0.1', CONNECTOR_ADDRESSES: '10.9.8.7' })
    const status = async (...hops: string[]) =>
      (await start(gateway.url, { channel: 'sms', refId: '1' }, from(...hops))).status
    expect(await status('10.9.8.7')).toBe(200)
    expect(await status('1.2.3.4', '10.9.8.7')).toBe(200)
    expect(await status('10.9.8.7', '1.2.3.4')).toBe(401)
    expect(await status('1.2.3.4')).toBe(401)
    const trusted = await connect(gateway.url, { extraHeaders: { 'x-forwarded-for': '10.9.8.7' } })
    expect(await trusted.call('registerConnector', { id: 'sms' })).toMatchObject({ code: 200 })
    const other = await connect(gateway.url, { extraHeaders: { 'x-forwarded-for': '10.9.8.7, 1.2.3.4' } })
    expect(await other.call('registerConnector', { id: 'sms' })).toMatchObject({ code: 401 })
    trusted.close()
    other.close()
  })
  it('are the socket’s own where no proxy is trusted, whatever a header claims', async () => {
    gateway = await openGateway({ CONNECTOR_ADDRESSES: '10.9.8.7' })
    const wish = { channel: 'sms', refId: '1' }
    expect((await start(gateway.url, wish, from('10.9.8.7'))).status).toBe(401)
    const other = await connect(gateway.url, { extraHeaders: { 'x-forwarded-for': '10.9.8.7' } })
    expect(await other.call('registerConnector', { id: 'sms' })).toMatchObject({ code: 401 })
    other.close()
  })
  it('have so many connections and no more, until one is given back', async () => {
    gateway = await openGateway({ RATE_LIMITS: 'on', TRUSTED_PROXIES: '127.0.0.1' })
    const upgrade = (forwarded: string) => get(gateway.url, WEBSOCKET, { ...UPGRADE, 'x-forwarded-for': forwarded })
    const open: Answer[] = []
    // A household has a /64 of IPv6: another address of it is no other household.
    while (open.length < 1_000)
      open.push(...(await Promise.all(Array.from({ length: 50 }, (_, i) => upgrade(`2001:db8::${i + 1}`)))))
    expect(open.map(({ status }) => status).filter((status) => status !== 101)).toEqual([])
    const refused = await upgrade('2001:db8::ffff')
    expect(refused).toMatchObject({ status: 400, body: 'Too many connections from this address' })
    const elsewhere = await upgrade('2001:db8:1::1')
    expect(elsewhere.status).toBe(101)
    open[0]?.end()
    await eventually(async () => {
      const again = await upgrade('2001:db8::1')
      again.end()
      return again.status === 101
    })
    for (const { end } of [...open, elsewhere]) end()
  })
})

it('nobody may say more by opening more sockets', async () => {
  const gateway = await openGateway({ RATE_LIMITS: 'on' })
  const ann = await customer(gateway.url)
  const second = await connect(gateway.url)
  await second.call('joinConversation', joining(ann))
  const codes: number[] = []
  for (let i = 0; i < 31; i += 1) {
    const { code } = await (i % 2 ? ann : second).call('sendMessage', say(ann.conversationId, `${i}`))
    codes.push(code)
  }
  expect(codes).toEqual([...Array.from({ length: 30 }, () => 200), 429])
  for (const someone of [ann, second]) someone.close()
  await gateway.close()
})
