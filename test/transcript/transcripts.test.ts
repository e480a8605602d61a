// What is read from the log: for customers what was public, for staff everything, in order, and how far it came.
import { createHash } from 'node:crypto'
import type { EventDraft, ReceiptState } from '../../src/model/events'
import { eventId, type ConversationId } from '../../src/model/ids'
import { newParticipantId } from '../../src/model/new-id'
import type { Person } from '../../src/model/participant'
import { hashOf, jsonOf } from '../../src/transcript/canonical'
import { isAnswered } from '../../src/transcript/transcript'
import { Transcripts } from '../../src/transcript/transcripts'
import { openTestMemory, type TestDatabase } from '../support/databases'
import { ann, bo, done, ended, open, said, tenant, whispered, write } from '../support/log-fixtures'

const sue: Person = { id: newParticipantId(), role: 'supervisor', name: 'Sue' }
const observing: EventDraft = { type: 'observerJoined', participant: sue, ordinal: 3, by: sue }
const observed: EventDraft = { type: 'observerLeft', participant: sue, reason: 'left', by: sue }
const boJoined: EventDraft = { type: 'participantJoined', presence: 'live', participant: bo, ordinal: 2, by: bo }
const boLeft: EventDraft = { type: 'participantLeft', participant: bo, reason: 'disconnected', by: bo }

