// §1 `POST /api/customer/init`: one test for each row of its table of keys.
import { CONNECTOR_KEY } from '../../../support/gateway'
import { agentIn, init, login, pictureOf, post } from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const gateway = withGateway()
let supervisor: string
beforeAll(async () => {
  supervisor = await login(gateway.url)
})

type Body = Record<string, unknown>
/** What staff see of a conversation that was started with this body. */
async function seen(body: Body, key?: string): Promise<Body> {
  const { status, json, text } = await post(gateway.url, '/api/customer/init', body, key)
  if (status !== 200) throw new Error(text)
  const agent = await agentIn(gateway.url, json['conversationId'] as string, supervisor)
  const { conversation } = await pictureOf(agent)
  agent.close()
  return conversation
}
const start = (body: unknown) => post(gateway.url, '/api/customer/init', body)

describe('§1 keys are read case-insensitively at the top level', () => {
  it.each([
    ['channel', { channel: 'WEB', refId: 'r' }, { channel: 'web' }],
    ['Channel', { Channel: 'Web', refId: 'r' }, { channel: 'web' }],
    ['REFID', { channel: 'web', REFID: 'r7' }, { refId: 'r7' }],
    ['account', { channel: 'web', refId: 'r', account: 'shop' }, { account: 'shop' }],
    ['serviceIdentifier', { channel: 'web', refId: 'r', serviceIdentifier: 'shop' }, { account: 'shop' }],
    ['ServiceIdentifier, any capitals', { channel: 'web', refId: 'r', ServiceIDENTIFIER: 'shop' }, { account: 'shop' }],
    ['account, absent: empty', { channel: 'web', refId: 'r' }, { account: '' }],
    ['FIRSTNAME', { channel: 'web', refId: 'r', FIRSTNAME: 'Nadia' }, { customer: { firstName: 'Nadia' } }],
    ['LastName', { channel: 'web', refId: 'r', LastName: 'Khan' }, { customer: { lastName: 'Khan' } }],
    ['Email', { channel: 'web', refId: 'r', Email: 'a@b.example' }, { customer: { email: 'a@b.example' } }],
    ['Phone', { channel: 'web', refId: 'r', Phone: '+923' }, { customer: { phone: '+923' } }],
    ['Language', { channel: 'web', refId: 'r', Language: 'ur' }, { language: 'ur' }],
    ['language, absent: en', { channel: 'web', refId: 'r' }, { language: 'en' }],
    ['URL', { channel: 'web', refId: 'r', URL: 'https://shop.example/' }, { url: 'https://shop.example/' }],
    ['Comment', { channel: 'web', refId: 'r', Comment: 'urgent' }, { comment: 'urgent' }],
    ['subject', { channel: 'web', refId: 'r', subject: 'support' }, { subject: 'support' }],
    ['queue', { channel: 'web', refId: 'r', queue: 'sales' }, { subject: 'sales' }],
    ['subject, unknown: never an error', { channel: 'web', refId: 'r', subject: 'no such' }, { subject: 'no such' }],
    [
      'anything else',
      { channel: 'web', refId: 'r', plan: 'gold', seats: 3 },
      { channelData: { plan: 'gold', seats: 3 } },
    ],
  ])('%s', async (_row, body, expected) => {
    expect(await seen(body)).toMatchObject(expected)
  })

  it('the exact lower-camel spelling wins over any other, wherever it stands', async () => {
    const first = { channel: 'web', refId: 'exact', REFID: 'other', firstName: 'Exact', FirstName: 'Other' }
    const last = {
      Channel: 'sms',
      channel: 'web',
      RefId: 'other',
      refId: 'exact',
      FIRSTNAME: 'Other',
      firstName: 'Exact',
    }
    for (const body of [first, last])
      expect(await seen(body)).toMatchObject({ channel: 'web', refId: 'exact', customer: { firstName: 'Exact' } })
  })
  it('`facebook` = `fb`, for init and for the key that opens it alike', async () => {
    const made = await post(
      gateway.url,
      '/api/admin/keys',
      { name: 'fb', kind: 'connector', channel: 'Facebook' },
      supervisor,
    )
    const { secret } = made.json['key'] as { secret: string }
    expect(await seen({ channel: 'Facebook', refId: 'page 1' }, secret)).toMatchObject({ channel: 'fb' })
    expect(await seen({ channel: 'fb', refId: 'page 2' }, secret)).toMatchObject({ channel: 'fb' })
  })
  it.each([
    ['missing', { refId: 'r' }],
    ['empty', { channel: '', refId: 'r' }],
    ['null', { channel: null, refId: 'r' }],
    ['no text', { channel: { name: 'web' }, refId: 'r' }],
  ])('channel is required: %s answers 400 and names the key', async (_row, body) => {
    const { status, json } = await start(body)
    expect(status).toBe(400)
    expect(json).toMatchObject({ error: { code: 'invalidRequest', retryable: false, details: ['channel'] } })
  })
})

