// §4 rate limits, per address and per credential, each on a gateway of its own that counts.
import { Manager } from 'socket.io-client'
import { inbound, makeKey } from '../../../support/carrier'
import { eventually } from '../../../support/eventually'
import { CONNECTOR_KEY } from '../../../support/gateway'
import { bytesOf, upload } from '../../../support/uploading'
import { agentIn, connect, customer, init, joining, login, request, say } from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const limited = { RATE_LIMITS: 'on', TRUSTED_PROXIES: '127.0.0.0/8' }
const gateway = withGateway(limited)
/** As from this address, behind our proxy. */
const from = (address: string, path: string, body?: object, token?: string) =>
  request(
    gateway.url,
    path,
    { headers: { 'x-forwarded-for': address }, ...(body && { method: 'POST', body: JSON.stringify(body) }) },
    token,
  )
/** The statuses of so many calls, one after the other. */
async function statuses(times: number, call: (i: number) => Promise<{ status: number }>): Promise<number[]> {
  const all: number[] = []
  for (let i = 0; i < times; i += 1) all.push((await call(i)).status)
  return all
}
const web = { channel: 'web', refId: 'r' }
const INIT = '/api/customer/init'

describe('§4 rate limits on init', () => {
  it('per address: 429 with Retry-After, retryable, without ids', async () => {
    expect(await statuses(30, () => from('192.0.2.1', INIT, web))).toEqual(Array.from({ length: 30 }, () => 200))
    const { status, json, headers } = await from('192.0.2.1', INIT, web)
    expect(status).toBe(429)
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(json).toMatchObject({
      error: { code: 'tooManyRequests', retryable: true, retryAfter: expect.any(Number) as number },
    })
    expect(json).not.toHaveProperty('conversationId')
    expect((await from('192.0.2.2', INIT, web)).status).toBe(200)
  })
  it('the address is the first untrusted hop from the right: what stands left of it is anybody’s', async () => {
    const all = await statuses(31, (i) => from(`203.0.113.${i}, 192.0.2.3`, INIT, web))
    expect(all.at(-1)).toBe(429)
    expect((await from('192.0.2.3, 192.0.2.4', INIT, web)).status).toBe(200)
  })
  it('IPv6 by /64', async () => {
    const all = await statuses(31, (i) => from(`2001:db8:1:1::${i + 1}`, INIT, web))
    expect(all.at(-1)).toBe(429)
    expect((await from('2001:db8:1:2::1', INIT, web)).status).toBe(200)
  })
  it('keyed connectors are limited per key and refId, not per address', async () => {
    const sms = (refId: string) => from('192.0.2.5', INIT, { channel: 'sms', refId }, CONNECTOR_KEY.sms)
    expect(await statuses(40, (i) => sms(`+${i}`))).toEqual(Array.from({ length: 40 }, () => 200))
    expect((await statuses(31, () => sms('+one'))).at(-1)).toBe(429)
    expect((await sms('+two')).status).toBe(200)
  })
})

describe('§4 rate limits on login', () => {
  it('per address and name', async () => {
    const ask = (address: string, username: string) =>
      from(address, '/api/agent/login', { username, password: 'a wrong password' })
    expect(await statuses(6, () => ask('192.0.2.11', 'admin'))).toEqual([401, 401, 401, 401, 401, 429])
    expect((await ask('192.0.2.12', 'admin')).status).toBe(401)
    expect((await ask('192.0.2.11', 'other')).status).toBe(401)
  })
  it('per address alone, over many names', async () => {
    const all = await statuses(21, (i) =>
      from('192.0.2.13', '/api/agent/login', { username: `user ${i}`, password: 'a wrong password' }),
    )
    expect(all.at(-1)).toBe(429)
  })
})

