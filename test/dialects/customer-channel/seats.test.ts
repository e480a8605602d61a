// Seats: what ends one, for whom it does, and that what was said in it is acknowledged all the same.
import { GatewayError } from '../../../src/model/errors'
import { openMemory } from '../../../src/store/open-database'
import { carrier, texter, type Carrier } from '../../support/carrier'
import { eventually } from '../../support/eventually'
import { HeldBus, hindered } from '../../support/followers'
import { openGateway } from '../../support/gateway'
import {
  agentIn,
  connect,
  customer,
  init,
  joining,
  latest,
  login,
  pictureOf,
  say,
  type Someone,
} from '../../support/people'

type Gateway = Awaited<ReturnType<typeof openGateway>>
/** Lets everybody through until it is shut. */
class Gate {
  #open = (): void => undefined
  #opened: Promise<void> = Promise.resolve()
  shut(): void {
    this.#opened = new Promise((resolve) => (this.#open = resolve))
  }
  open(): void {
    this.#open()
  }
  through(): Promise<void> {
    return this.#opened
  }
}

let gateway: Gateway
let slowGateway: Gateway | null = null
let bus: HeldBus
/** Before the log is read. */
let reading: Gate
let supervisor: string
/** Writes that fail before anything is let through. */
let failures = 0
beforeEach(async () => {
  bus = new HeldBus()
  bus.isOpen = true
  reading = new Gate()
  const database = await openMemory()
  let isLog = false
  const conversations = hindered(database.conversations, {
    before: (what) => (isLog = what === 'events'),
    after: () => (isLog ? reading.through() : Promise.resolve()),
    beforeUpdate: () => {
      if (failures === 0) return
      failures -= 1
      throw new GatewayError('unavailable', 'The store cannot be written.')
    },
  })
  gateway = await openGateway({}, { bus, database: { ...database, conversations } })
  supervisor = await login(gateway.url)
})
afterEach(async () => {
  reading.open()
  await gateway.close()
  await slowGateway?.close()
})
const leave = (someone: Someone, conversationId: string) => someone.call('leaveConversation', { conversationId })
/** Another socket of the same customer. */
async function another(started: Parameters<typeof joining>[0]): Promise<Someone> {
  const socket = await connect(gateway.url)
  expect(await socket.call('joinConversation', joining(started))).toMatchObject({ code: 200, role: 'customer' })
  return socket
}

describe('a seat that is given up', () => {
  /** Says something that is stored, while the hint that would tell the sender's own seat does not come. */
  const sayUnheard = async (ann: Awaited<ReturnType<typeof customer>>) => {
    bus.isOpen = false
    const answer = ann.call('sendMessage', say(ann.conversationId, 'hi'))
    await eventually(() => bus.held.length === 1)
    return { answer }
  }

  it('acknowledges what was stored and has not been heard in it', async () => {
    const ann = await customer(gateway.url)
    const { answer } = await sayUnheard(ann)
    expect(await leave(ann, ann.conversationId)).toMatchObject({ code: 200 })
    expect(await answer).toMatchObject({ code: 200, seq: 2 })
  })
  it('acknowledges what it took over from an earlier one of the same socket', async () => {
    const ann = await customer(gateway.url)
    const { answer } = await sayUnheard(ann)
    reading.shut()
    expect(await ann.call('joinConversation', joining(ann))).toMatchObject({ code: 200 })
    expect(await leave(ann, ann.conversationId)).toMatchObject({ code: 200 })
    expect(await answer).toMatchObject({ code: 200, seq: 2 })
  })
  it('hands over what it has not acknowledged to the next one of the same socket', async () => {
    const ann = await customer(gateway.url)
    const { answer } = await sayUnheard(ann)
    expect(await ann.call('joinConversation', joining(ann))).toMatchObject({ code: 200 })
    expect(await answer).toMatchObject({ code: 200, seq: 2 })
  })
})

describe('a member who leaves by one socket', () => {
  it('leaves by all, and by one whose join is still being answered', async () => {
    const ann = await customer(gateway.url)
    const tab = await another(ann)
    await pictureOf(tab)
    reading.shut()
    const late = await another(ann)
    await leave(ann, ann.conversationId)
    reading.open()
    for (const socket of [tab, late]) {
      await latest(socket, 'participantLeft')
      expect(await socket.call('sendMessage', say(ann.conversationId, 'hi'))).toMatchObject({ code: 404 })
    }
  })
})

