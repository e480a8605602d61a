// §4 erasures, legal holds and retention, as supervisors, staff and the customer see them; and the data folder as bytes.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inbound, carrier, makeKey, texter } from '../../../support/carrier'
import { eventually } from '../../../support/eventually'
import { CONNECTOR_KEY, newFolder, openGateway, removeFolder } from '../../../support/gateway'
import {
  agentIn,
  connect,
  customer,
  hire,
  joining,
  login,
  pictureOf,
  post,
  request,
  say,
} from '../../../support/people'

let dataDir: string
let gateway: Awaited<ReturnType<typeof openGateway>>
let supervisor: string
const settings = { RETENTION: 'sms=90d,*=365d' }
beforeAll(async () => {
  dataDir = await newFolder()
  gateway = await openGateway(settings, { dataDir })
  supervisor = await login(gateway.url)
})
afterAll(async () => {
  await gateway.close()
  await removeFolder(dataDir)
})
const send = (method: string, path: string, body?: object, token = supervisor) =>
  request(gateway.url, path, { method, ...(body && { body: JSON.stringify(body) }) }, token)
const erase = (body: object) => send('POST', '/api/admin/erasures', body)
const hold = (id: string, body: object) => send('PUT', `/api/admin/conversations/${id}/hold`, body)
const transcript = (id: string, type: string, token: string) =>
  send('GET', `/api/customer/transcript/${id}/${type}`, undefined, token)

/** In which files of the folder a text stands, as it is or as JSON spells it. */
async function filesWith(...texts: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const bytes = await readFile(join(entry.parentPath, entry.name))
    for (const text of texts)
      if (bytes.includes(text) || bytes.includes(JSON.stringify(text).slice(1, -1)))
        found.push(`${entry.name}: ${text}`)
  }
  return found
}

describe('§4 POST /api/admin/erasures', () => {
  it('erases a conversation on the web: from the folder, for staff, for the customer, in transcripts; after a restart too', async () => {
    const words = ['Zebulon', 'Zimmermann', 'zeb@zebra.example', '+4917700112233', 'zebra "stripes"\nin a line', 'Zoë']
    const [firstName, lastName, email, phone, text, whisper] = words as [string, ...string[]]
    const wish = { refId: 'zebra-7', firstName, lastName, email, phone, comment: 'zebra comment', shoe: 'zebra-shoe' }
    const ann = await customer(gateway.url, wish)
    const { conversationId } = ann
    const { token } = await hire(gateway.url, 'bo')
    const bo = await agentIn(gateway.url, conversationId, token)
    await ann.call('sendMessage', say(conversationId, text!, { messageId: 'm1' }))
    await bo.call('sendMessage', say(conversationId, whisper!, { tag: 'whisper' }))
    const needles = [...words, 'zebra-7', 'zebra comment', 'zebra-shoe']
    expect(await filesWith(...needles)).not.toEqual([])

    const { status, json } = await erase({ conversationId })
    expect(status).toBe(200)
    expect(json['erasure']).toMatchObject({ conversations: 1, deliveries: 0, files: 0, storage: 'overwritten' })
    expect((json['erasure'] as { events: number }).events).toBeGreaterThanOrEqual(4)
    await eventually(() => bo.words().includes('conversationErased'))
    expect(bo.arrived().at(-1)).toMatchObject({
      activityType: 'conversationErased',
      tag: 'whisper',
      from: { name: 'admin' },
    })
    await eventually(() => ann.words().includes('endOfConversation'))
    expect(ann.words()).not.toContain('conversationErased')
    expect(await filesWith(...needles)).toEqual([])

    const check = async () => {
      expect(await filesWith(...needles)).toEqual([])
      const staff = await agentIn(gateway.url, conversationId, token)
      const picture = JSON.stringify([await pictureOf(staff), staff.arrived()])
      for (const needle of needles) expect(picture).not.toContain(JSON.stringify(needle).slice(1, -1))
      expect(picture).toContain(`erased:${conversationId}`)
      staff.close()
      const again = await connect(gateway.url)
      expect(await again.call('joinConversation', joining(ann))).toMatchObject({ code: 404 })
      again.close()
      for (const type of ['json', 'txt', 'html', 'csv']) {
        expect((await transcript(conversationId, type, ann.token)).status).toBe(404)
        expect((await transcript(conversationId, type, supervisor)).status).toBe(404)
      }
      const listed = await send('GET', '/api/agent/conversations?state=ended&limit=200')
      for (const needle of needles) expect(listed.text).not.toContain(JSON.stringify(needle).slice(1, -1))
    }
    await check()
    for (const one of [ann, bo]) one.close()
    await gateway.close()
    gateway = await openGateway(settings, { dataDir })
    await check()
    expect((await erase({ conversationId })).json['erasure']).toMatchObject({ conversations: 0, events: 0 })
  })

  it('erases a customer of a channel with all that was sent to them; they cannot be written to there, and may come back', async () => {
    const phone = '+4915566677788'
    const connector = await carrier(gateway.url, { answer: () => ({ code: 200, providerMessageId: `p-${phone}` }) })
    const first = (await connector.call('sendMessage', inbound(phone, 'quagga one'))) as unknown as {
      conversationId: string
    }
    const agent = await agentIn(gateway.url, first.conversationId, supervisor)
    await agent.call('sendMessage', say(first.conversationId, 'quagga two'))
    await eventually(() => connector.deliveries.length === 1)
    const { secret } = await makeKey(gateway.url, supervisor, { kind: 'thirdParty' })
    const notified = await post(gateway.url, '/api/channels/sms/messages', { to: phone, text: 'quagga three' }, secret)
    await eventually(() => connector.deliveries.length === 2)
    await connector.call('sendMessage', inbound(phone, 'STOP'))

    const { json } = await erase({ channel: 'sms', refId: phone })
    expect(json['erasure']).toMatchObject({
      ...{ conversations: 1, deliveries: 2, notifications: 1, suppression: 'keptAsHash', storage: 'overwritten' },
    })
    expect(await filesWith(phone, 'quagga')).toEqual([])
    const path = `/api/channels/sms/messages/${notified.json['id'] as string}`
    expect((await request(gateway.url, path, {}, secret)).text).not.toContain(phone)
    const refused = await post(gateway.url, '/api/channels/sms/messages', { to: phone, text: 'buy' }, secret)
    expect(refused.status).toBe(403)
    const repeated = await connector.call('sendMessage', inbound(phone, 'quagga one'))
    expect(repeated).toMatchObject({ code: 200, conversationId: first.conversationId })
    expect(await filesWith(phone, 'quagga')).toEqual([])

    await connector.call('sendMessage', inbound(phone, 'START'))
    await eventually(async () => {
      const { status } = await post(gateway.url, '/api/channels/sms/messages', { to: phone, text: 'welcome' }, secret)
      return status === 202
    })
    const { conversationId } = await texter(gateway.url, phone)
    expect(conversationId).not.toBe(first.conversationId)
    for (const one of [agent, connector]) one.close()
  })
  it('is of one account of ours where one is named', async () => {
    const init = (account: string) => texter(gateway.url, '+49300', { account })
    const [mine, theirs] = [await init('a'), await init('b')]
    expect((await erase({ channel: 'sms', account: 'a', refId: '+49300' })).json['erasure']).toMatchObject({
      conversations: 1,
    })
    expect((await init('b')).conversationId).toBe(theirs.conversationId)
    expect((await init('a')).conversationId).not.toBe(mine.conversationId)
  })
  it('400 for neither or both, 404 for no conversation, and nothing counted of an unknown customer', async () => {
    const { conversationId } = await customer(gateway.url)
    expect((await erase({})).status).toBe(400)
    expect((await erase({ channel: 'sms' })).status).toBe(400)
    expect((await erase({ conversationId, channel: 'web', refId: 'r1' })).status).toBe(400)
    expect((await erase({ conversationId: 'A'.repeat(22) })).status).toBe(404)
    expect((await erase({ channel: 'sms', refId: '+1000000' })).json['erasure']).toMatchObject({ conversations: 0 })
  })
})