describe('§4 rate limits on handshakes', () => {
  const POLLING = '/socket.io/?EIO=4&transport=polling'
  const forwarded = (address: string) => ({ extraHeaders: { 'x-forwarded-for': address } })

  it('per address, many enough for an office that comes back; connections that are there go on', async () => {
    const early = await connect(gateway.url, forwarded('192.0.2.51'))
    // Attempts that Engine.IO refuses count, too, and hold no connection.
    for (let i = 0; i < 2_999; i += 100)
      await Promise.all(
        Array.from({ length: Math.min(100, 2_999 - i) }, async () => {
          expect((await from('192.0.2.51', POLLING, {})).status).toBe(400)
        }),
      )
    const { status, json, headers } = await from('192.0.2.51', POLLING)
    expect(status).toBe(429)
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(json).toMatchObject({
      error: { code: 'tooManyRequests', retryable: true, retryAfter: expect.any(Number) as number },
    })
    await expect(connect(gateway.url, forwarded('192.0.2.51'))).rejects.toThrow('websocket error')
    for (const transport of ['polling', 'websocket']) {
      const other = await connect(gateway.url, { ...forwarded('192.0.2.52'), transports: [transport] })
      other.close()
    }
    expect(await early.call('leaveConversation', { conversationId: 'x' })).toMatchObject({ code: 404 })
    early.close()
  })
  it('and another try on a connection that was refused counts as one, and is answered in the one shape', async () => {
    const address = '192.0.2.53'
    for (let i = 0; i < 2_999; i += 100)
      await Promise.all(Array.from({ length: Math.min(100, 2_999 - i) }, () => from(address, POLLING, {})))
    const { origin } = new URL(gateway.url)
    const manager = new Manager(origin, { transports: ['websocket'], reconnection: false, ...forwarded(address) })
    const { engine } = manager
    const refusals: string[] = []
    engine.on('packet', ({ data }) => {
      if (String(data).startsWith('4')) refusals.push(String(data).slice(1))
    })
    const tryToConnect = () => engine.write('0{"token":"junk"}')
    engine.once('open', tryToConnect)
    await eventually(() => refusals.length === 1)
    tryToConnect()
    await eventually(() => refusals.length === 2)
    expect(refusals.map((refusal) => (JSON.parse(refusal) as { data: object }).data)).toMatchObject([
      { code: 401 },
      { code: 429, error: { code: 'tooManyRequests', retryAfter: expect.any(Number) as number } },
    ])
    engine.close()
  })
})

