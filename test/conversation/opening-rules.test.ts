// The rules of opening: one live conversation per address, one answer per request id, one entry per provider's message.
import { open, receive as receiveWith, type Inbound, type Request } from '../../src/conversation/opening-rules'
import { Suppression } from '../../src/conversation/suppression'
import { newConversationId } from '../../src/model/new-id'
import type { Once } from '../../src/store/records'
import { addressOf, ann, ended, joined, openingAt } from '../support/log-fixtures'
import { after, logOf, timeOf, viewOf } from '../support/picture'

const suppression = new Suppression({ optOut: [{ channel: '*', language: '*', words: ['STOP'] }], optIn: [] })
const receive = (view: ReturnType<typeof viewOf>, inbound: Inbound) => receiveWith(view, inbound, suppression)
const opening = openingAt(addressOf('+1'))
const { conversation } = logOf([joined])
const once = (note = 'd1'): Once => ({ conversationId: conversation.id, position: 0, note, expiresAt: timeOf(9_999) })
const request = (more: Partial<Request> = {}): Request => ({
  id: newConversationId(),
  opening,
  digest: 'd1',
  repeatUntil: timeOf(9_999),
  mayRepeat: ({ note }) => note === 'd1',
  ...more,
})

describe('opening', () => {
  it('makes a conversation where there is none, and remembers the request', () => {
    const wish = request()
    expect(open(viewOf(null), wish)).toEqual({
      open: { id: wish.id, opening },
      events: [],
      once: { note: 'd1', expiresAt: timeOf(9_999) },
      conversationId: wish.id,
      customer: ann.id,
    })
  })
  it('finds the live conversation of the address, and remembers the request too', () => {
    const found = open(viewOf(conversation), request())
    expect(found).toMatchObject({ events: [], once: { note: 'd1' }, conversationId: conversation.id })
    expect(found.open).toBeUndefined()
  })
  it('makes another where the one of the address ends in the same commit', () => {
    const over = after(conversation, [ended]).conversation
    const wish = request()
    expect(open(viewOf(over), wish)).toMatchObject({ open: { id: wish.id }, conversationId: wish.id })
  })
  it('answers a repeated request with what it led to', () => {
    const again = open(viewOf(conversation, { once: once() }), request())
    expect(again).toEqual({ events: [], conversationId: conversation.id, customer: ann.id })
  })
  it('refuses a request id that meant something else, or whose asker may not have the answer', () => {
    expect(() => open(viewOf(conversation, { once: once('d2') }), request())).toThrow('This requestId was used')
    const asked: unknown[] = []
    const mayRepeat: Request['mayRepeat'] = (earlier) => asked.push(earlier) < 0
    expect(() => open(viewOf(conversation, { once: once() }), request({ mayRepeat }))).toThrow('This requestId')
    expect(asked).toEqual([{ note: 'd1', at: opening.at }])
    expect(() => open(viewOf(null, { once: once() }), request())).toThrow('This requestId was used')
  })
})

describe('receiving from a channel', () => {
  const content = { text: 'help', attachments: [], extras: {} }
  const inbound = (more: Partial<Inbound> = {}): Inbound => ({
    id: newConversationId(),
    opening,
    clientMessageId: null,
    digest: 'd1',
    content,
    ...more,
  })
  const words = { type: 'messageSent', clientMessageId: null, digest: 'd1', to: [], content, by: ann }
  it('opens a conversation, lets the customer in, and writes the words, all at once', () => {
    const wish = inbound()
    const received = receive(viewOf(null), wish)
    expect(received).toMatchObject({ open: { id: wish.id }, opened: true, message: 1, once: { event: 1 } })
    expect(received.events).toEqual([joined, words])
  })
  it('writes into the live conversation of a customer who is there', () => {
    const received = receive(viewOf(conversation), inbound())
    expect(received).toMatchObject({ events: [words], message: 0, once: { event: 0 }, opened: false })
    expect(received.open).toBeUndefined()
  })
  it('opens another where the one of the address ends in the same commit', () => {
    const over = after(conversation, [ended]).conversation
    const wish = inbound()
    const received = receive(viewOf(over), wish)
    expect(received).toMatchObject({ open: { id: wish.id }, opened: true, message: 1 })
    expect(received.events).toEqual([joined, words])
  })
  it('lets a customer in who had left, or who never came, under the number they had', () => {
    const left = { type: 'participantLeft', participant: ann, reason: 'left', by: ann } as const
    const gone = after(conversation, [left]).conversation
    expect(receive(viewOf(gone), inbound()).events).toMatchObject([{ type: 'participantJoined', ordinal: 1 }, words])
    const never = logOf([]).conversation
    expect(receive(viewOf(never), inbound()).events).toMatchObject([{ ordinal: 1, presence: 'carried' }, words])
  })
  it('answers a provider that calls twice with what it said the first time, even after the end', () => {
    const first = after(conversation, receive(viewOf(conversation), inbound()).events)
    const again = receive(viewOf(conversation, { once: once(), event: first.events[0]! }), inbound())
    expect(again).toMatchObject({ events: [], repeated: first.events[0], opened: false })
    const other = () =>
      receive(viewOf(conversation, { once: once(), event: first.events[0]! }), inbound({ digest: 'd2' }))
    expect(other).toThrow('This externalMessageId was used')
  })
  it('writes the opting out with the words that said so', () => {
    const { writes } = receive(viewOf(conversation), inbound({ content: { ...content, text: 'Stop' } }))
    expect(writes).toEqual([{ kind: 'suppress', address: { ...addressOf('+1'), account: '' } }])
    expect(receive(viewOf(conversation), inbound()).writes).toEqual([])
  })
})
