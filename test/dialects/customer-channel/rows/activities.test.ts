// §2: one test for each row of the table of activities, and for who may send which; endConversation.
import { carrier, texter } from '../../../support/carrier'
import { TestClock } from '../../../support/databases'
import { eventually } from '../../../support/eventually'
import {
  agentIn,
  connect,
  customer,
  hire,
  init,
  joining,
  latest,
  login,
  pictureOf,
  request,
  say,
  type Someone,
} from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const gateway = withGateway()
let supervisor: string
beforeAll(async () => {
  supervisor = await login(gateway.url)
})
async function two() {
  const ann = await customer(gateway.url)
  const { conversationId } = ann
  const bo = await agentIn(gateway.url, conversationId, supervisor)
  await eventually(() => ann.words().length === 2 && bo.words().length === 2)
  const act = (someone: Someone, activityType: string, info: object = {}) =>
    someone.call('sendMessage', { conversationId, type: 'ActivityMessage', activityType, info })
  const chat = (someone: Someone, text: string) => someone.call('sendMessage', say(conversationId, text))
  return { ann, bo, conversationId, act, chat }
}

describe('§2 typing', () => {
  it.each(['started', 'stopped'])('`state` %s arrives, without `seq`, and is never stored', async (state) => {
    const { ann, bo, conversationId, act } = await two()
    expect(await act(ann, 'typing', { state })).toMatchObject({ code: 200 })
    const typing = await latest(bo, 'typing')
    expect(typing).toMatchObject({ conversationId, channel: 'web', from: { type: 'Customer' }, info: { state } })
    expect(typing).not.toHaveProperty('seq')
    const { messages, conversation } = await pictureOf(await agentIn(gateway.url, conversationId, supervisor))
    expect(messages.map(({ activityType }) => activityType)).not.toContain('typing')
    expect(conversation['seq']).toBe(2)
  })
  it('after the end it is a 410, from an outsider a 404', async () => {
    const { ann, bo, conversationId, act } = await two()
    await bo.call('endConversation', { conversationId })
    expect(await act(ann, 'typing')).toMatchObject({ code: 410 })
    expect(await act(await connect(gateway.url), 'typing')).toMatchObject({ code: 404 })
  })
})

describe('§2 receipts: delivered and read', () => {
  it('an event `from` the recipient that names the server’s `id`, with the audience of its message', async () => {
    const { ann, bo, act, chat } = await two()
    const { id } = await chat(ann, 'hi')
    expect(await act(bo, 'read', { messageId: id })).toMatchObject({ code: 200 })
    const read = await latest(ann, 'read')
    expect(read).toMatchObject({ seq: 4, from: { name: 'admin', type: 'Agent' }, info: { messageId: id } })
  })
  it('only rising, at most one per (message, recipient, state)', async () => {
    const { ann, bo, act, chat } = await two()
    const { id } = await chat(ann, 'hi')
    for (const state of ['delivered', 'delivered', 'read', 'delivered', 'read'])
      expect(await act(bo, state, { messageId: id })).toMatchObject({ code: 200 })
    await chat(bo, 'after')
    await latest(ann, 'after')
    expect(ann.words().slice(2)).toEqual(['delivered', 'read', 'after'])
  })
  it('of a whisper they are internal', async () => {
    const ann = await customer(gateway.url)
    const { conversationId } = ann
    const bo = await agentIn(gateway.url, conversationId, supervisor)
    const { id } = await bo.call('sendMessage', say(conversationId, 'psst', { tag: 'whisper' }))
    const receipt = { conversationId, activityType: 'read', info: { messageId: id } }
    expect(await ann.call('sendMessage', receipt)).toMatchObject({ code: 400 })
    const cy = await agentIn(gateway.url, conversationId, (await hire(gateway.url, 'cy')).token)
    expect(await cy.call('sendMessage', receipt)).toMatchObject({ code: 200 })
    expect(await latest(bo, 'read')).toMatchObject({ tag: 'whisper', from: { name: 'cy' }, info: { messageId: id } })
    await bo.call('sendMessage', say(conversationId, 'after'))
    await latest(ann, 'after')
    expect(ann.words()).not.toContain('read')
    expect(JSON.stringify(ann.heard)).not.toMatch(new RegExp(`psst|${String(id)}`))
  })
  it.each([
    ['one’s own message', (id: unknown) => ({ messageId: id })],
    ['no message', () => ({})],
    ['a message that is not there', (id: unknown) => ({ messageId: `${String(id)}999` })],
    ['an id of another kind', () => ({ messageId: 'm1' })],
  ])('for %s: 400', async (_row, info) => {
    const { ann, act, chat } = await two()
    const { id } = await chat(ann, 'hi')
    expect(await act(ann, 'read', info(id))).toMatchObject({ code: 400 })
  })
  it('for a message of another conversation: 400', async () => {
    const { bo, act } = await two()
    const other = await two()
    const { id } = await other.chat(other.ann, 'hi')
    expect(await act(bo, 'read', { messageId: id })).toMatchObject({ code: 400 })
  })
})