describe('a transcript', () => {
  let under: TestDatabase
  beforeEach(async () => {
    under = await openTestMemory()
  })
  afterEach(() => under.close())
  const begin = () => open(under.database.conversations, '+1', { subject: 'Parcels', language: 'de' })
  const readOf = async (id: ConversationId, maxEvents?: number) => {
    const store = under.database.conversations
    const transcripts = new Transcripts({ store, ...(maxEvents === undefined ? {} : { maxEvents }) })
    const conversation = (await store.find(tenant, id))!
    return {
      customer: () => transcripts.read(conversation, 'customer'),
      staff: () => transcripts.read(conversation, 'staff'),
    }
  }
  const read = async (...drafts: EventDraft[]) => {
    const id = await begin()
    if (drafts.length > 0) await write(under.database.conversations, id, ...drafts)
    return readOf(id)
  }
  const receipt = (id: ConversationId, publicPosition: number, state: ReceiptState, participant: Person = ann) =>
    ({
      type: 'receiptAdvanced',
      participant,
      state,
      messageId: eventId(id, { position: 0, publicPosition }),
      by: participant,
    }) satisfies EventDraft

  it('of a customer holds the public events with their public positions, and nothing of what staff said or did among themselves', async () => {
    const { customer } = await read(
      said('hi', ann),
      observing,
      whispered('cross'),
      done('nod'),
      boJoined,
      said('hello'),
      observed,
      boLeft,
      ended,
    )
    const transcript = await customer()
    expect(transcript.entries).toMatchObject([
      { kind: 'joined', seq: 1, from: { name: 'Ann', role: 'customer' } },
      { kind: 'message', seq: 2, text: 'hi', from: { name: 'Ann', role: 'customer' } },
      { kind: 'joined', seq: 4, from: { name: 'Bo', role: 'agent' } },
      { kind: 'message', seq: 5, text: 'hello', from: { name: 'Bo', role: 'agent' } },
      { kind: 'left', seq: 6, reason: 'disconnected' },
      { kind: 'ended', seq: 7, reason: 'customer' },
    ])
    expect(JSON.stringify(transcript)).not.toMatch(/cross|Sue|whisper|observer/)
    for (const { from } of transcript.entries) expect(Object.keys(from).sort()).toEqual(['name', 'role'])
  })
  it('of staff holds whispers and observers too, with positions among all events', async () => {
    const { staff } = await read(said('hi', ann), observing, whispered('cross'), observed)
    const transcript = await staff()
    expect(transcript.entries).toMatchObject([
      { kind: 'joined', seq: 1 },
      { kind: 'message', seq: 2, text: 'hi' },
      { kind: 'observerJoined', seq: 3, from: { name: 'Sue', role: 'supervisor' } },
      { kind: 'whisper', seq: 4, text: 'cross', from: { name: 'Bo' } },
      { kind: 'observerLeft', seq: 5 },
    ])
    expect(transcript.people.map(({ name }) => name)).toEqual(['Ann', 'Sue', 'Bo'])
  })
  it('begins with where and when it was, who took part, and that it is still running', async () => {
    const { customer } = await read(said('hi', ann), said('hello'))
    expect(await customer()).toMatchObject({
      audience: 'customer',
      channel: 'sms',
      account: '+1000',
      subject: 'Parcels',
      language: 'de',
      startedAt: expect.stringMatching(/^2030-/) as string,
      endedAt: null,
      people: [
        { name: 'Ann', role: 'customer' },
        { name: 'Bo', role: 'agent' },
      ],
    })
  })
  it('tells when it ended', async () => {
    const { customer } = await read(said('hi', ann), ended)
    const { endedAt, entries } = await customer()
    expect(endedAt).toBe(entries.at(-1)!.at)
  })
  it('is whole, however long', async () => {
    const drafts = Array.from({ length: 1_300 }, (_, i) => (i % 3 ? said(`${i}`) : whispered(`${i}`)))
    const { customer, staff } = await read(...drafts)
    const textsOf = ({ entries }: { entries: readonly object[] }) =>
      entries.flatMap((entry) => ('text' in entry ? [Number(entry.text)] : []))
    const all = drafts.map((_, i) => i)
    expect(textsOf(await customer())).toEqual(all.filter((i) => i % 3 > 0))
    expect(textsOf(await staff())).toEqual(all)
  })
  it('of too many events is refused with a sentence', async () => {
    const id = await begin()
    for (let i = 0; i < 3; i++)
      await write(under.database.conversations, id, ...Array.from({ length: 500 }, () => said('x')))
    const { customer } = await readOf(id, 1_000)
    await expect(customer()).rejects.toMatchObject({
      code: 'tooLarge',
      message: expect.stringMatching(/^\w.*\.$/) as string,
    })
  })

  describe('how far a message came', () => {
    const stateAfter = async (...receipts: [ReceiptState, Person?][]) => {
      const id = await begin()
      await write(under.database.conversations, id, said('hello'))
      for (const [state, who] of receipts) await write(under.database.conversations, id, receipt(id, 2, state, who))
      const { entries } = await (await readOf(id)).customer()
      return entries.map((entry) => ('state' in entry ? entry.state : undefined))[1]
    }
    it('is null until somebody tells', async () => expect(await stateAfter()).toBeNull())
    it('is the last word of its recipient', async () => {
      expect(await stateAfter(['accepted'], ['sent'], ['delivered'])).toBe('delivered')
      expect(await stateAfter(['sent'], ['failed'])).toBe('failed')
      expect(await stateAfter(['failed'], ['sent'])).toBe('sent')
    })
    it('is that of whoever got furthest', async () => {
      expect(await stateAfter(['failed', ann], ['read', sue])).toBe('read')
      expect(await stateAfter(['read', sue], ['sent', ann])).toBe('read')
    })
  })

  it('has a hash of its content alone: read again it is the same, and with one word more another', async () => {
    const id = await begin()
    await write(under.database.conversations, id, said('hello'))
    const once = await hashOf(await (await readOf(id)).customer())
    expect(await hashOf(await (await readOf(id)).customer())).toBe(once)
    expect(once).toMatch(/^[0-9a-f]{64}$/)
    expect(await hashOf(await (await readOf(id)).staff())).not.toBe(once)
    await write(under.database.conversations, id, said('more'))
    expect(await hashOf(await (await readOf(id)).customer())).not.toBe(once)
  })
  it('keeps the fields that its JSON has always had', async () => {
    const { customer } = await read(said('hi', ann), ended)
    const json = JSON.parse([...jsonOf(await customer(), 'hash')].join('')) as object
    expect(json).toMatchObject({
      conversationId: expect.any(String) as string,
      channel: 'sms',
      startedAt: expect.any(String) as string,
      endedAt: expect.any(String) as string,
      lines: [{ seq: 2, at: expect.any(String) as string, text: 'hi', attachments: [], from: { name: 'Ann' } }],
    })
  })
  it.each([0, 1, 50, 51, 500])(
    'has the same hash however many pieces it is spelled out in: %i lines',
    async (count) => {
      const { customer } = await read(...Array.from({ length: count }, (_, i) => said(`line ${i}`, ann)), ended)
      const transcript = await customer()
      const { hash, ...canonical } = JSON.parse([...jsonOf(transcript, await hashOf(transcript))].join('')) as {
        hash: string
      }
      const text = JSON.stringify(canonical)
      expect(hash).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`)
      expect(text.match(/"text":/g) ?? []).toHaveLength(count)
    },
  )
  it('is answered when somebody other than the customer has spoken publicly', async () => {
    expect(isAnswered(await (await read(said('hi', ann), whispered('cross'))).staff())).toBe(false)
    expect(isAnswered(await (await read(said('hello'))).customer())).toBe(true)
  })
})
