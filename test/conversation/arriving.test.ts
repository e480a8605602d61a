// What comes by a channel at the very moment at which its conversation ends: it is never written behind the end.
import { MemoryBus } from '../../src/bus/memory-bus'
import { Conversations } from '../../src/conversation/conversations'
import { Suppression } from '../../src/conversation/suppression'
import { openTestMemory, openTestSqlite, type TestDatabase } from '../support/databases'
import { addressOf, ann, open, openingAt, tenant } from '../support/log-fixtures'

describe.each([
  ['memory', openTestMemory],
  ['SQLite', openTestSqlite],
])('arriving while the conversation ends: %s', (_name, openDatabase) => {
  let under: TestDatabase
  let conversations: Conversations
  beforeEach(async () => {
    under = await openDatabase()
    const store = under.database.conversations
    const suppression = new Suppression({ optOut: [], optIn: [] })
    conversations = new Conversations({ store, bus: new MemoryBus(), suppression, now: under.clock.now })
  })
  afterEach(() => under.close())
  const store = () => under.database.conversations
  const receive = (externalMessageId: string) =>
    conversations.receive({
      tenant,
      opening: openingAt(addressOf('+1')),
      externalMessageId,
      clientMessageId: null,
      digest: 'd',
      content: { text: 'hi', attachments: [], extras: {} },
    })
  const request = () =>
    conversations.open({
      tenant,
      opening: openingAt(addressOf('+1')),
      requestId: 'r',
      digest: 'd',
      mayRepeat: () => true,
    })
  const typesOf = async (conversationId: Awaited<ReturnType<typeof open>>) =>
    (await store().events(tenant, conversationId, 0, 10)).map(({ type }) => type)

  it('a message opens the next conversation of the address', async () => {
    const first = await open(store(), '+1')
    const [, { event }] = await Promise.all([
      conversations.end({ tenant, conversationId: first }, ann.id),
      receive('x1'),
    ])
    expect(event.conversationId).not.toBe(first)
    expect(await typesOf(first)).toEqual(['participantJoined', 'conversationEnded'])
    expect(await typesOf(event.conversationId)).toEqual(['participantJoined', 'messageSent'])
    const { event: next } = await receive('x2')
    expect(next.conversationId).toBe(event.conversationId)
  })
  it('an opening gets the next one too, and not the one that has just ended', async () => {
    const first = await open(store(), '+1')
    const [, opened] = await Promise.all([conversations.end({ tenant, conversationId: first }, ann.id), request()])
    expect(opened.conversationId).not.toBe(first)
    expect(await store().find(tenant, opened.conversationId)).toMatchObject({ status: 'open' })
  })
})
