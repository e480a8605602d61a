// Erasing conversations and customers, with real parts: to the end, whoever dies, and in nobody's way.
import { MemoryBus } from '../../src/bus/memory-bus'
import type { Notice } from '../../src/bus/bus'
import { Conversations } from '../../src/conversation/conversations'
import { Erasure, type ErasureDeps } from '../../src/conversation/erasure'
import type { Eraser } from '../../src/conversation/erasure-rules'
import { Retention } from '../../src/conversation/retention'
import { Suppression } from '../../src/conversation/suppression'
import { isErased } from '../../src/model/erased'
import type { AccountId, ConversationId } from '../../src/model/ids'
import { newId, newParticipantId } from '../../src/model/new-id'
import { openTestMemory, openTestSqlite, type TestDatabase } from '../support/databases'
import { addressOf, ann, deliver, ended, look, open, said, tenant, whispered, write } from '../support/log-fixtures'

const DAY_MS = 86_400_000
const supervisor: Eraser = {
  by: { id: newParticipantId(), role: 'supervisor', name: 'Sue' },
  account: 'account-of-sue' as AccountId,
}
const who = { channel: 'sms', account: null, refId: '+1' }

let under: TestDatabase
const buses: MemoryBus[] = []
afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.close()))
  await under.close()
})
const store = () => under.database.conversations
const at = (conversationId: ConversationId) => ({ tenant, conversationId })
const wholeLog = async (id: ConversationId) => JSON.stringify(await store().events(tenant, id, 0, 10_000))

function start(more: Partial<ErasureDeps> = {}) {
  const bus = new MemoryBus()
  buses.push(bus)
  const notices: Notice[] = []
  bus.subscribe({ heard: (notice) => notices.push(notice) })
  const { custody, erasures } = under.database
  const retention = new Retention([{ channel: 'sms', days: 30 }])
  const deps = { store: store(), custody, erasures, bus, retention, now: under.clock.now, ...more }
  const erasure = new Erasure(deps)
  const suppression = new Suppression({ optOut: [{ channel: '*', language: '*', words: ['STOP'] }], optIn: [] })
  const conversations = new Conversations({ store: store(), bus, suppression, now: under.clock.now })
  return { erasure, bus, notices, conversations }
}

