// §3 the transcript by mail: an empty 200 for a mail that a real SMTP server has accepted, and for no other.
import { customer, agentIn, login, request, say } from '../../../support/people'
import { eventually } from '../../../support/eventually'
import { openGateway } from '../../../support/gateway'
import { MailServer, reply } from '../../../support/mail-server'

let mails: MailServer
let gateway: Awaited<ReturnType<typeof openGateway>>
let supervisor: string
beforeAll(async () => {
  mails = await MailServer.start()
  gateway = await openGateway(mailTo(mails))
  supervisor = await login(gateway.url)
})
afterAll(async () => {
  await gateway.close()
  await mails.close()
})
const mailTo = ({ port }: MailServer) => ({
  SMTP_URL: `smtp://127.0.0.1:${port}`,
  MAIL_FROM: 'Example Chat <chat@example.org>',
})

async function ended(url: string, token: string, more: Record<string, unknown> = {}, answer = 'hello') {
  const ann = await customer(url, { email: 'ann@example.org', ...more })
  const { conversationId } = ann
  const bo = await agentIn(url, conversationId, token)
  await bo.call('sendMessage', say(conversationId, 'psst', { tag: 'whisper' }))
  if (answer) await bo.call('sendMessage', say(conversationId, answer))
  await ann.call('endConversation', { conversationId })
  return ann
}
const ask = (url: string, conversationId: string, token?: string) =>
  request(url, `/api/customer/transcript/${conversationId}/email`, {}, token)

describe('§3 `email`', () => {
  it('mails it to the customer’s address and answers 200 with an empty body', async () => {
    const before = mails.accepted.length
    const { conversationId, token } = await ended(gateway.url, supervisor, { subject: 'Broken kettle' })
    const { status, text } = await ask(gateway.url, conversationId, token)
    expect([status, text]).toEqual([200, ''])
    expect(mails.accepted.slice(before)).toMatchObject([{ from: 'chat@example.org', to: ['ann@example.org'] }])
    const raw = mails.accepted[before]!.raw.toString()
    expect(raw).toMatch(/^Subject: Conversation, Broken kettle, /m)
    expect(raw).toMatch(/^From: Example Chat <chat@example.org>/m)
    expect(raw).toMatch(/^Content-Type: application\/pdf; name=conversation-/m)
    expect(raw).not.toContain('psst')
  })
  it('is recorded in the log as sent, for staff alone', async () => {
    const { conversationId, token } = await ended(gateway.url, supervisor)
    await ask(gateway.url, conversationId, token)
    const eve = await agentIn(gateway.url, conversationId, supervisor)
    const told = eve.arrived().find(({ activityType }) => activityType === 'transcriptMailed')
    expect(told).toMatchObject({
      tag: 'whisper',
      info: { state: 'sent', mailId: expect.stringMatching(/^<.+@.+>$/) as string },
    })
  })
  it('without a credential three times, however many ask at once', async () => {
    const before = mails.accepted.length
    const { conversationId } = await ended(gateway.url, supervisor)
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(gateway.url, conversationId)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 404, 404, 404])
    expect(mails.accepted.length - before).toBe(3)
  })
  it('goes to one mailbox ten times an hour, whoever asks and however it is spelled, and to others still', async () => {
    const server = await MailServer.start()
    const other = await openGateway({ ...mailTo(server), RATE_LIMITS: 'on' })
    try {
      const staff = await login(other.url)
      const two = [await ended(other.url, staff), await ended(other.url, staff, { email: 'ANN@example.org' })]
      const statuses: number[] = []
      for (let i = 0; i < 11; i += 1) {
        const { conversationId, token } = two[i % 2]!
        statuses.push((await ask(other.url, conversationId, token)).status)
      }
      expect(statuses).toEqual([...Array.from({ length: 10 }, () => 200), 429])
      expect(server.accepted).toHaveLength(10)
      const eve = await ended(other.url, staff, { email: 'eve@example.org' })
      expect((await ask(other.url, eve.conversationId, eve.token)).status).toBe(200)
    } finally {
      await other.close()
      await server.close()
    }
  })
  it('that is stuck holds up few others: of those that wait one too many is a 503', async () => {
    const server = await MailServer.start({ onRcptTo: () => undefined })
    const other = await openGateway(mailTo(server))
    try {
      const staff = await login(other.url)
      const stuck = [await ended(other.url, staff), await ended(other.url, staff, { email: 'eve@example.org' })]
      const mailing = stuck.map(({ conversationId, token }) => ask(other.url, conversationId, token))
      await eventually(() => server.open === 2)
      const { conversationId, token } = stuck[0]!
      const statuses: number[] = []
      const reading = Array.from({ length: 70 }, async () => {
        const path = `/api/customer/transcript/${conversationId}/txt`
        statuses.push((await request(other.url, path, {}, token)).status)
      })
      await eventually(() => statuses.length === 6)
      expect(statuses).toEqual([503, 503, 503, 503, 503, 503])
      server.drop()
      await Promise.all([...mailing, ...reading])
      expect(statuses.filter((status) => status === 200)).toHaveLength(64)
    } finally {
      await other.close()
      await server.close()
    }
  })
  it('that is stuck leaves nobody waiting for ever: a 503 that may be tried again, and then it is there', async () => {
    const server = await MailServer.start({ onRcptTo: () => undefined })
    const other = await openGateway(mailTo(server), { limits: { transcriptTurnMs: 50 } })
    try {
      const staff = await login(other.url)
      const stuck = [await ended(other.url, staff), await ended(other.url, staff, { email: 'eve@example.org' })]
      const mailing = stuck.map(({ conversationId, token }) => ask(other.url, conversationId, token))
      await eventually(() => server.open === 2)
      const { conversationId, token } = stuck[0]!
      const read = () => request(other.url, `/api/customer/transcript/${conversationId}/txt`, {}, token)
      const { status, json } = await read()
      expect([status, json]).toMatchObject([503, { error: { code: 'unavailable', retryable: true } }])
      server.drop()
      await Promise.all(mailing)
      expect((await read()).status).toBe(200)
    } finally {
      await other.close()
      await server.close()
    }
  })
  it('goes to one address only, whatever the customer gave for one', async () => {
    const before = mails.accepted.length
    const hostile = [
      'a@b.example,c@d.example',
      'Ann <a@b.example>',
      'a@b.example\\r\\nBcc: c@d.example',
      '"a b"@c.example',
    ]
    for (const email of hostile) {
      const { conversationId, token } = await ended(gateway.url, supervisor, { email })
      expect((await ask(gateway.url, conversationId, token)).status).toBe(400)
    }
    expect(mails.accepted.length).toBe(before)
  })
  it.each([
    ['refuses it', reply(554, 'No'), false],
    ['defers it', reply(451, 'Later'), true],
  ])('is a 503 when the mail server %s, and nothing is recorded', async (_how, answer, retryable) => {
    const server = await MailServer.start({}, answer)
    const other = await openGateway(mailTo(server))
    try {
      const staff = await login(other.url)
      const { conversationId, token } = await ended(other.url, staff)
      const { status, json } = await ask(other.url, conversationId, token)
      expect([status, json]).toMatchObject([503, { error: { code: 'unavailable', retryable } }])
      const eve = await agentIn(other.url, conversationId, staff)
      expect(eve.words()).not.toContain('transcriptMailed')
    } finally {
      await other.close()
      await server.close()
    }
  })
})
