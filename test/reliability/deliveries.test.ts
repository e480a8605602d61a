// Leases, pauses, dead letters and fencing of deliveries, under a clock that only the test moves.
import { inbound } from '../support/carrier'
import { TestClock } from '../support/databases'
import { eventually } from '../support/eventually'
import { CONNECTOR_KEY, openGateway } from '../support/gateway'
import { agentIn, connect, login, request, say, type Someone } from '../support/people'
import { accept, provider, type InHand, type Provider } from './provider'

/** The gateway looks for what is due at least so often, whatever the test's clock says. */
const LEASE = 100
const MINUTE = 60_000
/** Milliseconds after this attempt (1…) until the next: half of it may be left to chance. */
const longest = (attempt: number): number => Math.min(10 * MINUTE, 1_000 * 2 ** (attempt - 1))

let clock: TestClock
let gateway: Awaited<ReturnType<typeof openGateway>>
let token: string
let opened: Someone[]
beforeEach(async () => {
  opened = []
  clock = new TestClock()
  gateway = await openGateway({}, { now: clock.now, leaseMs: LEASE })
  token = await login(gateway.url)
})
afterEach(async () => {
  for (const someone of opened) someone.close()
  await gateway.close()
})

const kept = <T extends Someone>(someone: T): T => {
  opened.push(someone)
  return someone
}
const register = async (more: Record<string, unknown> = {}, onDelivery?: (delivery: InHand) => void) =>
  kept(await provider(gateway.url, more, onDelivery))
async function chat(refId: string) {
  // It brings messages without being registered, so that nothing is given to it.
  const herald = await connect(gateway.url, { auth: { token: CONNECTOR_KEY.sms } })
  const { conversationId } = await herald.call('sendMessage', inbound(refId, 'hello'))
  herald.close()
  if (typeof conversationId !== 'string') throw new Error('The customer did not get through')
  const bo = kept(await agentIn(gateway.url, conversationId, token))
  return { bo, conversationId, send: (text: string) => bo.call('sendMessage', say(conversationId, text)) }
}
const textsOf = ({ inHand }: Provider) => inHand.map(({ text }) => text)
const idsOf = ({ inHand }: Provider) => inHand.map(({ deliveryId }) => deliveryId)
/** Answers a way to wait until everything that is due has been given out: then what is said to somebody else arrives. */
async function barrier(connector: Provider): Promise<() => Promise<void>> {
  const { send } = await chat('barrier')
  let count = 0
  return async () => {
    const name = `barrier ${(count += 1)}`
    await send(name)
    await eventually(() => textsOf(connector).includes(name))
  }
}
/** Answers what is meant for the customer as it is told, and everything else well. */
const refusing = (text: string, reply: () => Record<string, unknown>) => (delivery: InHand) => {
  if (delivery.text === text) delivery.answer(reply())
  else accept(delivery)
}
interface DeadLetter {
  readonly id: string
  readonly refId: string
  readonly attempts: number
  readonly reason: string
}
async function deadLetters(): Promise<DeadLetter[]> {
  const { json } = await request(gateway.url, '/api/admin/dead-letters', {}, token)
  return json['deadLetters'] as DeadLetter[]
}

describe('a lease', () => {
  it('that has run out is another’s: the late answer is refused, and its provider’s id means nothing', async () => {
    const { bo, send } = await chat('+1')
    const slow = await register({ instance: 'a' })
    await send('hi')
    await eventually(() => slow.inHand.length === 1)
    const quick = await register({ instance: 'b' }, accept)
    // The slow one may take it again itself; then its turn passes, too.
    for (let given = 2; quick.inHand.length === 0; given++) {
      clock.forward(LEASE)
      await eventually(() => slow.inHand.length + quick.inHand.length >= given)
    }
    await eventually(() => bo.words().at(-1) === 'sent')
    expect(idsOf(quick)).toEqual([idsOf(slow)[0]])
    for (const { answer } of slow.inHand) answer({ code: 200, providerMessageId: 'late' })
    const report = (state: string, providerMessageId: string) =>
      quick.call('sendMessage', { activityType: state, info: { providerMessageId } })
    await report('failed', 'late')
    await report('delivered', `p ${idsOf(quick)[0]!}`)
    await eventually(() => expect(bo.words().slice(-2)).toEqual(['sent', 'delivered']))
    expect(bo.words().filter((word) => word === 'sent')).toHaveLength(1)
  })

  it('row 16: goes to a newer registration of the same instance at once, and the older one is sent away', async () => {
    const { bo, send } = await chat('+1')
    const older = await register()
    await send('hi')
    await eventually(() => older.inHand.length === 1)
    const newer = await register({}, accept)
    await eventually(() => bo.words().at(-1) === 'sent')
    expect(idsOf(newer)).toEqual(idsOf(older))
    await eventually(() => !older.socket.connected)
    expect(older.heard.filter(({ event }) => event === 'error').map(({ body }) => body['code'])).toEqual([409])
    expect(older.socket.active).toBe(false)
  })

  it('is shared by instances in order per recipient, never two of one recipient at once', async () => {
    // More than one instance takes in hand at once, and nobody answers before each has its share.
    const recipients = Array.from({ length: 70 }, (_, index) => `+${index}`)
    const numbers = Array.from({ length: 5 }, (_, index) => String(index))
    const busy = new Set<string>()
    const overlaps: string[] = []
    const order = new Map<string, string[]>()
    const finish = (delivery: InHand) =>
      setImmediate(() => {
        const { refId, text } = delivery
        busy.delete(refId)
        order.set(refId, [...(order.get(refId) ?? []), text])
        accept(delivery)
      })
    const first: InHand[] = []
    const work = (delivery: InHand) => {
      const { refId, text } = delivery
      if (busy.has(refId)) overlaps.push(`${refId} ${text}`)
      busy.add(refId)
      if (first.push(delivery) === recipients.length) first.forEach(finish)
      else if (first.length > recipients.length) finish(delivery)
    }
    const instances = [await register({ instance: 'a' }, work), await register({ instance: 'b' }, work)]
    const chats = await Promise.all(recipients.map((refId) => chat(refId)))
    await Promise.all(chats.flatMap(({ send }) => numbers.map((text) => send(text))))
    await eventually(() => recipients.every((refId) => order.get(refId)?.length === numbers.length))
    for (const refId of recipients) expect(order.get(refId)).toEqual(numbers)
    expect(overlaps).toEqual([])
    const ids = instances.flatMap(idsOf)
    expect(new Set(ids).size).toBe(ids.length)
    for (const { inHand } of instances) expect(inHand.length).toBeGreaterThan(0)
  })
})

