// §2 `messageId`, `seq`, acknowledgements and the echo: what is said once, and where its answer stands.
import { carrier, texter } from '../../../support/carrier'
import { eventually } from '../../../support/eventually'
import {
  agentIn,
  connect,
  customer,
  joining,
  login,
  pictureOf,
  say,
  type Reply,
  type Someone,
} from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const gateway = withGateway()
let supervisor: string
beforeAll(async () => {
  supervisor = await login(gateway.url)
})
const chats = ({ heard }: Someone) =>
  heard.filter(({ body }) => body['type'] === 'ChatMessage').map(({ body }) => body['text'])

describe('§2 `messageId` is an idempotency key', () => {
  const full = {
    messageId: 'm1',
    to: [] as string[],
    attachments: [{ contentUrl: 'https://files.example/a.png', type: 'image/png' }],
    buttons: [{ label: 'yes' }],
  }
  it('the same body answers the first acknowledgement and delivers nothing new', async () => {
    const ann = await customer(gateway.url)
    const bo = await agentIn(gateway.url, ann.conversationId, supervisor)
    const send = () => ann.call('sendMessage', say(ann.conversationId, 'hi', full))
    const first = await send()
    expect(first).toMatchObject({ code: 200, messageId: 'm1' })
    expect(await send()).toEqual(first)
    const turned = Object.fromEntries(Object.entries(say(ann.conversationId, 'hi', full)).reverse())
    expect(await ann.call('sendMessage', turned)).toEqual(first)
    const tab = await connect(gateway.url)
    await tab.call('joinConversation', joining(ann))
    expect(await tab.call('sendMessage', say(ann.conversationId, 'hi', full))).toEqual(first)
    await ann.call('sendMessage', say(ann.conversationId, 'next'))
    await eventually(() => chats(bo).includes('next'))
    expect(chats(bo)).toEqual(['hi', 'next'])
  })
  it('of many that race one is said, and all get one acknowledgement', async () => {
    const ann = await customer(gateway.url)
    const tab = await connect(gateway.url)
    await tab.call('joinConversation', joining(ann))
    const send = (someone: Someone) => someone.call('sendMessage', say(ann.conversationId, 'hi', full))
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => send(i % 2 ? ann : tab)))
    for (const reply of replies) expect(reply).toEqual(replies[0])
    expect(replies[0]).toMatchObject({ code: 200, seq: 2 })
  })
  it.each([
    ['text', { text: 'other' }],
    ['attachments', { attachments: [] }],
    ['tag', { tag: 'other' }],
    ['an extra key', { buttons: [] }],
    ['another extra key', { language: 'de' }],
  ])('another body is 409: %s', async (_row, more) => {
    const ann = await customer(gateway.url)
    await ann.call('sendMessage', say(ann.conversationId, 'hi', full))
    const reply = await ann.call('sendMessage', { ...say(ann.conversationId, 'hi', full), ...more })
    expect(reply).toMatchObject({ code: 409, error: { code: 'conflict', retryable: false } })
  })
  it('another body is 409: `to`', async () => {
    const ann = await customer(gateway.url)
    const bo = await agentIn(gateway.url, ann.conversationId, supervisor)
    const { participants } = await pictureOf(bo)
    await bo.call('sendMessage', say(ann.conversationId, 'hi', full))
    const reply = await bo.call('sendMessage', say(ann.conversationId, 'hi', { ...full, to: participants[0]!.id }))
    expect(reply).toMatchObject({ code: 409 })
  })
  it('unique per (conversation, sending participant): others may use it for something else', async () => {
    const ann = await customer(gateway.url)
    const bo = await agentIn(gateway.url, ann.conversationId, supervisor)
    const second = await customer(gateway.url)
    const replies = [
      await ann.call('sendMessage', say(ann.conversationId, 'a', { messageId: 'k' })),
      await bo.call('sendMessage', say(ann.conversationId, 'b', { messageId: 'k' })),
      await second.call('sendMessage', say(second.conversationId, 'c', { messageId: 'k' })),
    ]
    expect(replies.map(({ code }) => code)).toEqual([200, 200, 200])
    expect(new Set(replies.map((reply) => reply['id'])).size).toBe(3)
  })
  it('of an activity too', async () => {
    const ann = await customer(gateway.url)
    const send = (info: object) =>
      ann.call('sendMessage', { conversationId: ann.conversationId, activityType: 'rated', messageId: 'r', info })
    const first = await send({ stars: 5 })
    expect(await send({ stars: 5 })).toEqual(first)
    expect(await send({ stars: 1 })).toMatchObject({ code: 409 })
  })
  it('a repeat answers the first acknowledgement after the end as well', async () => {
    const ann = await customer(gateway.url)
    const first = await ann.call('sendMessage', say(ann.conversationId, 'hi', full))
    await ann.call('endConversation', { conversationId: ann.conversationId })
    expect(await ann.call('sendMessage', say(ann.conversationId, 'hi', full))).toEqual(first)
  })
})

