// §4 credentials: login, the routes of supervisors and agents, and the rotation of SECRET_KEY.
import { makeKey } from '../../../support/carrier'
import { eventually } from '../../../support/eventually'
import { ADMIN, newFolder, openGateway, removeFolder } from '../../../support/gateway'
import { connect, customer, hire, init, joining, login, post, request } from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const gateway = withGateway()
let supervisor: string
beforeAll(async () => {
  supervisor = await login(gateway.url)
})
const send = (method: string, path: string, body?: object, token = supervisor) =>
  request(gateway.url, path, { method, ...(body && { body: JSON.stringify(body) }) }, token)
type Agent = { id: string; username: string; name: string; role: string; disabled: boolean }
const agents = async () => (await send('GET', '/api/admin/agents')).json['agents'] as Agent[]

describe('§4 POST /api/agent/login', () => {
  it('answers {token, agent: {id, name, role}}; ADMIN_USER is the first supervisor', async () => {
    const { status, json } = await post(gateway.url, '/api/agent/login', ADMIN)
    expect(status).toBe(200)
    expect(json).toEqual({
      token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) as string,
      agent: { id: expect.any(String) as string, name: 'admin', role: 'supervisor' },
    })
  })
  it('401 for a wrong password as for an unknown name, with the same sentence', async () => {
    const wrong = await post(gateway.url, '/api/agent/login', { ...ADMIN, password: 'wrong' })
    const unknown = await post(gateway.url, '/api/agent/login', { ...ADMIN, username: 'nobody' })
    expect([wrong.status, unknown.status]).toEqual([401, 401])
    expect(wrong.json).toEqual(unknown.json)
  })
})

describe('§4 /api/admin/agents', () => {
  it('create, list, name, role', async () => {
    const body = { username: 'bo', password: 'twelve letters', name: 'Bo', role: 'agent' }
    const made = await send('POST', '/api/admin/agents', body)
    expect(made.status).toBe(201)
    expect(made.text).not.toMatch(/password|twelve/)
    const { id } = made.json['agent'] as Agent
    expect(await agents()).toContainEqual(
      expect.objectContaining({ id, username: 'bo', name: 'Bo', role: 'agent', disabled: false }),
    )
    const changed = await send('PATCH', `/api/admin/agents/${id}`, { name: 'Bobo', role: 'supervisor' })
    expect(changed.json).toMatchObject({ agent: { id, name: 'Bobo', role: 'supervisor' } })
    expect((await send('POST', '/api/admin/agents', body)).status).toBe(409)
    expect((await send('POST', '/api/admin/agents', { ...body, username: 'cy', password: 'short' })).status).toBe(400)
  })
  it('password reset: the old password and the old token are void', async () => {
    const { token, id } = await hire(gateway.url, 'dee')
    await send('PATCH', `/api/admin/agents/${id}`, { password: 'another of twelve' })
    expect((await send('GET', '/api/agent/conversations', undefined, token)).status).toBe(401)
    await expect(login(gateway.url, { username: 'dee', password: 'a password of twelve' })).rejects.toThrow('401')
    expect(await login(gateway.url, { username: 'dee', password: 'another of twelve' })).toContain('.')
  })
  it.each([
    ['disable', 'PATCH', { disabled: true }, 200],
    ['delete', 'DELETE', undefined, 204],
  ])('%s: sockets close, with an error 401', async (verb, method, body, status) => {
    const { token, id } = await hire(gateway.url, `gone-${verb}`)
    const socket = await connect(gateway.url, { auth: { token } })
    expect((await send(method, `/api/admin/agents/${id}`, body)).status).toBe(status)
    await eventually(() => !socket.socket.connected)
    expect(socket.heard).toMatchObject([{ event: 'error', body: { code: 401 } }])
    await expect(connect(gateway.url, { auth: { token } })).rejects.toMatchObject({ data: { code: 401 } })
  })
  it('the last supervisor stays: 409', async () => {
    const fresh = await openGateway()
    try {
      const token = await login(fresh.url)
      const list = await request(fresh.url, '/api/admin/agents', {}, token)
      const [first] = list.json['agents'] as Agent[]
      const path = `/api/admin/agents/${first!.id}`
      expect((await request(fresh.url, path, { method: 'DELETE' }, token)).status).toBe(409)
      const demote = { method: 'PATCH', body: JSON.stringify({ role: 'agent' }) }
      expect((await request(fresh.url, path, demote, token)).status).toBe(409)
    } finally {
      await fresh.close()
    }
  })
})