describe('a refused delivery', () => {
  it('waits as long as the provider asks, and at most a second longer', async () => {
    const { send } = await chat('+1')
    const connector = await register(
      {},
      refusing('hi', () => ({ code: 429, retryAfter: 30 })),
    )
    const allGiven = await barrier(connector)
    const times = () => textsOf(connector).filter((text) => text === 'hi').length
    await send('hi')
    await eventually(() => times() === 1)
    await allGiven()
    clock.forward(29_999)
    await allGiven()
    expect(times()).toBe(1)
    clock.forward(1_001)
    await eventually(() => times() === 2)
    expect(new Set(connector.inHand.flatMap((one) => (one.text === 'hi' ? [one.deliveryId] : []))).size).toBe(1)
  })

  it('comes twenty times with growing pauses, is a dead letter then, and is delivered when it is replayed', async () => {
    const { bo, send } = await chat('+1')
    let answer: Record<string, unknown> = { code: 503, reason: 'ESME_RSYSERR' }
    const connector = await register(
      {},
      refusing('hi', () => answer),
    )
    const allGiven = await barrier(connector)
    const mine = () => connector.inHand.filter(({ text }) => text === 'hi')
    await send('hi')
    for (let attempt = 1; attempt < 20; attempt++) {
      await eventually(() => mine().length === attempt)
      await allGiven()
      clock.forward(longest(attempt) / 2 - 1)
      await allGiven()
      expect(mine()).toHaveLength(attempt)
      clock.forward(longest(attempt) / 2 + 1)
    }
    await eventually(() => bo.words().at(-1) === 'failed')
    expect(mine()).toHaveLength(20)
    const [letter] = await deadLetters()
    expect(letter).toMatchObject({ id: mine()[0]!.deliveryId, refId: '+1', attempts: 20, reason: 'ESME_RSYSERR' })

    answer = { code: 200, providerMessageId: 'p1' }
    const path = `/api/admin/dead-letters/${letter!.id}/replay`
    expect((await request(gateway.url, path, { method: 'POST' }, token)).status).toBe(202)
    await eventually(() => mine().length === 21)
    expect(new Set(mine().map(({ deliveryId }) => deliveryId)).size).toBe(1)
    await eventually(async () => expect(await deadLetters()).toEqual([]))
  }, 60_000)

  it('does not hold up the next one of its recipient once it is dead', async () => {
    const { bo, send } = await chat('+1')
    const connector = await register(
      {},
      refusing('bad', () => ({ code: 422, reason: 'too-long' })),
    )
    await send('bad')
    await send('good')
    await eventually(() => expect(bo.words().slice(-2).sort()).toEqual(['failed', 'sent']))
    expect(textsOf(connector)).toEqual(['bad', 'good'])
  })
})

it('without a connector a delivery waits for days and costs no attempt', async () => {
  const { send } = await chat('+1')
  await send('hi')
  for (let day = 0; day < 3; day++) clock.forward(24 * 60 * MINUTE)
  token = await login(gateway.url)
  const connector = await register({}, ({ answer }) => answer({ code: 422, reason: 'no such number' }))
  await eventually(() => connector.inHand.length === 1)
  await eventually(async () => expect(await deadLetters()).toMatchObject([{ refId: '+1', attempts: 1 }]))
})

it('a connector of the old kind gets a delivery once, whatever becomes of its socket and its lease', async () => {
  const { bo, send } = await chat('+1')
  const old = await register({ acknowledges: undefined })
  await send('hi')
  await eventually(() => old.inHand.length === 1)
  await eventually(() => bo.words().at(-1) === 'accepted')
  old.close()
  clock.forward(60 * MINUTE)
  const next = await register({ acknowledges: undefined })
  await (
    await barrier(next)
  )()
  expect(textsOf(next)).toEqual(['barrier 1'])
})
