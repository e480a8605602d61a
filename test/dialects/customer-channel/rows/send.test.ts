// §2 sendMessage and messageArrived: what arrives, who said it, who hears it, and what is said once.
import { eventually } from '../../../support/eventually'
import {
  agentIn,
  connect,
  customer,
  hire,
  joining,
  latest,
  login,
  pictureOf,
  say,
  type Someone,
} from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const gateway = withGateway()
let supervisor: string
let agent: { token: string }
beforeAll(async () => {
  supervisor = await login(gateway.url)
  agent = await hire(gateway.url, 'bo')
})

/** A customer, an agent and a supervisor who have all heard that the others are there. */
async function three() {
  const ann = await customer(gateway.url)
  const { conversationId } = ann
  const bo = await agentIn(gateway.url, conversationId, agent.token)
  const eve = await agentIn(gateway.url, conversationId, supervisor)
  await eventually(() => ann.words().length === 3 && bo.words().length === 3 && eve.words().length === 3)
  const { participants } = await pictureOf(eve)
  const idOf = (name: string) => participants.find((person) => person.name === name)!.id
  const send = (someone: Someone, body: object) => someone.call('sendMessage', { conversationId, ...body })
  return { ann, bo, eve, conversationId, send, ids: { ann: idOf('Ann'), bo: idOf('bo'), eve: idOf('admin') } }
}

describe('§2 what arrives', () => {
  it('carries `id`, `messageId`, `seq`, `timestamp`, `channel` and `from.type`', async () => {
    const { ann, bo, send, conversationId, ids } = await three()
    const reply = await send(ann, { type: 'ChatMessage', text: 'Hello', messageId: 'mine' })
    expect(await latest(bo, 'Hello')).toEqual({
      conversationId,
      type: 'ChatMessage',
      id: reply['id'],
      messageId: 'mine',
      seq: 4,
      timestamp: reply['timestamp'],
      channel: 'web',
      from: { id: ids.ann, name: 'Ann', type: 'Customer' },
      to: [],
      text: 'Hello',
      tag: '',
      refId: 'r1',
      attachments: [],
    })
  })
  it('`messageId` is the sender’s, or `id`, for an activity as for a chat message', async () => {
    const { ann, bo, send } = await three()
    await send(ann, { text: 'without' })
    const chat = await latest(bo, 'without')
    expect(chat['messageId']).toBe(chat['id'])
    await send(ann, { activityType: 'cobrowse', messageId: 'mine' })
    expect(await latest(bo, 'cobrowse')).toMatchObject({ messageId: 'mine' })
    await send(ann, { activityType: 'navigated' })
    const activity = await latest(bo, 'navigated')
    expect(activity['messageId']).toBe(activity['id'])
  })
  it.each([
    ['Agent', 'bo'],
    ['Agent also for supervisors', 'eve'],
  ] as const)('`from.type` is %s', async (_row, who) => {
    const there = await three()
    await there.send(there[who], { text: 'hi' })
    expect(await latest(there.ann, 'hi')).toMatchObject({ from: { id: there.ids[who], type: 'Agent' } })
  })
})

describe('§2 the discriminator', () => {
  it.each([
    ['`type`', { type: 'ChatMessage', text: 'said', activityType: 'done' }, 'said', 'ChatMessage'],
    [
      '`messageType` is accepted',
      { messageType: 'ActivityMessage', activityType: 'done', text: 'said' },
      'done',
      'ActivityMessage',
    ],
    [
      'with neither, an `activityType` makes it an ActivityMessage',
      { activityType: 'done' },
      'done',
      'ActivityMessage',
    ],
    ['else a ChatMessage', { text: 'said' }, 'said', 'ChatMessage'],
  ])('%s', async (_row, body, word, type) => {
    const { ann, bo, send } = await three()
    expect(await send(ann, body)).toMatchObject({ code: 200 })
    expect(await latest(bo, word)).toMatchObject({ type })
  })
  it.each([
    ['another type', { type: 'Shout', text: 'x' }],
    ['an ActivityMessage without activityType', { type: 'ActivityMessage' }],
    ['a ChatMessage that says nothing', { type: 'ChatMessage', text: '' }],
  ])('%s is a 400', async (_row, body) => {
    const { ann, send } = await three()
    expect(await send(ann, body)).toMatchObject({ code: 400 })
  })
})

describe('§2 `from` is never trusted, whatever its shape', () => {
  it.each([
    ['an object', { id: 'somebody', name: 'The Boss', type: 'Agent' }],
    ['a text', 'The Boss'],
    ['an array', [{ id: 'The Boss' }]],
    ['a number', 7],
  ])('%s', async (_row, from) => {
    const { ann, bo, send, ids } = await three()
    await send(ann, { text: 'hi', from, id: 'forged', seq: 99, timestamp: '2001-01-01T00:00:00Z' })
    const arrived = await latest(bo, 'hi')
    expect(arrived).toMatchObject({ from: { id: ids.ann, name: 'Ann', type: 'Customer' }, seq: 4 })
    expect(arrived['id']).not.toBe('forged')
    expect(arrived['timestamp']).not.toContain('2001')
  })
  it('live and replay are the same', async () => {
    const { ann, bo, send, conversationId } = await three()
    await send(ann, { text: 'hi', mood: 'good' })
    await send(bo, { text: 'hello', to: [] })
    await latest(ann, 'hello')
    await latest(bo, 'hi')
    const replayed = (await pictureOf(await agentIn(gateway.url, conversationId, supervisor))).messages
    const live = bo.arrived().filter(({ text }) => text === 'hi')
    expect(replayed.filter(({ text }) => text === 'hi')).toEqual(live)
    expect(live[0]).toMatchObject({ mood: 'good' })
  })
})