describe('§2 from customers', () => {
  it('names that are not in this table are stored, and passed to staff and customers, never to connectors', async () => {
    const sms = await carrier(gateway.url)
    const started = await texter(gateway.url, '+1')
    await sms.call('joinConversation', joining(started))
    const ann = await connect(gateway.url)
    const { conversationId } = started
    await ann.call('joinConversation', joining(started))
    const bo = await agentIn(gateway.url, conversationId, supervisor)
    const info = { page: '/checkout', step: 2 }
    const reply = await bo.call('sendMessage', { conversationId, activityType: 'navigated', info })
    expect(reply).toMatchObject({ code: 200, id: expect.any(String) as string })
    expect(await latest(ann, 'navigated')).toMatchObject({ info, seq: (reply['seq'] as number) - 1 })
    await ann.call('sendMessage', { conversationId, activityType: 'scrolled', info })
    expect(await latest(bo, 'scrolled')).toMatchObject({ info, from: { type: 'Customer' } })
    const { messages } = await pictureOf(await agentIn(gateway.url, conversationId, supervisor))
    expect(messages.map(({ activityType }) => activityType)).toContain('navigated')
    expect(sms.words()).not.toContain('navigated')
    expect(sms.words()).not.toContain('scrolled')
  })
  it('at most 4 KB', async () => {
    const { ann, act } = await two()
    expect(await act(ann, 'navigated', { a: 'x'.repeat(4_000) })).toMatchObject({ code: 200 })
    expect(await act(ann, 'navigated', { a: 'x'.repeat(4_100) })).toMatchObject({ code: 400 })
  })
  const OTHERS = ['greetings', 'participantAdded', 'participantRemoved', 'participantJoined', 'participantLeft']
  const LISTED = [
    ...OTHERS,
    'noAgentAvailable',
    'conversationErased',
    'accepted',
    'sent',
    'failed',
    'queued',
    'idleWarning',
  ]
  it.each(LISTED)('any other listed name is 403: %s', async (name) => {
    const { ann, act, chat } = await two()
    const { id } = await chat(ann, 'hi')
    expect(await act(ann, name, { messageId: id })).toMatchObject({ code: 403, error: { code: 'forbidden' } })
  })
  it('`handOff` means requestAgentTransfer', async () => {
    const { ann, conversationId, act } = await two()
    const reply = await ann.call('requestAgentTransfer', { conversationId })
    expect(reply).toMatchObject({ code: 501, error: { code: 'notImplemented', retryable: false } })
    expect(await act(ann, 'handOff')).toEqual(reply)
  })
})

describe('§2 endOfConversation', () => {
  it.each([
    ['endConversation of a customer', 'customer', 'ann', false],
    ['endConversation of an agent', 'agent', 'bo', false],
    ['sent as a message it means endConversation', 'customer', 'ann', true],
  ] as const)('%s: to all, the ender included, with `reason`', async (_row, reason, who, asMessage) => {
    const there = await two()
    const { ann, bo, conversationId } = there
    const reply = asMessage
      ? await there.act(there[who], 'endOfConversation')
      : await there[who].call('endConversation', { conversationId })
    expect(reply).toMatchObject({ code: 200, conversationId })
    for (const member of [ann, bo])
      expect(await latest(member, 'endOfConversation')).toMatchObject({ info: { reason }, seq: 3 })
    expect(await there.chat(ann, 'still there?')).toMatchObject({ code: 410, error: { code: 'conversationEnded' } })
    expect(await there.chat(bo, 'hello?')).toMatchObject({ code: 410 })
  })
  it('ending twice is a success, and said once', async () => {
    const { ann, bo, conversationId } = await two()
    for (const someone of [ann, bo, ann])
      expect(await someone.call('endConversation', { conversationId })).toMatchObject({ code: 200 })
    const { messages } = await pictureOf(await again(ann))
    expect(messages.filter(({ activityType }) => activityType === 'endOfConversation')).toHaveLength(1)
  })
  const again = async (ann: Awaited<ReturnType<typeof customer>>) => {
    const tab = await connect(gateway.url)
    await tab.call('joinConversation', joining(ann))
    return tab
  }
})

describe('§2 idleWarning, the end by inactivity, and §1 a conversation that nobody joined', () => {
  const clock = new TestClock()
  const idle = withGateway({ IDLE_WARNING: '1', IDLE_END: '2h' }, { now: clock.now })
  it('`idleWarning` says when it `endsAt`; then `endOfConversation` has the reason inactivity', async () => {
    const ann = await customer(idle.url)
    clock.forward(2_000)
    const warning = await latest(ann, 'idleWarning')
    expect(warning).toMatchObject({ from: { type: 'System' }, seq: 2 })
    expect((warning['info'] as { endsAt: string }).endsAt).toBe(clock.in(2 * 3_600_000 - 2_000))
    await ann.call('sendMessage', say(ann.conversationId, 'here'))
    clock.forward(2_000)
    await eventually(() => ann.words().filter((word) => word === 'idleWarning').length === 2)
    clock.forward(2 * 3_600_000)
    expect(await latest(ann, 'endOfConversation')).toMatchObject({ info: { reason: 'inactivity' } })
  })
  it('one that nobody joined within 15 min expires, warned of nothing', async () => {
    const started = await init(idle.url)
    const ann = await customer(idle.url)
    clock.forward(14 * 60_000)
    await latest(ann, 'idleWarning') // so the round has passed over both
    clock.forward(2 * 60_000)
    const late = await connect(idle.url)
    const ended = async () => {
      const path = `/api/customer/transcript/${started.conversationId}/json`
      return (await request(idle.url, path, {}, started.participant.id)).status === 200
    }
    await eventually(ended)
    await late.call('joinConversation', joining(started))
    const { messages } = await pictureOf(late)
    expect(messages.at(-1)).toMatchObject({ activityType: 'endOfConversation', info: { reason: 'system' } })
    expect(messages.map(({ activityType }) => activityType)).not.toContain('idleWarning')
  })
})
