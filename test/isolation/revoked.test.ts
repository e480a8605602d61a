// Credentials that are void: taken away, changed or run out, they open nothing from that moment on, on sockets and on REST.
import { eventually } from '../support/eventually'
import { ADMIN, openGateway } from '../support/gateway'
import {
  agentIn,
  connect,
  customer,
  hire,
  init,
  joining,
  login,
  post,
  request,
  say,
  type Someone,
} from '../support/people'

const PASSWORD = 'a password of twelve'
const UNAUTHORIZED = {
  code: 401,
  error: expect.objectContaining({ code: 'unauthorized', retryable: false }) as unknown,
}

let gateway: Awaited<ReturnType<typeof openGateway>>
let admin: string
let skipped = 0
/** The gateway's clock: hours can be skipped. */
const now = () => new Date(Date.now() + skipped)
beforeAll(async () => {
  gateway = await openGateway({}, { now })
  admin = await login(gateway.url)
})
afterAll(() => gateway.close())
beforeEach(() => {
  skipped = 0
})

const manage = (method: string, path: string, body?: object) =>
  request(gateway.url, path, { method, ...(body && { body: JSON.stringify(body) }) }, admin)
async function expectClosed({ socket, heard }: Someone): Promise<void> {
  await eventually(() => expect(socket.connected).toBe(false))
  expect(heard).toContainEqual({ event: 'error', body: expect.objectContaining(UNAUTHORIZED) as unknown })
}
async function expectRefused(token: string): Promise<void> {
  const { url } = gateway
  const answer = await request(url, '/api/agent/conversations', {}, token)
  expect(answer).toMatchObject({ status: 401, json: { error: { code: 'unauthorized' } } })
  await expect(connect(url, { auth: { token } })).rejects.toMatchObject({ data: UNAUTHORIZED })
}

describe('a member of the staff', () => {
  let count = 0
  const newcomer = async () => {
    const username = `agent-${(count += 1)}`
    return { username, ...(await hire(gateway.url, username, 'supervisor')) }
  }
  const changes: [string, (id: string) => Promise<{ status: number }>][] = [
    ['is disabled', (id) => manage('PATCH', `/api/admin/agents/${id}`, { disabled: true })],
    ['gets another password', (id) => manage('PATCH', `/api/admin/agents/${id}`, { password: 'another password' })],
    ['gets another role', (id) => manage('PATCH', `/api/admin/agents/${id}`, { role: 'agent' })],
    ['is deleted', (id) => manage('DELETE', `/api/admin/agents/${id}`)],
  ]

  it.each(changes)('who %s hears and reaches nothing any more', async (_how, change) => {
    const { url } = gateway
    const { token, id, username } = await newcomer()
    const ann = await customer(url)
    const agent = await agentIn(url, ann.conversationId, token)
    const idle = await connect(url, { auth: { token } })
    expect((await change(id)).status).toBeLessThan(300)
    await expectClosed(agent)
    await expectClosed(idle)
    await expectRefused(token)
    await ann.call('sendMessage', say(ann.conversationId, 'after the change'))
    expect(JSON.stringify(agent.heard)).not.toContain('after the change')
    const again = await post(url, '/api/agent/login', { username, password: PASSWORD })
    expect(again.status).toBe(_how === 'gets another role' ? 200 : 401)
    ann.close()
  })

  it('keeps the token when a change changes nothing', async () => {
    const { token, id, username } = await newcomer()
    const idle = await connect(gateway.url, { auth: { token } })
    expect((await manage('PATCH', `/api/admin/agents/${id}`, { role: 'supervisor', name: username })).status).toBe(200)
    expect(await idle.call('registerBot', {})).toMatchObject({ code: 501 })
    idle.close()
  })

  it('is signed out after 12 hours, speaking or listening', async () => {
    const { url } = gateway
    const { token } = await newcomer()
    const ann = await customer(url)
    const listener = await agentIn(url, ann.conversationId, token)
    const speaker = await agentIn(url, ann.conversationId, token)
    const idle = await connect(url, { auth: { token } })
    skipped = 11.9 * 3_600_000
    expect(await ann.call('sendMessage', say(ann.conversationId, 'before'))).toMatchObject({ code: 200 })
    await eventually(() => expect(listener.words()).toContain('before'))
    skipped = 12.1 * 3_600_000
    expect(await speaker.call('sendMessage', say(ann.conversationId, 'too late'))).toMatchObject(UNAUTHORIZED)
    await expectClosed(speaker)
    expect(await ann.call('sendMessage', say(ann.conversationId, 'a secret'))).toMatchObject({ code: 200 })
    await expectClosed(listener)
    const other = await customer(url)
    await expectClosed(idle)
    await expectRefused(token)
    expect(JSON.stringify([listener.bytes, speaker.bytes])).not.toContain('a secret')
    expect(JSON.stringify(idle.bytes)).not.toContain(other.conversationId)
    ann.close()
    other.close()
  })
})

