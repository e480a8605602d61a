// §2 outbound to connectors: what they get, how often, in what order; who is carried and who is live.
import { carrier, inbound, texter } from '../../../support/carrier'
import { eventually } from '../../../support/eventually'
import { CONNECTOR_KEY } from '../../../support/gateway'
import { agentIn, connect, joining, latest, login, pictureOf, request, say } from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const gateway = withGateway({}, { leaseMs: 1_000 })
let supervisor: string
beforeAll(async () => {
  supervisor = await login(gateway.url)
})
let count = 0
/** A customer on an account of its own, so that each test has its own connector; and an agent. */
async function chat() {
  const account = `account ${(count += 1)}`
  const register = { account }
  const first = await carrier(gateway.url, { register })
  const reply = await first.call('sendMessage', inbound('+49', 'hello', { account, externalMessageId: account }))
  const conversationId = reply['conversationId'] as string
  const bo = await agentIn(gateway.url, conversationId, supervisor)
  const send = (text: string, more: object = {}) => bo.call('sendMessage', say(conversationId, text, { ...more }))
  return { first, account, register, conversationId, bo, send }
}
const texts = (deliveries: readonly Record<string, unknown>[]) => deliveries.map(({ text }) => text)

describe('§2 outbound is `messageArrived`', () => {
  it('with a ChatMessage whose `refId` is the customer’s number, `channel`, `account`, `deliveryId`, `conversationId`', async () => {
    const { first, account, conversationId, send } = await chat()
    const reply = await send('hi', { messageId: 'mine', attachments: [{ contentUrl: 'https://f.example/a' }] })
    await eventually(() => first.deliveries.length === 1)
    expect(first.deliveries[0]).toMatchObject({
      type: 'ChatMessage',
      id: reply['id'],
      messageId: 'mine',
      conversationId,
      refId: '+49',
      channel: 'sms',
      account,
      deliveryId: expect.any(String) as string,
      text: 'hi',
      from: { name: 'admin', type: 'Agent' },
      attachments: [{ contentUrl: 'https://f.example/a' }],
    })
  })
  it('one per public message of others: not the customer’s own, no whisper, no activity', async () => {
    const { first, account, conversationId, bo, send } = await chat()
    await first.call('sendMessage', inbound('+49', 'mine', { account, externalMessageId: `${account} 2` }))
    await send('psst', { tag: 'whisper' })
    await bo.call('sendMessage', { conversationId, activityType: 'navigated' })
    await send('for you')
    await eventually(() => first.deliveries.length > 0)
    expect(texts(first.deliveries)).toEqual(['for you'])
  })
  it('no connector registered: the delivery waits, and costs no attempt', async () => {
    const { first, register, bo, send } = await chat()
    first.close()
    for (let i = 0; i < 25; i += 1) await send(`${i}`)
    const next = await carrier(gateway.url, { register })
    await eventually(() => next.deliveries.length === 25)
    expect(texts(next.deliveries)).toEqual(Array.from({ length: 25 }, (_, i) => `${i}`))
    await eventually(() => bo.words().filter((word) => word === 'sent').length === 25)
    expect(bo.words()).not.toContain('failed')
  })
})