describe('§4 rate limits on joins, sends and transcripts', () => {
  const codes = async (times: number, call: (i: number) => Promise<{ code: number }>) =>
    statuses(times, async (i) => ({ status: (await call(i)).code }))

  it('joins per address for those who show no credential', async () => {
    const stranger = await connect(gateway.url, { extraHeaders: { 'x-forwarded-for': '192.0.2.21' } })
    const all = await codes(61, () => stranger.call('joinConversation', { conversationId: 'x', id: 'x' }))
    expect([all[0], all[59], all[60]]).toEqual([404, 404, 429])
  })
  it('joins of a keyed connector per key and customer: it joins for many', async () => {
    const sms = await connect(gateway.url, { auth: { token: CONNECTOR_KEY.sms } })
    const started = await Promise.all(
      Array.from({ length: 80 }, (_, i) =>
        init(gateway.url, { channel: 'sms', refId: `+join${i}` }, CONNECTOR_KEY.sms),
      ),
    )
    const all = await codes(80, (i) => sms.call('joinConversation', joining(started[i]!)))
    expect(new Set(all)).toEqual(new Set([200]))
  })
  it('sends of a customer, with retryAfter; of an agent more', async () => {
    const ann = await customer(gateway.url)
    const bo = await agentIn(gateway.url, ann.conversationId, await login(gateway.url))
    const send = (someone: typeof bo) => (i: number) => someone.call('sendMessage', say(ann.conversationId, `${i}`))
    const all = await codes(31, send(ann))
    expect([all[29], all[30]]).toEqual([200, 429])
    expect(await ann.call('sendMessage', say(ann.conversationId, 'more'))).toMatchObject({
      error: { retryable: true, retryAfter: expect.any(Number) as number },
    })
    expect(await codes(40, send(bo))).toEqual(Array.from({ length: 40 }, () => 200))
  })
  it('leaving as sends', async () => {
    const stranger = await connect(gateway.url)
    const all = await codes(31, () => stranger.call('leaveConversation', { conversationId: 'x' }))
    expect([all[29], all[30]]).toEqual([404, 429])
  })
  it('registrations per address for those who show no key in the handshake, per key otherwise', async () => {
    const stranger = await connect(gateway.url, { extraHeaders: { 'x-forwarded-for': '192.0.2.61' } })
    const register = () => stranger.call('registerConnector', { id: 'web' })
    for (let i = 0; i < 3; i += 1) {
      const all = await Promise.all(Array.from({ length: 400 }, register))
      expect(new Set(all.map(({ code }) => code))).toEqual(new Set([400]))
    }
    expect(await register()).toMatchObject({ code: 429, error: { retryAfter: expect.any(Number) as number } })
    const extraHeaders = { 'x-forwarded-for': '192.0.2.61' }
    const sms = await connect(gateway.url, { auth: { token: CONNECTOR_KEY.sms }, extraHeaders })
    expect(await sms.call('registerConnector', { id: 'sms' })).toMatchObject({ code: 200 })
  })
  it('sends of a keyed connector per key and refId', async () => {
    const sms = await connect(gateway.url, { auth: { token: CONNECTOR_KEY.sms } })
    const send = (refId: string) => (i: number) => sms.call('sendMessage', inbound(refId, `${i}`))
    expect((await codes(31, send('+much'))).at(-1)).toBe(429)
    expect(await codes(1, send('+little'))).toEqual([200])
  })
  it('transcripts per address', async () => {
    const all = await statuses(31, () => from('192.0.2.31', `/api/customer/transcript/${'A'.repeat(22)}/txt`))
    expect([all[29], all[30]]).toEqual([404, 429])
  })
  it('files that are sent per participant: the agent beside a busy customer goes on', async () => {
    const ann = await customer(gateway.url)
    const staff = await login(gateway.url)
    await agentIn(gateway.url, ann.conversationId, staff)
    const send = (token: string) =>
      upload(gateway.url, ann.conversationId, token, { bytes: bytesOf('x'), name: 'x.txt' })
    const all = await statuses(31, () => send(ann.token))
    expect([all[29], all[30]]).toEqual([201, 429])
    expect((await send(ann.token)).json).toMatchObject({
      error: { code: 'tooManyRequests', retryable: true, retryAfter: expect.any(Number) as number },
    })
    expect((await send(staff)).status).toBe(201)
  })
  it('files that are opened per address, by link or by credential', async () => {
    const ann = await customer(gateway.url)
    const link = () => from('192.0.2.71', '/api/files/junk/x.png')
    const own = () =>
      from('192.0.2.71', `/api/customer/conversations/${ann.conversationId}/files/junk`, undefined, ann.token)
    for (let i = 0; i < 12; i += 1) {
      const all = await Promise.all(Array.from({ length: 100 }, (_, at) => (at % 2 ? own() : link())))
      expect(new Set(all.map(({ status }) => status))).toEqual(new Set([404]))
    }
    for (const ask of [link, own]) expect((await ask()).status).toBe(429)
    expect((await from('192.0.2.72', '/api/files/junk/x.png')).status).toBe(404)
  })
  it('notifications per key', async () => {
    const { secret } = await makeKey(gateway.url, await login(gateway.url), { kind: 'thirdParty' })
    const body = { to: '+1', text: 'hi' }
    const all = await Promise.all(
      Array.from({ length: 150 }, () => from('192.0.2.41', '/api/channels/sms/messages', body, secret)),
    )
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([202, 429]))
  })
})