describe('erasing a conversation', () => {
  beforeEach(async () => {
    under = await openTestMemory()
  })

  it('ends it, leaves no word and no name in it, counts what it removed, and says in the log who had it erased', async () => {
    const files: ConversationId[] = []
    const onErase: ErasureDeps['onErase'] = async ({ conversationId }) => {
      files.push(conversationId)
      return { files: 2 }
    }
    const { erasure, notices } = start({ onErase })
    const id = await open(store(), '+1', { comment: 'secret' })
    await write(store(), id, said('secret', ann), whispered('secret'))
    await deliver(store(), id, { refId: '+1', text: 'secret' })
    const receipt = await erasure.eraseConversation(at(id), supervisor)
    expect(receipt).toEqual({
      ...{
        id: expect.any(String) as string,
        at: under.clock.in(0),
        conversations: 1,
        events: 4,
        deliveries: 1,
        files: 2,
      },
      ...{ notifications: 0, suppression: 'none', storage: 'overwritten' },
    })
    const events = await store().events(tenant, id, 0, 100)
    expect(events.map(({ type }) => type)).toEqual([
      ...['participantJoined', 'messageSent', 'whispered', 'messageSent', 'conversationEnded', 'conversationErased'],
    ])
    const counts = { events: 4, deliveries: 1, files: 2 }
    expect(events.at(-1)).toMatchObject({
      by: supervisor.by,
      account: supervisor.account,
      counts,
      publicPosition: null,
    })
    expect(JSON.stringify(events)).not.toMatch(/secret|\b(?:Ann|Bo)\b/)
    const found = (await store().find(tenant, id))!
    expect(isErased(found)).toBe(true)
    expect(JSON.stringify(found)).not.toMatch(/secret|\bAnn\b|"\+1"/)
    expect([files, notices.at(-1)]).toEqual([[id], { kind: 'erased', tenant, conversationId: id }])
  })
  it('erases what is erased without a trace, and counts nothing', async () => {
    const { erasure } = start()
    const id = await open(store(), '+1')
    await erasure.eraseConversation(at(id), supervisor)
    const before = await wholeLog(id)
    const zeros = { conversations: 0, events: 0, deliveries: 0, notifications: 0, files: 0 }
    expect(await erasure.eraseConversation(at(id), supervisor)).toMatchObject(zeros)
    expect(await erasure.eraseCustomer(tenant, who, supervisor)).toMatchObject(zeros)
    expect(await wholeLog(id)).toBe(before)
  })
  it('finds nothing where there is nothing', async () => {
    const { erasure } = start()
    const id = newId() as ConversationId
    await expect(erasure.eraseConversation(at(id), supervisor)).rejects.toMatchObject({ code: 'notFound' })
    await expect(erasure.hold(at(id), { reason: '' })).rejects.toMatchObject({ code: 'notFound' })
  })
  it('is refused while a legal hold is on it, and afterwards it is not', async () => {
    const { erasure } = start()
    const id = await open(store(), '+1')
    await write(store(), id, said('evidence'))
    expect(await erasure.hold(at(id), { reason: 'case 7' })).toMatchObject({ hold: { reason: 'case 7' } })
    await expect(erasure.eraseConversation(at(id), supervisor)).rejects.toMatchObject({ code: 'conflict' })
    await expect(erasure.eraseCustomer(tenant, who, supervisor)).rejects.toMatchObject({ code: 'conflict' })
    expect(await wholeLog(id)).toContain('evidence')
    expect((await store().find(tenant, id))!.status).toBe('open')
    expect(await erasure.hold(at(id), null)).toMatchObject({ hold: null })
    expect(await erasure.eraseConversation(at(id), supervisor)).toMatchObject({ conversations: 1 })
    await expect(erasure.hold(at(id), { reason: 'late' })).rejects.toMatchObject({ code: 'conflict' })
  })
  it('begins nothing of a customer of whom one conversation is held, not even later', async () => {
    const { erasure } = start()
    const first = await open(store(), '+1')
    await write(store(), first, said('kept'), ended)
    const second = await open(store(), '+1')
    await erasure.hold(at(second), { reason: '' })
    await expect(erasure.eraseCustomer(tenant, who, supervisor)).rejects.toMatchObject({ code: 'conflict' })
    await erasure.hold(at(second), null)
    under.clock.forward(DAY_MS)
    expect(await erasure.catchUp(tenant, () => false)).toBe(false)
    expect(await wholeLog(first)).toContain('kept')
  })

  it('lets nobody speak in it any more, and a customer no longer in; staff may see what is left', async () => {
    const { erasure, conversations } = start()
    const id = await open(store(), '+1')
    await erasure.eraseConversation(at(id), supervisor)
    const saying = {
      ...{ from: ann.id, clientMessageId: null, digest: newId(), to: [], whisper: false },
      body: { type: 'message', content: { text: 'late', attachments: [], extras: {} } } as const,
    }
    await expect(conversations.say(at(id), saying)).rejects.toMatchObject({ code: 'conversationEnded' })
    const arrival = { participant: ann, presence: 'live', silent: false } as const
    await expect(conversations.join(at(id), arrival)).rejects.toMatchObject({ code: 'notFound' })
  })
  it('erases a receipt that comes between the end and the record, and knows no name in one that comes later', async () => {
    const { conversations } = start()
    const id = await open(store(), '+1')
    const { messageId } = await deliver(store(), id, { refId: '+1' })
    let isFirst = true
    const { erasures } = under.database
    const report = (state: 'sent' | 'read') => conversations.acknowledge(at(id), ann.id, { state, eventId: messageId })
    const late = start({
      erasures: {
        eraseEvents: async (...step) => {
          const page = await erasures.eraseEvents(...step)
          if (isFirst) await report('sent')
          isFirst = false
          return page
        },
        eraseRest: (...step) => erasures.eraseRest(...step),
        eraseAddress: (...step) => erasures.eraseAddress(...step),
        scrub: () => erasures.scrub(),
      },
    })
    await late.erasure.eraseConversation(at(id), supervisor)
    await report('read')
    const events = await store().events(tenant, id, 0, 100)
    expect(events.map(({ type }) => type).slice(-3)).toEqual([
      ...['receiptAdvanced', 'conversationErased', 'receiptAdvanced'],
    ])
    expect(JSON.stringify(events)).not.toMatch(/\bAnn\b/)
  })
  it('answers a repeat of what was said before, and brings nothing back by it', async () => {
    const { erasure, conversations } = start()
    const inbound = {
      ...{ tenant, externalMessageId: 'wamid.+1', clientMessageId: null, digest: 'd' },
      opening: (await store().find(tenant, await open(store(), '+1')))!.opening,
      content: { text: 'secret', attachments: [], extras: {} },
    }
    const { event } = await conversations.receive(inbound)
    await erasure.eraseCustomer(tenant, who, supervisor)
    const again = await conversations.receive(inbound)
    expect(again).toMatchObject({ repeated: true, event: { id: event.id, content: { text: '' } } })
    expect((await look(store(), { tenant, address: addressOf('+1') })).conversation).toBeNull()
  })
})

