// §3 the transcript: forms, credentials, and when there is none.
import { carrier, inbound } from '../../../support/carrier'
import { TestClock } from '../../../support/databases'
import { eventually } from '../../../support/eventually'
import { CONNECTOR_KEY } from '../../../support/gateway'
import { agentIn, customer, hire, init, login, request, say } from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const clock = new TestClock()
const gateway = withGateway({}, { now: clock.now })
let supervisor: string
beforeAll(async () => {
  supervisor = await login(gateway.url)
})
const read = (conversationId: string, type: string, token?: string) =>
  request(gateway.url, `/api/customer/transcript/${conversationId}/${type}`, {}, token)

/** A chat that has ended, with a whisper in it, and words that a table or a page would run. */
async function ended(more: Record<string, unknown> = {}, answer = 'hello & <b>welcome</b>') {
  const ann = await customer(gateway.url, more)
  const { conversationId, participant, token } = ann
  await ann.call(
    'sendMessage',
    say(conversationId, '=1+1', { attachments: [{ name: 'a.png', contentUrl: 'https://f.example/a' }] }),
  )
  if (answer !== '') {
    const bo = await agentIn(gateway.url, conversationId, supervisor)
    await bo.call('sendMessage', say(conversationId, 'psst', { tag: 'whisper' }))
    await bo.call('sendMessage', say(conversationId, answer))
  }
  await ann.call('endConversation', { conversationId })
  return { ann, conversationId, handle: participant.id, token }
}