describe('an API key', () => {
  it('that is deleted closes its sockets and opens nothing', async () => {
    const { url } = gateway
    const wish = { name: 'k', kind: 'connector', channel: 'fax' }
    const made = (await manage('POST', '/api/admin/keys', wish)).json['key'] as { id: string; secret: string }
    const byKey = await connect(url, { auth: { token: made.secret } })
    await byKey.call('registerConnector', { id: 'fax', channel: 'fax' })
    const inBody = await connect(url)
    const registered = await inBody.call('registerConnector', { id: 'fax', instance: '2', key: made.secret })
    expect(registered).toMatchObject({ code: 200 })
    expect((await manage('DELETE', `/api/admin/keys/${made.id}`)).status).toBe(204)
    await expectClosed(byKey)
    await expectClosed(inBody)
    await expectRefused(made.secret)
    const late = await connect(url)
    expect(await late.call('registerConnector', { id: 'fax', key: made.secret })).toMatchObject(UNAUTHORIZED)
    const started = await post(url, '/api/customer/init', { channel: 'fax', refId: '1', key: made.secret })
    expect(started.status).toBe(401)
    late.close()
  })
  it('of a third party that is deleted sends nothing more', async () => {
    const wish = { name: 'k', kind: 'thirdParty', channel: 'fax' }
    const made = (await manage('POST', '/api/admin/keys', wish)).json['key'] as { id: string; secret: string }
    const send = () => post(gateway.url, '/api/channels/fax/messages', { to: '1', text: 'buy' }, made.secret)
    const sent = await send()
    expect(sent.status).toBe(202)
    await manage('DELETE', `/api/admin/keys/${made.id}`)
    expect((await send()).status).toBe(401)
    const path = `/api/channels/fax/messages/${String(sent.json['id'])}`
    expect((await request(gateway.url, path, {}, made.secret)).status).toBe(401)
  })
})

describe('a customer’s token', () => {
  it('of another conversation is refused wherever one may stand', async () => {
    const { url } = gateway
    const [ann, eve] = [await init(url), await init(url, { refId: 'eve' })]
    const someone = await connect(url)
    const withEves = { ...joining(ann), token: eve.token }
    expect(await someone.call('joinConversation', withEves)).toMatchObject({ code: 404 })
    const asEve = await connect(url, { auth: { token: eve.token } })
    const handle = ann.participant.id
    expect(await asEve.call('joinConversation', { ...joining(ann), token: undefined })).toMatchObject({ code: 404 })
    const body = { conversationId: ann.conversationId, id: handle, token: eve.token }
    expect((await post(url, '/api/customer/token', body)).status).toBe(404)
    expect((await post(url, '/api/customer/token', { ...body, token: undefined }, eve.token)).status).toBe(404)
    await someone.call('joinConversation', joining(ann))
    await someone.call('endConversation', { conversationId: ann.conversationId })
    const path = `/api/customer/transcript/${ann.conversationId}/json`
    expect((await request(url, path, {}, eve.token)).status).toBe(404)
    expect((await request(url, path, {}, ann.token)).status).toBe(200)
    someone.close()
    asEve.close()
  })

  it('runs out after a day', async () => {
    const { url } = gateway
    const ann = await init(url)
    const open = await connect(url, { auth: { token: ann.token } })
    expect(await open.call('joinConversation', joining(ann))).toMatchObject({ code: 200 })
    skipped = 24.1 * 3_600_000
    expect(await open.call('sendMessage', say(ann.conversationId, 'too late'))).toMatchObject(UNAUTHORIZED)
    await expectClosed(open)
    await expect(connect(url, { auth: { token: ann.token } })).rejects.toMatchObject({ data: UNAUTHORIZED })
    const again = await connect(url)
    expect(await again.call('joinConversation', joining(ann))).toMatchObject(UNAUTHORIZED)
    const path = `/api/customer/transcript/${ann.conversationId}/json`
    expect((await request(url, path, {}, ann.token)).status).toBe(401)
    const body = { conversationId: ann.conversationId, id: ann.participant.id, token: ann.token }
    expect((await post(url, '/api/customer/token', body)).status).toBe(401)
    again.close()
  })
  it('opens nothing that is the staff’s', async () => {
    const { url } = gateway
    const { token } = await init(url)
    const asked = await Promise.all(
      ['/api/agent/conversations', '/api/admin/agents', '/api/admin/keys', '/api/admin/dead-letters'].map(
        async (path) => (await request(url, path, {}, token)).status,
      ),
    )
    expect(asked).toEqual([403, 403, 403, 403])
  })
})

it('a wrong password tells as much as a wrong name', async () => {
  const wrong = await post(gateway.url, '/api/agent/login', { ...ADMIN, password: 'not the password' })
  const nobody = await post(gateway.url, '/api/agent/login', { username: 'nobody', password: 'not the password' })
  expect([wrong.status, wrong.text]).toEqual([401, nobody.text])
})