describe('§2 `to`', () => {
  it.each([
    ['absent', () => ({})],
    ['an empty array', () => ({ to: [] })],
    ['an empty text', () => ({ to: '' })],
    ['an array of objects naming the customer', (id: string) => ({ to: [{ id, name: 'Ann' }] })],
    ['an array of texts naming the customer', (id: string) => ({ to: [id] })],
    ['one object naming the customer', (id: string) => ({ to: { id } })],
    ['one text naming the customer', (id: string) => ({ to: id })],
  ])('%s: public', async (_row, to) => {
    const { ann, bo, eve, send, ids } = await three()
    expect(await send(bo, { text: 'hi', ...to(ids.ann) })).toMatchObject({ code: 200 })
    await latest(ann, 'hi')
    await latest(eve, 'hi')
  })
  it('naming only staff: internal, though it is no whisper', async () => {
    const { ann, bo, eve, send, ids } = await three()
    await send(bo, { text: 'between us', to: [ids.eve] })
    await send(bo, { text: 'for all', to: [ids.eve, ids.ann] })
    expect(await latest(eve, 'between us')).toMatchObject({ to: [{ id: ids.eve, type: 'Agent' }], tag: '', seq: 4 })
    expect(await latest(ann, 'for all')).toMatchObject({ seq: 4 })
    expect(ann.words()).not.toContain('between us')
  })
  it.each([
    ['an unknown id', ['nobody']],
    ['an empty id', ['']],
    ['a broadcast word', 'all'],
    ['an object without an id', [{ name: 'Ann' }]],
    ['a number', 7],
  ])('an entry that names no member (%s): 400, never a broadcast', async (_row, to) => {
    const { ann, bo, send } = await three()
    expect(await send(bo, { text: 'lost', to })).toMatchObject({ code: 400, error: { code: 'invalidRequest' } })
    await send(bo, { text: 'after' })
    await latest(ann, 'after')
    expect(ann.words()).not.toContain('lost')
  })
  it('a member who has left is none: 400', async () => {
    const { bo, eve, send, ids, conversationId } = await three()
    await eve.call('leaveConversation', { conversationId })
    expect(await send(bo, { text: 'lost', to: ids.eve })).toMatchObject({ code: 400 })
  })
})

describe('§2 `tag: "whisper"`', () => {
  it.each(['whisper', 'Whisper', 'WHISPER', ' whisper '])('%j is internal, on either type', async (tag) => {
    const { ann, bo, eve, send } = await three()
    await send(bo, { text: 'psst', tag })
    await send(bo, { type: 'ActivityMessage', activityType: 'nod', tag })
    await send(bo, { text: 'after' })
    expect(await latest(eve, 'psst')).toMatchObject({ tag: 'whisper', seq: 4 })
    expect(await latest(eve, 'nod')).toMatchObject({ tag: 'whisper', seq: 5 })
    expect(await latest(ann, 'after')).toMatchObject({ seq: 4 })
    expect(JSON.stringify(ann.heard)).not.toMatch(/psst|nod/)
  })
  it.each([
    ['a chat message', { text: 'psst' }],
    ['an activity', { activityType: 'nod' }],
    ['typing', { activityType: 'typing' }],
  ])('from a customer: 403 (%s)', async (_row, body) => {
    const { ann, send } = await three()
    expect(await send(ann, { ...body, tag: 'Whisper' })).toMatchObject({ code: 403, error: { code: 'forbidden' } })
  })
  it('whispered typing is heard by staff only', async () => {
    const { ann, bo, eve, send } = await three()
    await send(bo, { activityType: 'typing', tag: 'whisper' })
    await send(bo, { text: 'after' })
    await latest(eve, 'typing')
    await latest(ann, 'after')
    expect(ann.words()).not.toContain('typing')
  })
})

describe('§2 silent supervisors are internal', () => {
  it('they are seen by staff only, may whisper, and may not be heard', async () => {
    const ann = await customer(gateway.url)
    const { conversationId } = ann
    const bo = await agentIn(gateway.url, conversationId, agent.token)
    const eve = await connect(gateway.url, { auth: { token: supervisor } })
    expect(await eve.call('joinConversation', { conversationId, silent: true })).toMatchObject({ code: 200 })
    await eventually(() => bo.words().length === 3)
    expect(await eve.call('sendMessage', say(conversationId, 'loud'))).toMatchObject({ code: 403 })
    expect(await eve.call('sendMessage', say(conversationId, 'psst', { tag: 'whisper' }))).toMatchObject({ code: 200 })
    await eve.call('leaveConversation', { conversationId })
    await bo.call('sendMessage', say(conversationId, 'after'))
    expect(await latest(ann, 'after')).toMatchObject({ seq: 3 })
    expect(bo.words()).toEqual([
      'participantJoined',
      'participantJoined',
      'participantJoined',
      'psst',
      'participantLeft',
    ])
    expect(JSON.stringify(ann.heard)).not.toContain('admin')
    const tab = await connect(gateway.url)
    await tab.call('joinConversation', joining(ann))
    expect((await pictureOf(tab)).participants.map(({ name }) => name)).toEqual(['Ann', 'bo'])
  })
  it('an agent may not listen silently: 403', async () => {
    const { conversationId } = await customer(gateway.url)
    const bo = await connect(gateway.url, { auth: { token: agent.token } })
    expect(await bo.call('joinConversation', { conversationId, silent: true })).toMatchObject({ code: 403 })
  })
})
