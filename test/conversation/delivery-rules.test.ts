// The rules of deliveries and receipts: what an answer of a connector or a provider leads to.
import { acknowledge, report, settle, type Outcome, type ProviderReport } from '../../src/conversation/delivery-rules'
import type { Message, ReceiptState } from '../../src/model/events'
import { newDeliveryId, newParticipantId } from '../../src/model/new-id'
import type { View } from '../../src/store/conversation-store'
import type { Delivery, Notification, ParkedReceipt } from '../../src/store/records'
import { addressOf, ann, bo, done, joined, said, tenant, whispered } from '../support/log-fixtures'
import { logOf, timeOf, viewOf } from '../support/picture'

const { conversation, events } = logOf([
  joined,
  { type: 'participantJoined', presence: 'live', participant: bo, ordinal: 2, by: bo },
  said('hello'),
  whispered('hm'),
  done('nod'),
])
const [, , message, whisper, nod] = events as Message[]
const delivery: Delivery = {
  id: newDeliveryId(),
  tenant,
  to: addressOf('+1'),
  conversationId: conversation.id,
  messageId: message!.id,
  recipient: ann.id,
  notificationId: null,
  body: '{}',
  state: 'leased',
  attempts: 1,
  lease: 'l',
  createdAt: timeOf(3),
  expiresAt: null,
  reason: '',
}
const notification: Notification = {
  id: 'n1',
  tenant,
  keyId: 'k1',
  to: addressOf('+1'),
  state: 'waiting',
  reason: '',
  createdAt: timeOf(1),
  expiresAt: null,
}
const toNotify = { ...delivery, conversationId: null, messageId: null, recipient: null, notificationId: 'n1' }
const view = (more: Partial<View> = {}) => viewOf(conversation, { delivery, event: message!, ...more })
const notified = (more: Partial<View> = {}) => viewOf(null, { delivery: toNotify, notification, ...more })
const key = (providerId: string) => ({ channel: 'sms', account: '+1000', providerId })
const accepted = (...ids: string[]): Outcome => ({ type: 'accepted', keys: ids.map(key) })
const failed = (retryAt: string | null): Outcome => ({ type: 'failed', reason: 'blocked', retryAt })
const receipt = (state: ReceiptState, more = {}) => ({
  type: 'receiptAdvanced',
  participant: ann,
  state,
  messageId: message!.id,
  by: ann,
  ...more,
})
const risen = (state: ReceiptState) => ({
  kind: 'receipt',
  conversationId: conversation.id,
  messageId: message!.id,
  recipient: ann.id,
  state,
})
const settling = (outcome: object) => ({ kind: 'settle', deliveryId: delivery.id, lease: 'l', outcome })

describe('settling', () => {
  it('with the provider’s ids is done, sent, and remembered under them', () => {
    expect(settle(view(), 'l', accepted('p1', 'p2'))).toEqual({
      stale: false,
      events: [receipt('sent')],
      writes: [
        settling({ state: 'done' }),
        { kind: 'parts', deliveryId: delivery.id, keys: [key('p1'), key('p2')] },
        risen('sent'),
      ],
    })
  })
  it('by handing over to an old connector is done and accepted, no more', () => {
    const settled = settle(view(), 'l', { type: 'handedOver' })
    expect(settled.events).toEqual([receipt('accepted')])
    expect(settled.writes).toEqual([settling({ state: 'done' }), risen('accepted')])
  })
  it('to be tried again later says nothing to anybody', () => {
    const settled = settle(view(), 'l', failed(timeOf(9)))
    expect(settled).toEqual({
      stale: false,
      events: [],
      writes: [settling({ state: 'due', at: timeOf(9), reason: 'blocked' })],
    })
  })
  it('as failed is a dead letter, and a receipt with its reason that everybody sees', () => {
    const settled = settle(view(), 'l', failed(null))
    expect(settled.events).toEqual([receipt('failed', { reason: 'blocked' })])
    expect(settled.writes).toEqual([settling({ state: 'dead', reason: 'blocked' }), risen('failed')])
  })
  it('under a stale lease, or what is not leased, changes nothing', () => {
    for (const one of [{ ...delivery, lease: 'other' }, { ...delivery, state: 'done' as const }, null])
      expect(settle(view({ delivery: one }), 'l', accepted('p1'))).toEqual({ events: [], stale: true })
  })
  it('moves a notification instead of a receipt', () => {
    const sent = settle(notified(), 'l', accepted('p1'))
    expect(sent.events).toEqual([])
    expect(sent.writes).toContainEqual({ kind: 'notification', notification: { ...notification, state: 'sent' } })
    const dead = settle(notified(), 'l', failed(null))
    const last = { ...notification, state: 'failed', reason: 'blocked' }
    expect(dead.writes).toContainEqual({ kind: 'notification', notification: last })
  })
})

