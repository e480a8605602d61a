// §2 later receipts of the provider: how they name what they are about, segments, parked ones, and that they only rise.
import { carrier, inbound, makeKey, type Carrier } from '../../../support/carrier'
import { TestClock } from '../../../support/databases'
import { eventually } from '../../../support/eventually'
import { agentIn, connect, latest, login, say } from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const clock = new TestClock()
const gateway = withGateway({}, { now: clock.now })
let supervisor: string
beforeAll(async () => {
  supervisor = await login(gateway.url)
})
let count = 0
/** An agent, and a customer behind a connector that answers deliveries with what `ids` says. */
async function chat(ids: object = {}) {
  const account = `account ${(count += 1)}`
  const sms = await carrier(gateway.url, { register: { account }, answer: () => ({ code: 200, ...ids }) })
  const reply = await sms.call('sendMessage', inbound('+49', 'hello', { account, externalMessageId: account }))
  const conversationId = reply['conversationId'] as string
  const bo = await agentIn(gateway.url, conversationId, supervisor)
  const report = (activityType: string, more: object, by: Carrier = sms) =>
    by.call('sendMessage', { type: 'ActivityMessage', channel: 'sms', account, activityType, ...more })
  const deliver = async (text: string) => {
    const { id } = await bo.call('sendMessage', say(conversationId, text))
    await eventually(() => states(id).includes('sent'))
    return { id: id as string, deliveryId: sms.deliveries.at(-1)!['deliveryId'] as string }
  }
  const states = (id: unknown) =>
    bo
      .arrived()
      .flatMap(({ activityType, info }) =>
        (info as { messageId?: unknown } | undefined)?.messageId === id ? [activityType] : [],
      )
  /** When it has answered, the agent has heard all that was true before. */
  const flush = () => bo.call('sendMessage', say(conversationId, 'so far', { tag: 'whisper' }))
  return { sms, account, bo, conversationId, report, deliver, states, flush }
}

describe('§2 receipts of the provider name, without a conversationId,', () => {
  it.each([
    ['`messageId`, the server’s `id`', ({ id }: { id: string }) => ({ messageId: id })],
    ['`deliveryId`', ({ deliveryId }: { deliveryId: string }) => ({ deliveryId })],
    ['`providerMessageId`', () => ({ providerMessageId: 'p1' })],
  ])('%s; in `info` or beside it', async (_row, name) => {
    const { report, deliver, states, bo } = await chat({ providerMessageId: 'p1' })
    const delivered = await deliver('hi')
    expect(await report('delivered', { info: name(delivered) })).toMatchObject({ code: 200 })
    expect(await report('read', name(delivered))).toMatchObject({ code: 200 })
    await eventually(() => expect(states(delivered.id)).toEqual(['sent', 'delivered', 'read']))
    expect(await latest(bo, 'read')).toMatchObject({ from: { type: 'Customer', name: 'Customer' } })
  })
  it.each(['messageId', 'deliveryId'] as const)(
    '`%s` is ours and names one alone, whatever the account',
    async (name) => {
      const { sms, deliver, states } = await chat()
      const { id, deliveryId } = await deliver('hi')
      const named = name === 'messageId' ? { messageId: id } : { deliveryId }
      await sms.call('sendMessage', { activityType: 'delivered', info: named })
      await eventually(() => expect(states(id)).toEqual(['sent', 'delivered']))
    },
  )
  it('nothing at all: 400', async () => {
    const { report } = await chat()
    expect(await report('delivered', {})).toMatchObject({ code: 400 })
  })
  it.each([
    ['queued', 'accepted'],
    ['accepted', 'accepted'],
    ['expired', 'failed'],
    ['rejected', 'failed'],
    ['failed', 'failed'],
  ])('a provider’s `%s` counts as %s, with its `reason`', async (word, state) => {
    const { sms, report, bo, conversationId } = await chat()
    sms.close()
    const old = await carrier(gateway.url, { register: { account: `account ${count}` }, answer: () => undefined })
    const { id } = await bo.call('sendMessage', say(conversationId, 'hi'))
    await eventually(() => old.deliveries.length === 1)
    await report(word, { info: { messageId: id, reason: 'because' } }, old)
    expect(await latest(bo, state)).toMatchObject({ info: { messageId: id, reason: 'because' } })
  })
  it('a customer may not report them: 400 without a conversation, 404 in one that is not theirs', async () => {
    const { conversationId, deliver } = await chat()
    const { id } = await deliver('hi')
    const stranger = await connect(gateway.url)
    const receipt = { activityType: 'delivered', info: { messageId: id } }
    expect(await stranger.call('sendMessage', receipt)).toMatchObject({ code: 400 })
    expect(await stranger.call('sendMessage', { ...receipt, conversationId })).toMatchObject({ code: 404 })
  })
})