describe('§4 /api/admin/keys', () => {
  it('the key is answered once', async () => {
    const { id, secret } = await makeKey(gateway.url, supervisor, { kind: 'connector', channel: 'once', account: 'a' })
    const listed = await send('GET', '/api/admin/keys')
    expect(listed.json['keys']).toContainEqual(
      expect.objectContaining({ id, kind: 'connector', channel: 'once', account: 'a', name: 'a key' }),
    )
    expect(listed.text).not.toContain(secret)
    expect(listed.text).not.toContain('hash')
  })
  it('two per scope for rotation: a third is 409', async () => {
    const wish = { kind: 'thirdParty', channel: 'two' }
    await makeKey(gateway.url, supervisor, wish)
    await makeKey(gateway.url, supervisor, wish)
    await expect(makeKey(gateway.url, supervisor, wish)).rejects.toThrow('409')
    await makeKey(gateway.url, supervisor, { ...wish, account: 'another' })
  })
  it('scoped to channel and account', async () => {
    const { secret } = await makeKey(gateway.url, supervisor, { kind: 'connector', channel: 'scoped', account: 'mine' })
    const ask = async (body: object) =>
      (await post(gateway.url, '/api/customer/init', { refId: '+1', ...body }, secret)).status
    expect(await ask({ channel: 'scoped', account: 'mine' })).toBe(200)
    expect(await ask({ channel: 'scoped', account: 'theirs' })).toBe(401)
    expect(await ask({ channel: 'scoped' })).toBe(401)
    expect(await ask({ channel: 'other', account: 'mine' })).toBe(401)
  })
  it('revocable: its sockets close, and it opens nothing', async () => {
    const { id, secret } = await makeKey(gateway.url, supervisor, { kind: 'connector', channel: 'revoked' })
    const socket = await connect(gateway.url, { auth: { token: secret } })
    expect((await send('DELETE', `/api/admin/keys/${id}`)).status).toBe(204)
    await eventually(() => !socket.socket.connected)
    await expect(connect(gateway.url, { auth: { token: secret } })).rejects.toMatchObject({ data: { code: 401 } })
    expect((await send('DELETE', `/api/admin/keys/${id}`)).status).toBe(404)
  })
})

describe('§4 who may', () => {
  const routes: [string, string][] = [
    ['POST', '/api/admin/agents'],
    ['GET', '/api/admin/agents'],
    ['PATCH', '/api/admin/agents/x'],
    ['DELETE', '/api/admin/agents/x'],
    ['POST', '/api/admin/keys'],
    ['GET', '/api/admin/keys'],
    ['DELETE', '/api/admin/keys/x'],
    ['GET', '/api/admin/dead-letters'],
    ['POST', '/api/admin/dead-letters/x/replay'],
    ['POST', '/api/admin/erasures'],
    ['PUT', '/api/admin/conversations/x/hold'],
    ['GET', '/api/admin/retention'],
  ]
  it.each(routes)('%s %s: supervisors only; 401 without a credential, 403 for an agent', async (method, path) => {
    const body = method === 'GET' || method === 'DELETE' ? undefined : {}
    const { token } = await hire(gateway.url, `may-${method}${path.replaceAll('/', '-')}`)
    const nobody = await request(gateway.url, path, { method, ...(body && { body: '{}' }) })
    expect(nobody.status).toBe(401)
    expect((await send(method, path, body, token)).status).toBe(403)
    expect([200, 400, 404]).toContain((await send(method, path, body)).status)
  })
  it('`GET /api/agent/conversations?state=`: agents; active ones, ended ones, page by page', async () => {
    const { token } = await hire(gateway.url, 'lister')
    const list = async (query: string) => {
      const { status, json } = await send('GET', `/api/agent/conversations${query}`, undefined, token)
      if (status !== 200) return status
      return (json['conversations'] as { id: string }[]).map(({ id }) => id)
    }
    const [live, over] = [await customer(gateway.url), await customer(gateway.url)]
    const unjoined = await init(gateway.url)
    await over.call('endConversation', { conversationId: over.conversationId })
    expect(await list('')).toEqual([live.conversationId])
    expect(await list('?state=active')).not.toContain(unjoined.conversationId)
    expect(await list('?state=ended')).toEqual([over.conversationId])
    expect(await list(`?state=active&limit=1&after=${live.conversationId}`)).toEqual([])
    expect(await list('?state=other')).toBe(400)
    expect((await request(gateway.url, '/api/agent/conversations')).status).toBe(401)
    expect((await request(gateway.url, '/api/agent/conversations', {}, live.token)).status).toBe(403)
  })
})

describe('§4 `SECRET_KEY` holds one or two keys: the first signs, both verify', () => {
  it('handles, customers’ and staff tokens of the old key are good beside a new one, and void without it', async () => {
    const [OLD, NEW] = ['an old secret key of thirty-two bytes', 'a new secret key of thirty-two bytes']
    const dataDir = await newFolder()
    const run = async <T>(keys: string, work: (url: string) => Promise<T>): Promise<T> => {
      const one = await openGateway({ SECRET_KEY: keys }, { dataDir })
      try {
        return await work(one.url)
      } finally {
        await one.close()
      }
    }
    const asks = (started: Awaited<ReturnType<typeof init>>, staff: string) => async (url: string) => {
      const someone = await connect(url)
      const joined = await someone.call('joinConversation', { ...joining(started), token: undefined })
      const renewed = await post(url, '/api/customer/token', {
        conversationId: started.conversationId,
        id: started.participant.id,
      })
      const signedIn = await request(url, '/api/agent/conversations', {}, staff)
      const customers = await connect(url, { auth: { token: started.token } }).then(
        () => 200,
        () => 401,
      )
      return [joined.code, renewed.status, signedIn.status, customers]
    }
    const old = await run(OLD, async (url) => [await init(url), await login(url)] as const)
    expect(await run(`${NEW},${OLD}`, asks(...old))).toEqual([200, 200, 200, 200])
    const made = await run(`${NEW},${OLD}`, async (url) => [await init(url), await login(url)] as const)
    expect(await run(NEW, asks(...made))).toEqual([200, 200, 200, 200])
    expect(await run(NEW, asks(...old))).toEqual([404, 404, 401, 401])
    await removeFolder(dataDir)
  })
})