describe('§3 GET /api/customer/transcript/{conversationId}/{type}', () => {
  it('`json`', async () => {
    const { conversationId, token } = await ended()
    const { status, json, headers } = await read(conversationId, 'json', token)
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8'])
    expect(json).toMatchObject({
      conversationId,
      channel: 'web',
      startedAt: expect.any(String) as string,
      endedAt: expect.any(String) as string,
      lines: [
        {
          seq: 2,
          from: { name: 'Ann', type: 'Customer' },
          text: '=1+1',
          attachments: [{ contentUrl: 'https://f.example/a' }],
        },
        { seq: 4, from: { name: 'admin', type: 'Agent' }, text: 'hello & <b>welcome</b>' },
      ],
    })
  })
  it('`txt`', async () => {
    const { conversationId, token } = await ended()
    const { text, headers } = await read(conversationId, 'txt', token)
    expect(headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(text).toMatch(/^2030-\d\d-\d\d \d\d:\d\d:\d\d {2}Ann: =1\+1$/m)
    expect(text).toContain('https://f.example/a')
  })
  it('`html`, with everything escaped', async () => {
    const { conversationId, token } = await ended()
    const { text, headers } = await read(conversationId, 'html', token)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(text).toContain('hello &amp; &lt;b&gt;welcome&lt;/b&gt;')
    expect(text).not.toContain('<b>')
  })
  it('`csv`, in which no cell is a formula', async () => {
    const { conversationId, token } = await ended()
    const { text, headers } = await read(conversationId, 'csv', token)
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8')
    const [head] = text.split('\r\n')
    expect(head).toMatch(/^"seq","at","from","text","attachments",/)
    expect(text).toContain(`"Ann","'=1+1"`)
  })
  it('`pdf`, as a file, and not again to who has it', async () => {
    const { conversationId, token } = await ended()
    const { status, text, headers } = await read(conversationId, 'pdf', token)
    expect([status, headers.get('content-type')]).toEqual([200, 'application/pdf'])
    expect(headers.get('content-disposition')).toMatch(/^attachment; filename="conversation-2030-[\w-]+\.pdf"$/)
    expect(text).toMatch(/^%PDF-1\.\d/)
    expect(text).toMatch(/%%EOF\s*$/)
    const again = await request(
      gateway.url,
      `/api/customer/transcript/${conversationId}/pdf`,
      { headers: { 'if-none-match': headers.get('etag')! } },
      token,
    )
    expect([again.status, again.text]).toEqual([304, ''])
  })
  it('`email`: 503 with a sentence without a mail server', async () => {
    const { conversationId, token } = await ended({ email: 'a@b.example' })
    const { status, json } = await read(conversationId, 'email', token)
    expect(status).toBe(503)
    expect(json).toMatchObject({
      error: { code: 'unavailable', retryable: false, message: expect.stringContaining('SMTP_URL') as string },
    })
  })
  it('in a time zone and a language that are asked for', async () => {
    const { conversationId, token } = await ended()
    const { text } = await read(conversationId, 'html?timeZone=Asia/Karachi&language=de', token)
    expect(text).toContain('lang="de"')
    expect(text).toContain('Gespräch')
    expect((await read(conversationId, 'html?timeZone=Mars/Olympus', token)).status).toBe(400)
  })
  it.each(['JSON', 'Txt', 'hTmL', 'CSV'])('`type`, case-insensitive: %s', async (type) => {
    const { conversationId, token } = await ended()
    expect((await read(conversationId, type, token)).status).toBe(200)
  })
  it('400 for another type', async () => {
    const { conversationId, token } = await ended()
    const { status, json } = await read(conversationId, 'docx', token)
    expect(status).toBe(400)
    expect(json).toMatchObject({ error: { details: ['type'] } })
  })
  it('always the customer’s form: no whisper, whoever asks', async () => {
    const { conversationId, token } = await ended()
    for (const type of ['json', 'txt', 'html', 'csv'])
      for (const who of [token, supervisor]) {
        const { status, text } = await read(conversationId, type, who)
        expect(status).toBe(200)
        expect(text).not.toContain('psst')
      }
  })
  it('`Cache-Control: no-store`, `Referrer-Policy: no-referrer`', async () => {
    const { conversationId, token } = await ended()
    for (const type of ['json', 'txt', 'html', 'csv']) {
      const { headers } = await read(conversationId, type, token)
      expect([headers.get('cache-control'), headers.get('referrer-policy')]).toEqual(['no-store', 'no-referrer'])
    }
  })
})

describe('§3 404', () => {
  it('for an unknown or a still running conversation', async () => {
    const { conversationId, token } = await init(gateway.url)
    for (const type of ['json', 'pdf', 'email'])
      for (const id of [conversationId, 'A'.repeat(22), 'x']) expect((await read(id, type, token)).status).toBe(404)
  })
  it('for one without an address to mail to', async () => {
    const { conversationId, token } = await ended()
    expect((await read(conversationId, 'email', token)).status).toBe(404)
  })
})

describe('§3 the credential', () => {
  it.each(['the token', 'the handle'])('%s of this conversation; of another it is a 404', async (which) => {
    const [mine, other] = [await ended(), await ended()]
    const of = (chat: typeof mine) => (which === 'the token' ? chat.token : chat.handle)
    expect((await read(mine.conversationId, 'txt', of(mine))).status).toBe(200)
    const foreign = await read(mine.conversationId, 'txt', of(other))
    expect([401, 404]).toContain(foreign.status)
    expect(foreign.text).not.toContain('1+1')
  })
  it('an agent who was there, or a supervisor; no other agent, no connector', async () => {
    const { conversationId } = await ended()
    const { token } = await hire(gateway.url, 'elsewhere')
    expect((await read(conversationId, 'txt', token)).status).toBe(404)
    expect((await read(conversationId, 'txt', CONNECTOR_KEY.sms)).status).toBe(404)
    expect((await read(conversationId, 'txt', supervisor)).status).toBe(200)
  })
  it('without one only `pdf`, for 15 min after the end, and `email`', async () => {
    const { conversationId } = await ended({ email: 'a@b.example' })
    for (const type of ['json', 'txt', 'html', 'csv']) expect((await read(conversationId, type)).status).toBe(404)
    expect((await read(conversationId, 'pdf')).status).toBe(200)
    expect((await read(conversationId, 'email')).status).toBe(503)
    clock.forward(16 * 60_000)
    expect((await read(conversationId, 'pdf')).status).toBe(404)
    expect((await read(conversationId, 'email')).status).toBe(503)
  })
  it('without one `email` only where staff or a bot has spoken', async () => {
    const { conversationId } = await ended({ email: 'a@b.example' }, '')
    expect((await read(conversationId, 'email')).status).toBe(404)
  })
  it('without one only `web` conversations', async () => {
    const sms = await carrier(gateway.url)
    const { conversationId } = await sms.call('sendMessage', inbound('+1', 'hi'))
    await sms.call('endConversation', { conversationId })
    await eventually(async () => (await read(conversationId as string, 'txt', supervisor)).status === 200)
    expect((await read(conversationId as string, 'pdf')).status).toBe(404)
  })

  describe('CUSTOMER_AUTH=token', () => {
    const strict = withGateway({ CUSTOMER_AUTH: 'token' })
    it('not at all without one', async () => {
      const ann = await customer(strict.url)
      const { conversationId, token } = ann
      await ann.call('endConversation', { conversationId })
      const ask = async (type: string, who?: string) =>
        (await request(strict.url, `/api/customer/transcript/${conversationId}/${type}`, {}, who)).status
      expect(await ask('pdf')).toBe(404)
      expect(await ask('txt', token)).toBe(200)
    })
  })
})

describe('the staff’s own transcript', () => {
  it('has the whispers, also while the conversation runs, and for the customer’s form on request', async () => {
    const ann = await customer(gateway.url)
    const { conversationId } = ann
    const bo = await agentIn(gateway.url, conversationId, supervisor)
    await bo.call('sendMessage', say(conversationId, 'psst', { tag: 'whisper' }))
    const ask = (path: string, token = supervisor) =>
      request(gateway.url, `/api/agent/conversations/${conversationId}/transcript/${path}`, {}, token)
    const { status, json } = await ask('json')
    expect(status).toBe(200)
    expect(json).toMatchObject({ audience: 'staff', endedAt: null, lines: [{ text: 'psst', whisper: true }] })
    expect((await ask('json?audience=customer')).json).toMatchObject({ audience: 'customer', lines: [] })
    expect((await ask('pdf')).text).toMatch(/^%PDF/)
    expect((await ask('email')).status).toBe(400)
    expect((await ask('json', ann.token)).status).toBe(403)
    expect((await ask('json', (await hire(gateway.url, 'not-there')).token)).status).toBe(404)
  })
})
