// The rules of speaking: who may say what to whom, once, and what goes out to those who are carried.
import * as rules from '../../src/conversation/rules'
import { speak, type DeliveryBody, type Saying } from '../../src/conversation/rules'
import { Suppression } from '../../src/conversation/suppression'
import { newAccountId, newParticipantId } from '../../src/model/new-id'
import type { Person } from '../../src/model/participant'
import type { EventDraft } from '../../src/model/events'
import { ann, bo, done, ended, joined, said, whispered } from '../support/log-fixtures'
import { after, logOf, timeOf, viewOf } from '../support/picture'

const cy: Person = { id: newParticipantId(), role: 'supervisor', name: 'Cy' }
const dee: Person = { id: newParticipantId(), role: 'supervisor', name: 'Dee' }
const botty: Person = { id: newParticipantId(), role: 'bot', name: 'Botty' }
const comes = (participant: Person, ordinal: number): EventDraft => ({
  type: 'participantJoined',
  presence: 'live',
  participant,
  ordinal,
  account: newAccountId(),
  by: participant,
})
const watches = (participant: Person, ordinal: number): EventDraft => ({
  type: 'observerJoined',
  participant,
  ordinal,
  by: participant,
})
const party = [joined, comes(bo, 2), comes(cy, 3), watches(dee, 4), comes(botty, 5)]
const { conversation } = logOf(party)
const web = logOf([{ ...joined, presence: 'live' } as EventDraft, ...party.slice(1)], { carried: false }).conversation

const suppression = new Suppression({
  optOut: [{ channel: 'sms', language: '*', words: ['STOP'] }],
  optIn: [{ channel: 'sms', language: '*', words: ['START'] }],
})
const say = (view: ReturnType<typeof viewOf>, wish: Saying) => rules.say(view, wish, suppression)
const content = { text: 'hello', attachments: [], extras: {} }
const saying = (from: Person, more: Partial<Saying> = {}): Saying => ({
  from: from.id,
  clientMessageId: 'm1',
  digest: 'd1',
  to: [],
  whisper: false,
  body: { type: 'message', content },
  ...more,
})
const nod: Saying['body'] = { type: 'activity', name: 'nod', info: { deep: true } }
const bodyOf = (decision: ReturnType<typeof say>) =>
  decision.writes!.map((write) => (write.kind === 'deliver' ? (JSON.parse(write.delivery.body) as DeliveryBody) : null))

describe('saying something', () => {
  it('is an event that names its sender as the membership does, under the sender’s key', () => {
    const decision = say(viewOf(conversation), saying(bo))
    expect(decision.events).toEqual([
      { type: 'messageSent', clientMessageId: 'm1', digest: 'd1', to: [], content, by: bo },
    ])
    expect(decision).toMatchObject({ once: { note: '', expiresAt: null }, repeated: null })
    expect(say(viewOf(conversation), saying(bo, { clientMessageId: null })).once).toBeUndefined()
  })
  it('is refused to strangers, to those who have left, and after the end', () => {
    const gone = after(conversation, [{ type: 'participantLeft', participant: bo, reason: 'left', by: bo }])
    const stranger = { ...bo, id: newParticipantId() }
    expect(() => say(viewOf(conversation), saying(stranger))).toThrow('There is nothing here for you')
    expect(() => say(viewOf(gone.conversation), saying(bo))).toThrow('There is nothing here for you')
    const over = after(conversation, [ended]).conversation
    expect(() => say(viewOf(over), saying(bo))).toThrow('This conversation has ended')
  })
  it('again under the same key answers the first event, even after the end', () => {
    const first = after(conversation, say(viewOf(conversation), saying(bo)).events)
    const over = after(first.conversation, [ended]).conversation
    const once = { conversationId: conversation.id, position: 6, note: '', expiresAt: null }
    const again = say(viewOf(over, { once, event: first.events[0]! }), saying(bo))
    expect(again).toEqual({ events: [], repeated: first.events[0] })
  })
  it('something else under the same key is a conflict, as is a key whose event is no utterance', () => {
    const { events } = after(conversation, [{ ...said('other'), digest: 'd2' } as EventDraft, ended])
    const once = { conversationId: conversation.id, position: 6, note: '', expiresAt: null }
    for (const event of [...events, null])
      expect(() => say(viewOf(conversation, { once, event }), saying(bo))).toThrow('This messageId was used')
  })
})