describe('§4 PUT /api/admin/conversations/{conversationId}/hold', () => {
  it('a held conversation is not erased (409), neither alone nor with its customer, until the hold is lifted', async () => {
    const { conversationId } = await customer(gateway.url, { refId: 'held-1' })
    const held = await hold(conversationId, { hold: true, reason: 'case 7' })
    expect(held.json).toEqual({ conversationId, hold: true, reason: 'case 7', since: expect.any(String) as string })
    const refused = await erase({ conversationId })
    expect([refused.status, (await erase({ channel: 'web', refId: 'held-1' })).status]).toEqual([409, 409])
    expect(refused.text).toContain('hold')
    expect((await send('GET', '/api/admin/retention')).json['channels']).toContainEqual({
      channel: 'web',
      due: 0,
      held: 1,
    })
    expect((await hold(conversationId, { hold: false })).json).toEqual({ conversationId, hold: false })
    expect((await erase({ conversationId })).status).toBe(200)
    expect((await hold(conversationId, { hold: true })).status).toBe(409)
  })
  it('404 for no conversation, 400 for no answer to whether', async () => {
    expect((await hold('A'.repeat(22), { hold: true })).status).toBe(404)
    expect((await hold('x', { hold: true })).status).toBe(404)
    expect((await hold('x', {})).status).toBe(400)
  })
})

describe('§4 GET /api/admin/retention', () => {
  it('tells how long what ended is kept', async () => {
    expect((await send('GET', '/api/admin/retention')).json['rules']).toEqual([
      { channel: 'sms', days: 90 },
      { channel: '*', days: 365 },
    ])
  })
  it('is for supervisors: 401 without a credential, 403 for a connector', async () => {
    expect((await request(gateway.url, '/api/admin/retention')).status).toBe(401)
    expect((await send('GET', '/api/admin/retention', undefined, CONNECTOR_KEY.sms)).status).toBe(403)
  })
})