describe('§2 a connector that acknowledges: at least once', () => {
  it('a lost socket makes it due again with the same `deliveryId`', async () => {
    const { first, register, bo, send } = await chat()
    first.close()
    const silent = await carrier(gateway.url, { register, answer: () => undefined })
    await send('hi')
    await eventually(() => silent.deliveries.length === 1)
    silent.close()
    const next = await carrier(gateway.url, { register })
    await eventually(() => bo.words().includes('sent'))
    expect(next.deliveries).toEqual(silent.deliveries)
  })
  it('a retryable refusal is tried again after `retryAfter`, with the same `deliveryId`', async () => {
    const { first, register, bo, send } = await chat()
    first.close()
    let refusals = 0
    const busy = () =>
      (refusals += 1) < 3 ? { code: 503, retryable: true, retryAfter: 0 } : { code: 200, providerMessageId: 'p1' }
    const next = await carrier(gateway.url, { register, answer: busy })
    await send('hi')
    await eventually(() => bo.words().includes('sent'))
    expect(new Set(next.deliveries.map(({ deliveryId }) => deliveryId)).size).toBe(1)
    expect(texts(next.deliveries)).toEqual(['hi', 'hi', 'hi'])
  })
  it.each([
    ['a final refusal', { code: 400, reason: 'no such number' }, 'no such number'],
    ['`retryable: false` with a 5xx', { code: 500, retryable: false, reason: 'blocked' }, 'blocked'],
  ])(
    '%s is a `failed` that everybody can see, and a dead letter that can be replayed',
    async (_row, refusal, reason) => {
      const { first, register, bo, send, conversationId } = await chat()
      first.close()
      let answer: Record<string, unknown> = refusal
      const next = await carrier(gateway.url, { register, answer: () => answer })
      const { id } = await send('hi')
      expect(await latest(bo, 'failed')).toMatchObject({ from: { type: 'Customer' }, info: { messageId: id, reason } })
      const { json } = await request(gateway.url, '/api/admin/dead-letters', {}, supervisor)
      const letter = (json['deadLetters'] as Record<string, unknown>[]).find(
        (one) => one['conversationId'] === conversationId,
      )!
      expect(letter).toMatchObject({ refId: '+49', messageId: id, attempts: 1, reason })
      answer = { code: 200 }
      const path = `/api/admin/dead-letters/${String(letter['id'])}/replay`
      expect((await request(gateway.url, path, { method: 'POST' }, supervisor)).status).toBe(202)
      await eventually(() => next.deliveries.length === 2)
      expect(next.deliveries[1]).toEqual(next.deliveries[0])
      expect((await request(gateway.url, path, { method: 'POST' }, supervisor)).status).toBe(404)
    },
  )
  it('in order per recipient: the next one waits for the answer to the one before', async () => {
    const { first, register, send } = await chat()
    first.close()
    const answers: (() => void)[] = []
    const slow = await connect(gateway.url, {
      auth: { token: CONNECTOR_KEY.sms },
    })
    const got: string[] = []
    slow.socket.on('messageArrived', ({ text }: { text: string }, ack: (reply: object) => void) => {
      got.push(text)
      answers.push(() => ack({ code: 200 }))
    })
    await slow.call('registerConnector', { id: 'sms', ...register, acknowledges: true })
    await send('one')
    await send('two')
    await eventually(() => got.length === 1)
    answers[0]!()
    await eventually(() => got.length === 2)
    expect(got).toEqual(['one', 'two'])
  })
  it('different instances share the work: each delivery comes to one of them', async () => {
    const { first, account, send, bo } = await chat()
    const second = await carrier(gateway.url, { register: { account, instance: '2' } })
    for (let i = 0; i < 20; i += 1) await send(`${i}`)
    await eventually(() => bo.words().filter((word) => word === 'sent').length === 20)
    const all = texts([...first.deliveries, ...second.deliveries]).map(Number)
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })
})

describe('§2 a connector of the old kind, which never acknowledges: at most once', () => {
  it('gets it when it is written to its live socket, as `accepted`, and never again', async () => {
    const { first, account, bo, send } = await chat()
    first.close()
    const register = { account, acknowledges: false }
    const old = await carrier(gateway.url, { register })
    await send('one')
    await send('two')
    await eventually(() => old.deliveries.length === 2)
    await eventually(() => bo.words().filter((word) => word === 'accepted').length === 2)
    expect(bo.words()).not.toContain('sent')
    old.close()
    const next = await carrier(gateway.url, { register })
    await send('three')
    await eventually(() => next.deliveries.length > 0)
    expect(texts(next.deliveries)).toEqual(['three'])
  })
})

describe('§2 carried and live', () => {
  it('a connector that sits in the conversation hears what is said as that delivery only', async () => {
    const { first, conversationId, send, bo } = await chat()
    await first.call('joinConversation', { conversationId })
    await send('hi')
    await bo.call('endConversation', { conversationId })
    await eventually(() => first.words().includes('endOfConversation') && first.deliveries.length === 1)
    expect(first.arrived().filter(({ text }) => text === 'hi')).toHaveLength(1)
  })
  it('a customer whose own, non-connector socket joins is live until it leaves', async () => {
    const { first, account, conversationId, send, bo } = await chat()
    const started = await texter(gateway.url, '+49', { account })
    expect(started.conversationId).toBe(conversationId)
    const phone = await connect(gateway.url)
    expect(await phone.call('joinConversation', joining(started))).toMatchObject({ code: 200, role: 'customer' })
    await pictureOf(phone)
    await send('live')
    await eventually(() => phone.words().includes('live'))
    await phone.call('leaveConversation', { conversationId })
    await send('carried')
    await eventually(() => first.deliveries.length === 1)
    expect(texts(first.deliveries)).toEqual(['carried'])
    expect(phone.words()).not.toContain('carried')
    expect(bo.words()).not.toContain('participantLeft')
  })
})
