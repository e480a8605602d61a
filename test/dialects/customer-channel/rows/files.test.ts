// Files: sent into a conversation, said in its messages, seen by those who are in it, and by nobody else.
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { eventually } from '../../../support/eventually'
import { CONNECTOR_KEY, newFolder, removeFolder, openGateway } from '../../../support/gateway'
import { agentIn, connect, customer, hire, init, latest, login, post, say } from '../../../support/people'
import { bytesOf, png, upload } from '../../../support/uploading'

let gateway: Awaited<ReturnType<typeof openGateway>>
let dataDir: string
let agent: { token: string }
let picture: Uint8Array<ArrayBuffer>
beforeAll(async () => {
  dataDir = await newFolder()
  gateway = await openGateway({}, { dataDir })
  agent = await hire(gateway.url, 'bo')
  picture = await png()
})
afterAll(async () => {
  await gateway.close()
  await removeFolder(dataDir)
})

async function two() {
  const ann = await customer(gateway.url)
  const bo = await agentIn(gateway.url, ann.conversationId, agent.token)
  return { ann, bo, conversationId: ann.conversationId }
}
type Attachment = Record<'type' | 'name' | 'contentUrl', string> & { size?: number; thumbnailUrl?: string }
const attachmentsOf = (body: Record<string, unknown>) => body['attachments'] as Attachment[]
const kept = async () =>
  (await readdir(join(dataDir, 'files'), { recursive: true, withFileTypes: true })).filter((one) => one.isFile())

describe('a file', () => {
  it('is sent, said, and opened by everybody in the conversation, each by a link of their own', async () => {
    const { ann, bo, conversationId } = await two()
    const sent = await upload(gateway.url, conversationId, ann.token, { bytes: picture, name: 'Grüße.png' })
    expect(sent).toMatchObject({ status: 201, json: { type: 'image/png', name: 'Grüße.png', size: picture.length } })
    const said = await ann.call('sendMessage', say(conversationId, 'look', { attachments: [sent.json] }))
    expect(said.code).toBe(200)
    const [attachment] = attachmentsOf(await latest(bo, 'look'))
    expect(attachment).toMatchObject({ type: 'image/png', name: 'Grüße.png', size: picture.length })
    expect(attachment!.contentUrl).not.toBe(sent.json.contentUrl)
    const whole = await fetch(attachment!.contentUrl)
    expect(whole.status).toBe(200)
    expect(Buffer.from(await whole.arrayBuffer()).equals(Buffer.from(picture))).toBe(true)
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
      'referrer-policy': 'no-referrer',
    })
    const small = await fetch(attachment!.thumbnailUrl!)
    expect(small.status).toBe(200)
    expect(Number(small.headers.get('content-length'))).toBeLessThan(20_000)
  })
  it('is answered in parts, and told to who has it already', async () => {
    const { ann, conversationId } = await two()
    const { json } = await upload(gateway.url, conversationId, ann.token, {
      bytes: bytesOf('0123456789'),
      name: 'n.txt',
    })
    const part = await fetch(json.contentUrl, { headers: { range: 'bytes=2-4' } })
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, 'bytes 2-4/10', '234'])
    expect(part.headers.get('content-disposition')).toMatch(/^attachment; filename="n.txt"/)
    const known = await fetch(json.contentUrl, { headers: { 'if-none-match': part.headers.get('etag')! } })
    expect(known.status).toBe(304)
    const head = await fetch(json.contentUrl, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '10'])
  })
  it('is opened by the credential of its conversation, too', async () => {
    const { ann, conversationId } = await two()
    const { json } = await upload(gateway.url, conversationId, ann.participant.id, { bytes: picture, name: 'a.png' })
    const [fileId] = json.contentUrl.split('/api/files/')[1]!.split('.')
    const path = (id: string) => `${gateway.url}/api/customer/conversations/${id}/files/${fileId}`
    const asked = async (id: string, bearer: string, query = '') =>
      (await fetch(path(id) + query, { headers: { authorization: `Bearer ${bearer}` } })).status
    expect(await asked(conversationId, ann.token)).toBe(200)
    expect(await asked(conversationId, ann.token, '?thumbnail')).toBe(200)
    expect(await asked(conversationId, agent.token)).toBe(200)
    const other = await customer(gateway.url)
    expect(await asked(conversationId, other.token)).toBe(404)
    expect(await asked(other.conversationId, other.token)).toBe(404)
  })
  it('of a whisper reaches the staff, and has no way to the customer', async () => {
    const { ann, bo, conversationId } = await two()
    const eve = await agentIn(gateway.url, conversationId, await login(gateway.url))
    const { json } = await upload(gateway.url, conversationId, agent.token, { bytes: picture, name: 'secret.png' })
    await bo.call('sendMessage', say(conversationId, 'psst', { tag: 'whisper', attachments: [json] }))
    await bo.call('sendMessage', say(conversationId, 'hello'))
    expect(attachmentsOf(await latest(eve, 'psst'))).toHaveLength(1)
    await latest(ann, 'hello')
    expect(ann.bytes.join()).not.toContain('secret.png')
  })
})