describe('a customer of a channel who has come live', () => {
  let sms: Carrier
  let started: Awaited<ReturnType<typeof texter>>
  let phone: Someone
  let bo: Someone
  beforeEach(async () => {
    sms = await carrier(gateway.url)
    started = await texter(gateway.url, '+1')
    phone = await another(started)
    await pictureOf(phone)
    bo = await agentIn(gateway.url, started.conversationId, supervisor)
  })
  const tell = (text: string) => bo.call('sendMessage', say(started.conversationId, text))

  it('and leaves by one socket, leaves by all, and is carried again', async () => {
    const { conversationId } = started
    const tablet = await another(started)
    await pictureOf(tablet)
    reading.shut()
    const late = await another(started)
    expect(await leave(phone, conversationId)).toMatchObject({ code: 200 })
    reading.open()
    for (const socket of [tablet, late]) {
      const left = await latest(socket, 'participantLeft')
      expect(left).toMatchObject({ from: { id: started.participant.id }, info: { reason: 'left' } })
      expect(left).not.toHaveProperty('seq')
      expect(await socket.call('sendMessage', say(conversationId, 'hi'))).toMatchObject({ code: 404 })
    }
    await tell('carried')
    await eventually(() => sms.deliveries.length === 1)
    for (const socket of [phone, tablet, late]) expect(socket.words()).not.toContain('carried')
    expect(bo.words()).not.toContain('participantLeft')
  })
  it('stays live whatever a connector leaves, with a seat of its own or without', async () => {
    const { conversationId } = started
    expect(await leave(sms, conversationId)).toMatchObject({ code: 200, conversationId })
    expect(await sms.call('joinConversation', { conversationId })).toMatchObject({ code: 200, role: 'connector' })
    for (let i = 0; i < 2; i += 1) expect(await leave(sms, conversationId)).toMatchObject({ code: 200 })
    await tell('live')
    await latest(phone, 'live')
    await tell('still live')
    await latest(phone, 'still live')
    expect(sms.deliveries).toEqual([])
    expect(bo.words()).not.toContain('participantChanged')
  })
})

it('a member who is back before the grace ends stays, however long their join takes to be answered', async () => {
  const database = await openMemory()
  const { conversations } = database
  const update = conversations.update.bind(conversations)
  const answering = new Gate()
  let slow = ''
  const slowly: typeof conversations.update = async (needs, decide) => {
    const updated = await update(needs, decide)
    if (needs.conversationId === slow) await answering.through()
    return updated
  }
  conversations.update = slowly
  slowGateway = await openGateway({ RECONNECT_GRACE: '1' }, { database })
  const { url } = slowGateway
  const agent = await login(url)
  const [ann, cay] = [await customer(url), await customer(url)]
  const [withAnn, withCay] = [
    await agentIn(url, ann.conversationId, agent),
    await agentIn(url, cay.conversationId, agent),
  ]
  slow = ann.conversationId
  answering.shut()
  ann.close()
  const back = await connect(url)
  const joined = back.call('joinConversation', joining(ann))
  cay.close()
  // Her grace began later.
  await latest(withCay, 'participantLeft')
  answering.open()
  expect(await joined).toMatchObject({ code: 200 })
  expect(await back.call('sendMessage', say(ann.conversationId, 'still here'))).toMatchObject({ code: 200 })
  await latest(withAnn, 'still here')
  expect(withAnn.words()).not.toContain('participantLeft')
})

describe('a message that is refused for now', () => {
  const saying = (conversationId: string, messageId: string) => ({ ...say(conversationId, messageId), messageId })

  it('is not overtaken by what was said behind it before the refusal was read', async () => {
    const ann = await customer(gateway.url)
    const { conversationId } = ann
    const send = (messageId: string) => ann.call('sendMessage', saying(conversationId, messageId))
    failures = 1
    expect(await send('first')).toMatchObject({ code: 503, error: { retryable: true } })
    expect(await send('second')).toMatchObject({ code: 503, error: { retryable: true, retryAfter: 1 } })
    const again = await Promise.all(['first', 'second', 'third'].map(send))
    expect(again.map(({ code, seq }) => [code, seq])).toEqual([2, 3, 4].map((seq) => [200, seq]))
  })
  it("stands in nobody's way when it has no key to come again under", async () => {
    const ann = await customer(gateway.url)
    const { conversationId } = ann
    failures = 1
    expect(await ann.call('sendMessage', say(conversationId, 'first'))).toMatchObject({ code: 503 })
    expect(await ann.call('sendMessage', say(conversationId, 'second'))).toMatchObject({ code: 200, seq: 2 })
  })
  it('that never comes again is overtaken after half a second', async () => {
    const ann = await customer(gateway.url)
    const { conversationId } = ann
    failures = 1
    expect(await ann.call('sendMessage', saying(conversationId, 'first'))).toMatchObject({ code: 503 })
    await eventually(async () => {
      const { code } = await ann.call('sendMessage', saying(conversationId, 'second'))
      return code === 200
    })
  })
  it('holds up its sender only', async () => {
    const ann = await customer(gateway.url)
    const bo = await agentIn(gateway.url, ann.conversationId, supervisor)
    failures = 1
    expect(await ann.call('sendMessage', saying(ann.conversationId, 'first'))).toMatchObject({ code: 503 })
    expect(await bo.call('sendMessage', saying(ann.conversationId, 'hello'))).toMatchObject({ code: 200 })
  })
})

it('are taken up to a limit on one socket: one more is refused, one that is had may be joined again, one that is left makes room', async () => {
  slowGateway = await openGateway({}, { limits: { maxSeats: 2 } })
  const { url } = slowGateway
  const [first, second, third] = [await init(url), await init(url), await init(url)]
  const bo = await connect(url, { auth: { token: await login(url) } })
  const join = ({ conversationId }: { conversationId: string }) => bo.call('joinConversation', { conversationId })
  expect([await join(first), await join(second)]).toMatchObject([{ code: 200 }, { code: 200 }])
  expect(await join(third)).toMatchObject({ code: 429, error: { code: 'tooManyRequests' } })
  expect(await join(second)).toMatchObject({ code: 200 })
  await leave(bo, first.conversationId)
  expect(await join(third)).toMatchObject({ code: 200 })
  bo.close()
})