describe('§1 refId and identifiers', () => {
  it.each([
    ['itself, before phone and email', { refId: 'r', phone: '+1', email: 'a@b.example' }, 'r'],
    ['to phone, before email', { phone: '+1', email: 'a@b.example' }, '+1'],
    ['to email', { email: 'a@b.example' }, 'a@b.example'],
    ['a number becomes text', { refId: 923001234567 }, '923001234567'],
    ['a phone that is a number becomes text', { phone: 923001234567 }, '923001234567'],
    ['null is absent', { refId: null, phone: '+1' }, '+1'],
  ])('refId defaults: %s', async (_row, body, refId) => {
    expect(await seen({ channel: 'web', ...body })).toMatchObject({ refId })
  })
  it.each([
    ['refId', { refId: 'r' }],
    ['phone', { phone: '+1' }],
    ['email', { email: 'a@b.example' }],
    ['any other unlisted key with a text', { customerNumber: 'K-17' }],
    ['any other unlisted key with a number', { customerNumber: 17 }],
  ])('at least one identifier besides channel: %s is enough', async (_row, body) => {
    expect((await start({ channel: 'web', ...body })).status).toBe(200)
  })
  it.each([
    ['none', {}],
    ['empty texts only', { refId: '', phone: '', email: '', other: '' }],
    [
      'listed keys that identify nobody',
      { firstName: 'Ann', subject: 'sales', comment: 'hi', url: 'x', language: 'en' },
    ],
    ['an unlisted key that is no text or number', { vip: true, tags: ['a'] }],
  ])('at least one identifier besides channel: %s answers 400', async (_row, body) => {
    const { status, json } = await start({ channel: 'web', ...body })
    expect(status).toBe(400)
    expect(json).toMatchObject({ error: { code: 'invalidRequest' } })
    expect(json).not.toHaveProperty('conversationId')
  })
})

describe('§1 requestId, timestamp and the answer', () => {
  it('requestId is made when absent, and given back when there', async () => {
    const made = await init(gateway.url, { refId: 'a' })
    expect(made.requestId).toMatch(/^\S{16,}$/)
    expect((await init(gateway.url, { refId: 'b', requestId: 'mine 1' })).requestId).toBe('mine 1')
    expect((await init(gateway.url, { refId: 'c', reqestId: 'mine 2' })).requestId).toBe('mine 2')
    expect((await init(gateway.url, { refId: 'd', requestId: 'mine 3', reqestId: 'no' })).requestId).toBe('mine 3')
  })
  it.each(['2026-11-20T10:15:30.000Z', '2026-11-20T10:15:30+05:00', '2026-11-20 10:15:30'])(
    'timestamp %s is read',
    async (timestamp) => {
      expect((await start({ channel: 'web', refId: 'r', timestamp })).status).toBe(200)
    },
  )
  it('timestamp that is none answers 400, names the path, and does not repeat the value', async () => {
    const { status, json, text } = await start({ channel: 'web', refId: 'r', timestamp: 'yesterday' })
    expect(status).toBe(400)
    expect(json).toMatchObject({ error: { details: ['timestamp'] } })
    expect(text).not.toContain('yesterday')
  })
  it('the answer holds both spellings of participant and timestamp, and the server’s time', async () => {
    const before = Date.now()
    const { json } = await start({ channel: 'web', refId: 'r', firstName: 'Nadia', timestamp: '2020-01-01 00:00:00' })
    expect(json).toMatchObject({ participant: { name: 'Nadia' } })
    expect(json['Participant']).toEqual(json['participant'])
    expect(json['Timestamp']).toBe(json['timestamp'])
    expect(json['timestamp']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(Date.parse(json['timestamp'] as string)).toBeGreaterThanOrEqual(before)
    expect(typeof json['token']).toBe('string')
  })
  it('`key` in the body is a credential: it opens the channel and is not passed through', async () => {
    const conversation = await seen({ channel: 'sms', refId: '+1', key: CONNECTOR_KEY.sms, plan: 'gold' })
    expect(conversation['channelData']).toEqual({ plan: 'gold' })
    expect(JSON.stringify(conversation)).not.toContain(CONNECTOR_KEY.sms)
  })
})
