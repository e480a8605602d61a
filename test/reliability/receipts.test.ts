// Receipts of a provider in every order, before and after its answer, known and unknown: what people see only rises.
import { inbound } from '../support/carrier'
import { eventually } from '../support/eventually'
import { CONNECTOR_KEY, newFolder, removeFolder } from '../support/gateway'
import { agentIn, connect, login, say, type Someone } from '../support/people'
import { connectorProcess } from '../support/process'
import { startSmsc } from '../support/smsc/smsc'
import { withGateway } from '../support/with-gateway'
import { provider, type InHand } from './provider'

const STATES = ['accepted', 'sent', 'delivered', 'read', 'failed'] as const
type State = (typeof STATES)[number]
/** The provider's answer to the delivery, among its receipts. */
type Told = State | 'answer'

const gateway = withGateway()
let token = ''
const opened: Someone[] = []
beforeAll(async () => {
  token = await login(gateway.url)
})
afterEach(() => opened.splice(0).forEach((someone) => someone.close()))
const kept = <T extends Someone>(someone: T): T => {
  opened.push(someone)
  return someone
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, index) => permutations(items.toSpliced(index, 1)).map((rest) => [item, ...rest]))
}

/** What is seen when all this is told in this order: one rule, said again in the plainest words. */
function expected(told: readonly Told[]): State[] {
  const seen: State[] = []
  // What comes before the answer waits for it; the answer itself says sent.
  for (const state of ['sent' as const, ...told.filter((one) => one !== 'answer')]) {
    const last = seen.at(-1)
    const arrived = seen.includes('delivered') || seen.includes('read')
    if (last === 'failed' || (state === 'failed' && arrived)) continue
    if (last === undefined || STATES.indexOf(state) > STATES.indexOf(last)) seen.push(state)
  }
  return seen
}

it('every order of all states and of the provider’s answer among them shows what rises, each once', async () => {
  const orders = permutations<Told>([...STATES, 'answer'])
  const customers = Array.from({ length: 6 }, (_, customer) => orders.filter((_order, index) => index % 6 === customer))
  await Promise.all(customers.map((some, customer) => tellAll(String(customer), some)))
  console.log(`${orders.length} orders`)
}, 120_000)

/** A customer with a connector of its own, to whom so many messages are sent. */
async function tellAll(account: string, orders: readonly (readonly Told[])[]): Promise<void> {
  const connector = kept(await provider(gateway.url, { account }))
  const { conversationId } = await connector.call('sendMessage', inbound('+1', 'hello', { account }))
  const bo = kept(await agentIn(gateway.url, String(conversationId), token))
  const told = new Map<string, readonly Told[]>()
  for (const [index, order] of orders.entries()) {
    const { id } = await bo.call('sendMessage', say(String(conversationId), `${account} ${index}`))
    told.set(String(id), order)
    await eventually(() => connector.inHand.length === index + 1)
    await tell(connector, connector.inHand[index]!, { order, account })
  }
  const [lastId, lastOrder] = [...told].at(-1)!
  await eventually(() => expect(seenBy(bo).get(lastId)).toEqual(expected(lastOrder)))
  const seen = seenBy(bo)
  for (const [id, order] of told) expect([order, seen.get(id)]).toEqual([order, expected(order)])
}

async function tell(
  connector: Someone,
  delivery: InHand,
  { order, account = '' }: { order: readonly Told[]; account?: string },
): Promise<void> {
  const providerMessageId = `p ${delivery.text}`
  for (const one of order)
    if (one === 'answer') delivery.answer({ code: 200, providerMessageId })
    else {
      const reply = await connector.call('sendMessage', { activityType: one, account, info: { providerMessageId } })
      expect(reply.code).toBe(200)
    }
}
/** Receipts by message, in order. */
function seenBy(someone: Someone): Map<string, unknown[]> {
  const seen = new Map<string, unknown[]>()
  for (const { activityType, info } of someone.arrived()) {
    const { messageId } = (info ?? {}) as { messageId?: string }
    if (messageId !== undefined) seen.set(messageId, [...(seen.get(messageId) ?? []), activityType])
  }
  return seen
}

it('a receipt for what nobody knows is taken, changes nothing, and does not stop what follows', async () => {
  const connector = kept(await provider(gateway.url))
  const { conversationId } = await connector.call('sendMessage', inbound('+2', 'hello'))
  const bo = kept(await agentIn(gateway.url, String(conversationId), token))
  const unknown = [{ providerMessageId: 'no' }, { deliveryId: 'no' }, { messageId: `${String(conversationId)}.9999` }]
  for (const info of unknown)
    expect(await connector.call('sendMessage', { activityType: 'read', info })).toMatchObject({ code: 200 })
  await bo.call('sendMessage', say(String(conversationId), 'hi'))
  await eventually(() => connector.inHand.length === 1)
  await tell(connector, connector.inHand[0]!, { order: ['answer', 'delivered'] })
  await eventually(() => bo.words().at(-1) === 'delivered')
  expect(bo.words().slice(-2)).toEqual(['sent', 'delivered'])
})

it('a receipt that an SMSC brings before the answer to its submit_sm finds its message', async () => {
  const smsc = await startSmsc({ receipts: 'before' })
  const dataDir = await newFolder()
  const connector = connectorProcess('sms', { url: gateway.url, dataDir, SMPP_URL: smsc.url() })
  try {
    await connector.start()
    const herald = kept(await connect(gateway.url, { auth: { token: CONNECTOR_KEY.sms } }))
    const { conversationId } = await herald.call('sendMessage', inbound('+491701234567', 'hello', { account: '12345' }))
    const bo = kept(await agentIn(gateway.url, String(conversationId), token))
    await bo.call('sendMessage', say(String(conversationId), 'hi'))
    await eventually(() => expect(bo.words().slice(-2)).toEqual(['sent', 'delivered']))
    await eventually(() => smsc.receiptsAnswered().length === 1)
  } finally {
    await connector.end()
    await smsc.stop()
    await removeFolder(dataDir)
  }
})