describe('§2 both keys: a connector’s `externalMessageId` wins over its `messageId`', () => {
  it('one provider’s message is said once under whatever `messageId`; two are two, under one', async () => {
    const sms = await carrier(gateway.url)
    const started = await texter(gateway.url, '+31')
    await sms.call('joinConversation', joining(started))
    const send = (externalMessageId: string, messageId: string) =>
      sms.call('sendMessage', say(started.conversationId, 'ok', { externalMessageId, messageId }))
    const first = await send('x1', 'm1')
    expect(first).toMatchObject({ code: 200, seq: 2, messageId: 'm1' })
    expect(await send('x1', 'm2')).toEqual(first)
    expect(await send('x2', 'm1')).toMatchObject({ code: 200, seq: 3, messageId: 'm1' })
  })
  it('many provider’s messages with the same words at once: each is acknowledged as itself', async () => {
    const sms = await carrier(gateway.url)
    const started = await texter(gateway.url, '+32')
    await sms.call('joinConversation', joining(started))
    const send = (i: number) =>
      sms.call('sendMessage', say(started.conversationId, 'ok', { externalMessageId: `y${i}`, messageId: 'm' }))
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => send(i)))
    expect(replies.map(({ seq }) => seq)).toEqual(Array.from({ length: 20 }, (_, i) => i + 2))
    expect(await Promise.all(Array.from({ length: 20 }, (_, i) => send(i)))).toEqual(replies)
  })
})

describe('§2 `seq` and the acknowledgement', () => {
  it('acknowledgement {code, conversationId, id, messageId, seq, timestamp}', async () => {
    const ann = await customer(gateway.url)
    expect(await ann.call('sendMessage', say(ann.conversationId, 'hi', { messageId: 'm' }))).toEqual({
      code: 200,
      conversationId: ann.conversationId,
      id: expect.stringContaining(ann.conversationId) as string,
      messageId: 'm',
      seq: 2,
      timestamp: expect.stringMatching(/Z$/) as string,
    })
  })
  it('everything with a smaller `seq` has been emitted before it, and each reader counts 1…n without gaps', async () => {
    const ann = await customer(gateway.url)
    const bo = await agentIn(gateway.url, ann.conversationId, supervisor)
    const { conversationId } = ann
    await eventually(() => ann.words().length === 2 && bo.words().length === 2)
    /** What a socket heard and what it was answered, by the number it counts with, in the order of their coming. */
    const stream = ({ socket }: Someone) => {
      const seqs: number[] = [1, 2]
      socket.on('messageArrived', ({ seq }: { seq?: number }) => seq !== undefined && seqs.push(seq))
      const send = (i: number, tag: string) =>
        socket.emit('sendMessage', say(conversationId, `${i}`, { tag }), (reply: Reply) =>
          seqs.push(reply['seq'] as number),
        )
      return { seqs, send }
    }
    const [customers, staff] = [stream(ann), stream(bo)]
    for (let i = 0; i < 200; i += 1) {
      customers.send(i, '')
      staff.send(i, i % 3 === 0 ? 'whisper' : '')
      if (i % 20 === 0) await ann.call('sendMessage', { conversationId, activityType: 'typing' })
    }
    await eventually(() => customers.seqs.length === 335 && staff.seqs.length === 402)
    expect(customers.seqs).toEqual(Array.from({ length: 335 }, (_, i) => i + 1))
    expect(staff.seqs).toEqual(Array.from({ length: 402 }, (_, i) => i + 1))
  })
})

describe('§2 the echo', () => {
  it('the sending socket gets none, its participant’s other sockets do', async () => {
    const ann = await customer(gateway.url)
    const tab = await connect(gateway.url)
    await tab.call('joinConversation', joining(ann))
    await pictureOf(tab)
    await ann.call('sendMessage', say(ann.conversationId, 'from one'))
    await tab.call('sendMessage', say(ann.conversationId, 'from two'))
    await eventually(() => chats(ann).length > 0 && chats(tab).length > 0)
    expect([chats(ann), chats(tab)]).toEqual([['from two'], ['from one']])
    const mine = tab.arrived().find(({ text }) => text === 'from one')
    expect(mine).toMatchObject({ from: { id: ann.participant.id, name: 'Ann', type: 'Customer' } })
  })

  describe('ECHO_TO_SENDER', () => {
    const echoing = withGateway({ ECHO_TO_SENDER: 'on' })
    it('the echo follows the acknowledgement', async () => {
      const ann = await customer(echoing.url)
      await pictureOf(ann)
      const order: string[] = []
      ann.socket.on('messageArrived', ({ text }: { text?: string }) => text !== undefined && order.push(`echo ${text}`))
      for (const text of ['one', 'two'])
        ann.socket.emit('sendMessage', say(ann.conversationId, text), () => order.push(`ack ${text}`))
      await eventually(() => expect(order).toHaveLength(4))
      expect(order).toEqual(['ack one', 'echo one', 'ack two', 'echo two'])
    })
  })
})