describe('§2 receipts only rise: accepted < sent < delivered < read; failed ends it unless delivered', () => {
  it.each([
    [
      ['delivered', 'sent', 'accepted', 'delivered', 'read', 'read'],
      ['sent', 'delivered', 'read'],
    ],
    [
      ['read', 'delivered'],
      ['sent', 'read'],
    ],
    [
      ['failed', 'delivered', 'read'],
      ['sent', 'failed'],
    ],
    [
      ['delivered', 'failed', 'read'],
      ['sent', 'delivered', 'read'],
    ],
  ])('%j', async (reports, expected) => {
    const { report, deliver, states, bo, conversationId } = await chat()
    const { id } = await deliver('hi')
    for (const state of reports) await report(state, { info: { messageId: id } })
    await bo.call('sendMessage', say(conversationId, 'after'))
    await eventually(() => bo.words().includes(expected.at(-1)!))
    expect(states(id)).toEqual(expected)
  })
})

describe('§2 segments', () => {
  it('`delivered` when all segments are', async () => {
    const { report, deliver, states, flush } = await chat({ providerMessageIds: ['s1', 's2', 's3'] })
    const { id } = await deliver('a long one')
    for (const providerMessageId of ['s1', 's3', 's3']) await report('delivered', { providerMessageId })
    await flush()
    expect(states(id)).toEqual(['sent'])
    await report('delivered', { providerMessageId: 's2' })
    await eventually(() => expect(states(id)).toEqual(['sent', 'delivered']))
  })
  it('one that failed fails the message', async () => {
    const { report, deliver, states } = await chat({ providerMessageIds: ['f1', 'f2'] })
    const { id } = await deliver('a long one')
    await report('delivered', { providerMessageId: 'f1' })
    await report('failed', { providerMessageId: 'f2' })
    await eventually(() => expect(states(id)).toEqual(['sent', 'failed']))
  })
})

describe('§2 unmatched ones are kept 10 min', () => {
  it('a receipt that comes before the id that it names is told when the id is known', async () => {
    const { report, deliver, states } = await chat({ providerMessageId: 'early' })
    expect(await report('delivered', { providerMessageId: 'early' })).toMatchObject({ code: 200 })
    clock.forward(9 * 60_000)
    const { id } = await deliver('hi')
    await eventually(() => expect(states(id)).toEqual(['sent', 'delivered']))
  })
  it('and forgotten after', async () => {
    const { report, deliver, states, bo, conversationId } = await chat({ providerMessageId: 'late' })
    await report('delivered', { providerMessageId: 'late' })
    clock.forward(11 * 60_000)
    const { id } = await deliver('hi')
    await bo.call('sendMessage', say(conversationId, 'after'))
    expect(states(id)).toEqual(['sent'])
  })
  it('scoped to channel and account: another account’s ids are others', async () => {
    const [one, two] = [await chat({ providerMessageId: 'same' }), await chat({ providerMessageId: 'same' })]
    const [first, second] = [await one.deliver('to one'), await two.deliver('to two')]
    await two.report('delivered', { providerMessageId: 'same' })
    await eventually(() => expect(two.states(second.id)).toEqual(['sent', 'delivered']))
    expect(one.states(first.id)).toEqual(['sent'])
    const { secret } = await makeKey(gateway.url, supervisor, { kind: 'connector', account: two.account })
    const theirs = await connect(gateway.url, { auth: { token: secret } })
    const reach = { channel: 'sms', account: one.account, activityType: 'delivered', providerMessageId: 'same' }
    expect(await theirs.call('sendMessage', reach)).toMatchObject({ code: 403 })
    await theirs.call('sendMessage', { activityType: 'delivered', messageId: first.id })
    await theirs.call('sendMessage', { activityType: 'delivered', deliveryId: first.deliveryId })
    await one.flush()
    expect(one.states(first.id)).toEqual(['sent'])
  })
})