describe('a message', () => {
  it('is not overtaken by what is said behind it while its file is looked up or stored', async () => {
    const { ann, bo, conversationId } = await two()
    const { json } = await upload(gateway.url, conversationId, ann.token, { bytes: picture, name: 'a.png' })
    const data = `data:image/png;base64,${Buffer.from(await png(8, 8)).toString('base64')}`
    const words = Array.from({ length: 30 }, (_, i) => `m${i}`)
    await Promise.all(
      words.map((text, i) => {
        const attachments = i % 3 === 0 ? [json] : i % 3 === 1 ? [{ contentUrl: data, name: 'b.png' }] : []
        return ann.call('sendMessage', say(conversationId, text, { messageId: text, attachments }))
      }),
    )
    await latest(bo, 'm29')
    expect(bo.words().filter((word) => word.startsWith('m'))).toEqual(words)
  })
  it('with a `data:` link keeps a file; said twice it keeps one', async () => {
    const { ann, bo, conversationId } = await two()
    const before = (await kept()).length
    const contentUrl = `data:image/png;base64,${Buffer.from(await png(8, 8)).toString('base64')}`
    const message = say(conversationId, 'inline', { messageId: 'm', attachments: [{ contentUrl, name: 'dot.png' }] })
    const first = await ann.call('sendMessage', message)
    const again = await ann.call('sendMessage', message)
    expect(again).toEqual(first)
    const [attachment] = attachmentsOf(await latest(bo, 'inline'))
    expect(attachment).toMatchObject({ type: 'image/png', name: 'dot.png' })
    expect(attachment!.contentUrl).toMatch(/^http/)
    expect((await fetch(attachment!.contentUrl)).status).toBe(200)
    // The file and its small picture.
    await eventually(async () => (await kept()).length === before + 2)
  })
  it.each([
    [
      'a drawing that runs scripts',
      `data:image/svg+xml;base64,${Buffer.from('<svg onload="x()"/>').toString('base64')}`,
    ],
    ['a page', 'data:text/html,<script>x()</script>'],
    ['what says that it is a picture', `data:image/png;base64,${Buffer.from('<html>').toString('base64')}`],
  ])('with a `data:` link to %s is refused', async (_what, contentUrl) => {
    const { ann, conversationId } = await two()
    const reply = await ann.call('sendMessage', say(conversationId, 'x', { attachments: [{ contentUrl }] }))
    expect(reply).toMatchObject({ code: 415, error: { code: 'unsupportedMediaType', retryable: false } })
  })
  it('with the link of another conversation’s file is refused, as with one that was tampered with', async () => {
    const { ann } = await two()
    const { json } = await upload(gateway.url, ann.conversationId, ann.token, { bytes: picture, name: 'a.png' })
    const other = await customer(gateway.url)
    const attach = (contentUrl: string) =>
      other.call('sendMessage', say(other.conversationId, 'mine', { attachments: [{ contentUrl }] }))
    const stolen = await attach(json.contentUrl)
    expect(stolen).toMatchObject({ code: 400, error: { details: ['attachments'] } })
    const forged = await attach(json.contentUrl.replace(/\.[\w-]{32}\//, `.${'A'.repeat(32)}/`))
    expect(forged).toEqual(stolen)
    expect((await fetch(json.contentUrl.replace(/\.o/, '.t'))).status).toBe(404)
  })
  it('keeps a foreign link as it is, and a thumbnail only that runs nothing', async () => {
    const { ann, bo, conversationId } = await two()
    const foreign = { type: 'image/png', name: 'x', contentUrl: 'https://example.org/api/files/abc/x' }
    const drawn = { ...foreign, thumbnailUrl: 'data:image/svg+xml,<svg/>' }
    await ann.call('sendMessage', say(conversationId, 'there', { attachments: [foreign, drawn] }))
    expect(attachmentsOf(await latest(bo, 'there'))).toEqual([foreign, foreign])
  })
})

describe('an upload', () => {
  it('is for who may speak: not for strangers, nor for staff who are not there, nor after the end', async () => {
    const { ann, conversationId } = await two()
    const file = { bytes: picture, name: 'a.png' }
    const other = await customer(gateway.url)
    const late = await hire(gateway.url, `late-${conversationId.slice(0, 5)}`)
    expect((await upload(gateway.url, conversationId, undefined, file)).status).toBe(401)
    expect((await upload(gateway.url, conversationId, other.token, file)).status).toBe(404)
    expect((await upload(gateway.url, conversationId, late.token, file)).status).toBe(404)
    await ann.call('endConversation', { conversationId })
    expect((await upload(gateway.url, conversationId, ann.token, file)).status).toBe(410)
  })
  it('that is refused before it is read is cut off when it goes on all the same', async () => {
    const { conversationId } = await two()
    const { hostname, port } = new URL(gateway.url)
    const socket = createConnection(Number(port), hostname)
    const heard: string[] = []
    socket.on('data', (chunk: Buffer) => heard.push(chunk.toString()))
    socket.on('error', () => undefined)
    const closed = once(socket, 'close')
    socket.write(
      `POST /api/customer/conversations/${conversationId}/files HTTP/1.1\r\nHost: x\r\n` +
        'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n',
    )
    const more = setInterval(() => socket.write('x'.repeat(100)), 100)
    try {
      await closed
    } finally {
      clearInterval(more)
      socket.destroy()
    }
    expect(heard.join()).toMatch(/^HTTP\/1.1 401 /)
  })
  it('of what is not taken is refused, whatever it is called, and leaves nothing', async () => {
    const { ann, conversationId } = await two()
    const before = (await kept()).length
    const page = { bytes: bytesOf('<!doctype html><script>x()</script>'), name: 'a.png' }
    const refused = await upload(gateway.url, conversationId, ann.token, page)
    expect(refused).toMatchObject({ status: 415, json: { error: { code: 'unsupportedMediaType' } } })
    const empty = await upload(gateway.url, conversationId, ann.token, { bytes: bytesOf(''), name: 'a.txt' })
    expect(empty.status).toBe(400)
    expect((await kept()).length).toBe(before)
  })
})

describe('a reader of a file', () => {
  /** A connection that asks for it and reads nothing. */
  function stalled(contentUrl: string) {
    const { hostname, port, pathname } = new URL(contentUrl)
    const socket = createConnection(Number(port), hostname).pause()
    let isGone = false
    socket.on('error', () => (isGone = true)).on('close', () => (isGone = true))
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: x\r\n\r\n`)
    // Who does not read learns of the end of a connection only by writing to it.
    const knocked = () => {
      socket.write('\r\n')
      return isGone
    }
    return { socket, knocked }
  }
  const large = { bytes: bytesOf('kettle '.repeat(3_000_000)), name: 'long.txt' }

  it('is cut off when they take too long, and has all of it when they do not', async () => {
    const hasty = await openGateway({}, { limits: { readerMs: 1_000 } })
    try {
      const ann = await customer(hasty.url)
      const { contentUrl } = (await upload(hasty.url, ann.conversationId, ann.token, large)).json
      const quick = await fetch(contentUrl)
      expect((await quick.arrayBuffer()).byteLength).toBe(large.bytes.length)
      const slow = stalled(contentUrl)
      await eventually(slow.knocked)
      slow.socket.destroy()
    } finally {
      await hasty.close()
    }
  })
})

describe('a connector', () => {
  it('sends what its customer sent, and is given links to what it carries', async () => {
    const address = { channel: 'sms', refId: '+491701234567' }
    const started = await init(gateway.url, address, CONNECTOR_KEY.sms)
    const { conversationId } = started
    const sms = await connect(gateway.url, { auth: { token: CONNECTOR_KEY.sms } })
    await sms.call('registerConnector', { id: 'sms' })
    const { status, json } = await upload(gateway.url, conversationId, CONNECTOR_KEY.sms, {
      bytes: picture,
      name: 'mms.png',
    })
    expect(status).toBe(201)
    const brought = { ...address, externalMessageId: 'p1', text: 'mms', type: 'ChatMessage', attachments: [json] }
    expect((await sms.call('sendMessage', brought)).code).toBe(200)
    const bo = await agentIn(gateway.url, conversationId, agent.token)
    expect(attachmentsOf(await latest(bo, 'mms'))[0]).toMatchObject({ name: 'mms.png', size: picture.length })
    const answer = await upload(gateway.url, conversationId, agent.token, { bytes: picture, name: 'back.png' })
    await bo.call('sendMessage', say(conversationId, 'back', { attachments: [answer.json] }))
    const [carried] = attachmentsOf(await latest(sms, 'back'))
    expect((await fetch(carried!.contentUrl)).status).toBe(200)
  })
  it('brings a small file within a message that opens a conversation', async () => {
    const contentUrl = `data:image/png;base64,${Buffer.from(await png(8, 8)).toString('base64')}`
    const sms = await connect(gateway.url, { auth: { token: CONNECTOR_KEY.sms } })
    const brought = {
      channel: 'sms',
      refId: '+4917099',
      externalMessageId: 'p2',
      text: 'inline',
      attachments: [{ contentUrl }],
    }
    const first = await sms.call('sendMessage', brought)
    expect(first.code).toBe(200)
    expect(await sms.call('sendMessage', brought)).toEqual(first)
    const bo = await agentIn(gateway.url, String(first['conversationId']), agent.token)
    expect(attachmentsOf(await latest(bo, 'inline'))[0]!.contentUrl).toMatch(/^http/)
  })
  it('has no file by the key of another channel', async () => {
    const started = await init(gateway.url, { channel: 'sms', refId: '+49170777' }, CONNECTOR_KEY.sms)
    const file = { bytes: picture, name: 'a.png' }
    expect((await upload(gateway.url, started.conversationId, CONNECTOR_KEY.echo, file)).status).toBe(404)
    expect((await post(gateway.url, `/api/customer/conversations/${started.conversationId}/files`, {})).status).toBe(
      401,
    )
  })
})