describe('whom it is said to', () => {
  it('is written with names, and whoever is no member is refused', () => {
    const decision = say(viewOf(conversation), saying(bo, { to: [ann.id, cy.id] }))
    expect(decision.events).toMatchObject([{ type: 'messageSent', to: [ann, cy] }])
    const stranger = newParticipantId()
    expect(() => say(viewOf(conversation), saying(bo, { to: [stranger] }))).toThrow('to names somebody')
  })
  it('is everybody when staff names the customer, and staff only when it names staff only', () => {
    const type = (more: Partial<Saying>) => say(viewOf(conversation), saying(bo, more)).events[0]!.type
    expect(type({ to: [ann.id] })).toBe('messageSent')
    expect(type({ to: [cy.id] })).toBe('whispered')
    expect(type({ to: [cy.id, ann.id] })).toBe('messageSent')
    expect(type({ to: [cy.id], body: nod })).toBe('internalActivity')
    expect(type({ body: nod })).toBe('activity')
  })
  it('is never staff only for a customer: customers have no way to speak internally', () => {
    expect(say(viewOf(conversation), saying(ann, { to: [bo.id] })).events).toMatchObject([{ type: 'messageSent' }])
  })
  it('never names a silent supervisor in public', () => {
    const decision = say(viewOf(conversation), saying(bo, { to: [dee.id, ann.id] }))
    expect(decision.events).toMatchObject([{ type: 'messageSent', to: [ann] }])
    expect(say(viewOf(conversation), saying(bo, { to: [dee.id] })).events).toMatchObject([{ to: [dee] }])
  })
})

describe('a whisper', () => {
  it('is internal whoever it names, keeps its tag, and goes out to nobody', () => {
    const decision = say(viewOf(conversation), saying(bo, { whisper: true, to: [ann.id] }))
    expect(decision.events).toMatchObject([{ type: 'whispered', tag: 'whisper' }])
    expect(decision.writes).toEqual([])
    expect(say(viewOf(conversation), saying(bo, { to: [cy.id] })).events).toMatchObject([{ tag: '' }])
  })
  it('is for staff alone', () => {
    for (const person of [ann, botty])
      expect(() => say(viewOf(conversation), saying(person, { whisper: true }))).toThrow('Only staff can whisper')
  })
  it('is all that a silent supervisor can say', () => {
    expect(() => say(viewOf(conversation), saying(dee))).toThrow('You are here silently')
    expect(() => say(viewOf(conversation), saying(dee, { body: nod }))).toThrow('You are here silently')
    expect(say(viewOf(conversation), saying(dee, { whisper: true })).events).toMatchObject([{ type: 'whispered' }])
    expect(say(viewOf(conversation), saying(dee, { to: [cy.id] })).events).toMatchObject([{ type: 'whispered' }])
  })
})

describe('a delivery', () => {
  it('goes out for a public message of somebody else to a customer who is carried', () => {
    const decision = say(viewOf(conversation), saying(bo))
    expect(decision.writes).toMatchObject([
      { kind: 'deliver', delivery: { recipient: ann.id, messageId: 'first', to: conversation.opening.address } },
    ])
    const { publicPosition } = after(conversation, decision.events).conversation
    expect(bodyOf(decision)).toEqual([{ messageId: 'm1', from: bo, seq: publicPosition, at: timeOf(1_000), content }])
  })
  it('does not go out for one’s own words, for activities, or to who is live or has left', () => {
    const none = (start: typeof conversation, wish: Saying) => say(viewOf(start), wish).writes
    expect(none(conversation, saying(ann))).toEqual([])
    expect(none(conversation, saying(bo, { body: nod }))).toEqual([])
    expect(none(web, saying(bo))).toEqual([])
    const live: EventDraft = { type: 'presenceChanged', participant: ann, presence: 'live', by: ann }
    expect(none(after(conversation, [live]).conversation, saying(bo))).toEqual([])
    expect(none(after(conversation, [live, done('x'), whispered('y')]).conversation, saying(bo))).toEqual([])
  })
})

it('opts the customer of a channel out when the whole of what they say is such a word, and nobody else', () => {
  const stop: Saying['body'] = { type: 'message', content: { ...content, text: ' stop ' } }
  const address = { ...conversation.opening.address, account: '' }
  expect(say(viewOf(conversation), saying(ann, { body: stop })).writes).toEqual([{ kind: 'suppress', address }])
  expect(say(viewOf(web), saying(ann, { body: stop })).writes).toEqual([])
  expect(say(viewOf(conversation), saying(bo, { body: stop })).writes).toMatchObject([{ kind: 'deliver' }])
})

describe('what is carried and never stored', () => {
  const wish = (from: Person, more = {}) => ({ from: from.id, to: [], whisper: false, ...more })
  it('has an author, a listener and an audience like what is said', () => {
    expect(speak(conversation, wish(bo))).toEqual({ by: bo, to: [], internal: false })
    expect(speak(conversation, wish(bo, { to: [cy.id] }))).toEqual({ by: bo, to: [cy], internal: true })
    expect(speak(conversation, wish(dee, { whisper: true }))).toMatchObject({ internal: true })
  })
  it('is refused like what is said', () => {
    expect(() => speak(conversation, wish(dee))).toThrow('You are here silently')
    expect(() => speak(conversation, wish(ann, { whisper: true }))).toThrow('Only staff can whisper')
    expect(() => speak(after(conversation, [ended]).conversation, wish(bo))).toThrow('has ended')
    expect(() => speak(conversation, wish({ ...bo, id: newParticipantId() }))).toThrow('nothing here')
  })
})