describe('receipts that came before the ids they name', () => {
  const parked = (...ones: [string, ReceiptState, string?][]): ParkedReceipt[] =>
    ones.map(([providerId, state, reason = '']) => ({ providerId, state, reason }))
  const states = (ones: ParkedReceipt[], ...ids: string[]) =>
    settle(view({ parked: ones }), 'l', accepted(...ids)).events.map((event) => 'state' in event && event.state)

  it('rise behind the sending, and are kept no longer', () => {
    const settled = settle(view({ parked: parked(['p1', 'delivered'], ['p1', 'read']) }), 'l', accepted('p1'))
    expect(settled.events).toEqual([receipt('sent'), receipt('delivered'), receipt('read')])
    expect(settled.writes!.slice(2)).toEqual([
      { kind: 'unpark', key: key('p1') },
      { kind: 'partDelivered', key: key('p1') },
      risen('read'),
    ])
  })
  it('are delivered only when all segments are', () => {
    expect(states(parked(['p1', 'delivered']), 'p1', 'p2')).toEqual(['sent'])
    expect(states(parked(['p1', 'delivered'], ['p2', 'delivered']), 'p1', 'p2')).toEqual(['sent', 'delivered'])
    const half = settle(view({ parked: parked(['p1', 'delivered']) }), 'l', accepted('p1', 'p2')).writes
    expect(half).toContainEqual({ kind: 'partDelivered', key: key('p1') })
  })
  it('end it with their reason when they say that it failed', () => {
    const settled = settle(view({ parked: parked(['p1', 'failed', 'no such number']) }), 'l', accepted('p1'))
    expect(settled.events).toEqual([receipt('sent'), receipt('failed', { reason: 'no such number' })])
  })
  it('say nothing that is known already', () => {
    expect(states(parked(['p1', 'accepted']), 'p1')).toEqual(['sent'])
  })
})

describe('a report of a provider', () => {
  const wish = (more: Partial<ProviderReport> = {}): ProviderReport => ({
    key: key('p1'),
    state: 'read',
    reason: '',
    parkUntil: timeOf(600),
    mayReport: () => true,
    ...more,
  })
  it('raises the receipt of what it names', () => {
    expect(report(view(), wish())).toEqual({ events: [receipt('read')], writes: [risen('read')] })
    expect(report(view({ receipt: 'read' }), wish())).toEqual({ events: [], writes: [] })
    expect(report(view({ receipt: 'failed' }), wish()).events).toEqual([])
  })
  it('of a failure says why, unless it was delivered', () => {
    const bad = wish({ state: 'failed', reason: 'expired' })
    expect(report(view({ receipt: 'sent' }), bad).events).toEqual([receipt('failed', { reason: 'expired' })])
    expect(report(view({ receipt: 'delivered' }), bad).events).toEqual([])
  })
  it('of a delivered segment waits for the others', () => {
    const parts = [
      { providerId: 'p1', delivered: false },
      { providerId: 'p2', delivered: false },
    ]
    const first = report(view({ parts }), wish({ state: 'delivered' }))
    expect(first).toEqual({ events: [], writes: [{ kind: 'partDelivered', key: key('p1') }] })
    const rest = [parts[0]!, { providerId: 'p2', delivered: true }]
    const last = report(view({ parts: rest }), wish({ state: 'delivered' }))
    expect(last.events).toEqual([receipt('delivered')])
  })
  it('that names nothing known is parked for a while', () => {
    const parked = { kind: 'park', key: key('p1'), receipt: { providerId: 'p1', state: 'read', reason: 'x' } }
    expect(report(view({ delivery: null }), wish({ reason: 'x' })).writes).toEqual([
      { ...parked, expiresAt: timeOf(600) },
    ])
    expect(report(view({ delivery: null }), wish({ key: null }))).toEqual({ events: [] })
  })
  it('about what is not the reporter’s changes nothing, and is not kept', () => {
    expect(report(view(), wish({ mayReport: () => false }))).toEqual({ events: [] })
  })
})

describe('a member’s own receipt', () => {
  it('rises once for a message of somebody else', () => {
    const read = acknowledge(view(), ann.id, 'read')
    expect(read).toEqual({ events: [receipt('read')], writes: [risen('read')] })
    expect(acknowledge(view({ receipt: 'read' }), ann.id, 'delivered').events).toEqual([])
  })
  it('for a whisper is internal, and impossible for a customer', () => {
    const byOther = { ...whisper!, by: { ...bo, id: newParticipantId() } }
    expect(acknowledge(view({ event: byOther }), bo.id, 'read').events).toMatchObject([
      { type: 'internalReceiptAdvanced', participant: bo },
    ])
    expect(() => acknowledge(view({ event: byOther }), ann.id, 'read')).toThrow('messageId names no message for you')
  })
  it('is refused for one’s own words, for activities, for nothing, and for other conversations', () => {
    const elsewhere = logOf([said('x')]).events[0]!
    for (const event of [nod!, null, elsewhere])
      expect(() => acknowledge(view({ event }), ann.id, 'read')).toThrow('messageId names no message')
    expect(() => acknowledge(view(), bo.id, 'read')).toThrow('messageId names no message')
    expect(() => acknowledge(view(), newParticipantId(), 'read')).toThrow('There is nothing here')
  })
  it('of a silent supervisor is nobody’s business', () => {
    const cy = { id: newParticipantId(), role: 'supervisor', name: 'Cy' } as const
    const watched = logOf([joined, { type: 'observerJoined', participant: cy, ordinal: 2, by: cy }, said('hello')])
    const seen = viewOf(watched.conversation, { event: watched.events[2]! })
    expect(acknowledge(seen, cy.id, 'read')).toEqual({ events: [] })
  })
})