describe('erasing a customer', () => {
  beforeEach(async () => {
    under = await openTestMemory()
  })

  it('erases all their conversations and nobody else’s, and what they open afterwards is new', async () => {
    const { erasure } = start()
    const first = await open(store(), '+1')
    await write(store(), first, said('secret'), ended)
    const second = await open(store(), '+1')
    await write(store(), second, said('secret'))
    const theirs = await open(store(), '+2')
    await write(store(), theirs, said('of another'))
    expect(await erasure.eraseCustomer(tenant, who, supervisor)).toMatchObject({ conversations: 2, events: 5 })
    expect((await wholeLog(first)) + (await wholeLog(second))).not.toContain('secret')
    expect(await wholeLog(theirs)).toContain('of another')
    under.clock.forward(1)
    const third = await open(store(), '+1')
    expect([first, second]).not.toContain(third)
    await write(store(), third, said('hello again'))
    expect(await wholeLog(third)).toContain('hello again')
  })
  it('does not mean what they open while it is under way, by whoever goes on with it', async () => {
    const { erasure } = start()
    const old = await open(store(), '+1', { at: under.clock.in(-1) })
    await under.database.custody.intend(tenant, who, under.clock.in(0))
    await write(store(), old, said('secret'), ended)
    const back = await open(store(), '+1', { at: under.clock.in(1_000) })
    await write(store(), back, said('hello again'))
    under.clock.forward(DAY_MS)
    await erasure.catchUp(tenant, () => false)
    expect(await wholeLog(old)).not.toContain('secret')
    expect(await wholeLog(back)).toContain('hello again')
    under.clock.forward(DAY_MS)
    expect(await under.database.custody.claim(tenant, () => null, { limit: 1, claimMs: 1 })).toEqual({
      ...{ conversations: [], customers: [] },
    })
  })
})

describe('while a long conversation is erased', () => {
  beforeEach(async () => {
    under = await openTestSqlite()
  })

  it('everybody else goes on: nothing is lost, doubled, out of order or refused', async () => {
    const { erasure } = start()
    const long = await open(store(), '+1')
    const lines = Array.from({ length: 250 }, (_, i) => said(`secret ${i}`))
    for (let i = 0; i < 12; i++) await write(store(), long, ...lines)
    const others = await Promise.all(['+2', '+3', '+4'].map((refId) => open(store(), refId)))
    let isDone = false
    const erased = erasure.eraseCustomer(tenant, who, supervisor).finally(() => (isDone = true))
    const sent = new Map<ConversationId, string[]>()
    const speak = async (id: ConversationId) => {
      const texts: string[] = []
      sent.set(id, texts)
      while (!isDone || texts.length < 20) {
        const text = `${texts.length}`
        await write(store(), id, said(text))
        texts.push(text)
      }
    }
    await Promise.all(others.map(speak))
    expect(await erased).toMatchObject({ conversations: 1, events: 3_001 })
    for (const id of others) {
      const events = await store().events(tenant, id, 1, 10_000)
      expect(events.map((event) => event.type === 'messageSent' && event.content.text)).toEqual(sent.get(id))
    }
    expect(await wholeLog(long)).not.toContain('secret')
  })
})
