// The rules of deliveries and receipts, as pure functions: what an answer of a connector or a provider leads to.
import { GatewayError } from '../model/errors'
import type { EventDraft, Message, ReceiptState } from '../model/events'
import type { ParticipantId } from '../model/ids'
import { isStaff, personOf, type Person } from '../model/participant'
import type { Decision, View } from '../store/conversation-store'
import type { Delivery, ProviderKey } from '../store/records'
import type { Write } from '../store/writes'
import { rises } from './receipts'
import { requireConversation, requireMember } from './rules'

/** A connector's answer to a delivery, or its silence. */
export type Outcome =
  | { readonly type: 'accepted'; readonly keys: readonly ProviderKey[] }
  /** Old connectors do not answer: writing it to the socket is all that is known. */
  | { readonly type: 'handedOver' }
  | { readonly type: 'failed'; readonly reason: string; readonly retryAt: string | null }

export interface Settled extends Decision {
  /** The lease was no longer this one's: nothing was written. */
  readonly stale: boolean
}

/** Settles a leased delivery: it is done, due again, or dead with a `failed` that everybody can see. */
export function settle(view: View, lease: string, outcome: Outcome): Settled {
  const { delivery } = view
  if (delivery?.state !== 'leased' || delivery.lease !== lease) return { events: [], stale: true }
  const { id: deliveryId } = delivery
  const done: Write = { kind: 'settle', deliveryId, lease, outcome: { state: 'done' } }
  switch (outcome.type) {
    case 'handedOver':
      return settled(view, delivery, { states: ['accepted'] }, [done])
    case 'accepted': {
      const { keys } = outcome
      const states: ReceiptState[] = ['sent', ...parkedStates(view, keys)]
      const reason = view.parked.find(({ state }) => state === 'failed')?.reason
      return settled(view, delivery, { states, ...(reason && { reason }) }, [
        done,
        { kind: 'parts', deliveryId, keys },
        ...unpark(view, keys),
      ])
    }
    case 'failed': {
      const { reason, retryAt } = outcome
      if (retryAt !== null) {
        const again: Write = { kind: 'settle', deliveryId, lease, outcome: { state: 'due', at: retryAt, reason } }
        return { events: [], writes: [again], stale: false }
      }
      const dead: Write = { kind: 'settle', deliveryId, lease, outcome: { state: 'dead', reason } }
      return settled(view, delivery, { states: ['failed'], reason }, [dead])
    }
  }
}

/** How far something was brought, and why no further. */
interface News {
  readonly states: readonly ReceiptState[]
  readonly reason?: string
}
function settled(view: View, delivery: Delivery, news: News, writes: readonly Write[]): Settled {
  const raised = raise(view, delivery, news)
  return { events: raised.events, writes: [...writes, ...raised.writes], stale: false }
}

/** Receipts that came before the ids they name, for what is now known: `delivered` only when all segments are. */
function parkedStates({ parked }: View, keys: readonly ProviderKey[]): ReceiptState[] {
  const states = parked.map(({ state }) => state)
  const delivered = parked.filter(({ state }) => state === 'delivered').length
  return states.filter((state, i) => state !== 'delivered' || (delivered >= keys.length && states.indexOf(state) === i))
}
function unpark({ parked }: View, keys: readonly ProviderKey[]): Write[] {
  return keys.flatMap((key): Write[] => {
    const mine = parked.filter(({ providerId }) => providerId === key.providerId)
    const delivered = mine.some(({ state }) => state === 'delivered')
    if (mine.length === 0) return []
    return [{ kind: 'unpark', key }, ...(delivered ? [{ kind: 'partDelivered', key } as const] : [])]
  })
}

/** Raises the receipt of a delivery's message, or the state of a notification, as far as the news carries it. */
function raise(view: View, delivery: Delivery, news: News): { events: EventDraft[]; writes: Write[] } {
  const before = knownState(view)
  const risen: ReceiptState[] = []
  for (const state of news.states) if (rises(risen.at(-1) ?? before, state)) risen.push(state)
  const last = risen.at(-1)
  if (last === undefined) return { events: [], writes: [] }
  return {
    events: receiptEvents(view, delivery.recipient, { states: risen, ...(news.reason && { reason: news.reason }) }),
    writes: stateWrites(view, delivery, { state: last, reason: news.reason ?? '' }),
  }
}
function knownState({ notification, receipt: known }: View): ReceiptState | null {
  if (!notification) return known
  return notification.state === 'waiting' ? null : notification.state
}
function stateWrites(
  { notification }: View,
  delivery: Delivery,
  { state, reason }: { state: ReceiptState; reason: string },
) {
  const writes: Write[] = []
  if (notification) writes.push({ kind: 'notification', notification: { ...notification, state, reason } })
  const { conversationId, messageId, recipient } = delivery
  if (conversationId && messageId && recipient)
    writes.push({ kind: 'receipt', conversationId, messageId, recipient, state })
  return writes
}

/** A member, or the customer of a channel who was never joined for. */
function recipientOf({ conversation }: View, id: ParticipantId | null): Person | null {
  const member = conversation?.memberships.find((known) => known.id === id)
  if (member) return personOf(member)
  const customer = conversation?.opening.customer
  return customer && customer.participantId === id ? { id, role: 'customer', name: customer.name } : null
}
function receiptEvents(view: View, recipient: ParticipantId | null, { states, reason }: News): EventDraft[] {
  const message = messageOf(view)
  const person = recipientOf(view, recipient)
  if (!message || !person) return []
  // The reason is that of the last: why it came no further.
  return states.map((state, i) =>
    receipt(message, person, { state, ...(reason && i === states.length - 1 && { reason }) }),
  )
}
function receipt(message: Message, participant: Person, said: { state: ReceiptState; reason?: string }): EventDraft {
  const type = message.type === 'messageSent' ? 'receiptAdvanced' : 'internalReceiptAdvanced'
  return { type, participant, messageId: message.id, by: participant, ...said }
}
const messageOf = ({ event }: View): Message | null =>
  event?.type === 'messageSent' || event?.type === 'whispered' ? event : null

/** A member's own receipt for a message of somebody else that they can hear. */
export function acknowledge(view: View, from: ParticipantId, state: ReceiptState): Decision {
  const conversation = requireConversation(view)
  const reader = requireMember(conversation, from)
  const message = messageOf(view)
  const audible = message && (message.type === 'messageSent' || isStaff(reader.role))
  if (!message || !audible || message.by.id === from || message.conversationId !== conversation.id)
    throw new GatewayError('invalidRequest', 'messageId names no message for you. Use the id of what arrived.', {
      details: ['info.messageId'],
    })
  if (!rises(view.receipt, state) || reader.silent) return { events: [] }
  return {
    events: [receipt(message, personOf(reader), { state })],
    writes: [{ kind: 'receipt', conversationId: conversation.id, messageId: message.id, recipient: from, state }],
  }
}

export interface ProviderReport {
  readonly key: ProviderKey | null
  readonly state: ReceiptState
  readonly reason: string
  /** ISO 8601: until when a report is kept whose message is not known yet. */
  readonly parkUntil: string
  /** What the reporting connector may speak for. */
  readonly mayReport: (delivery: Delivery) => boolean
}
/** A provider's receipt: raises what it names, or waits until that is known. */
export function report(view: View, { key, state, reason, parkUntil, mayReport }: ProviderReport): Decision {
  const { delivery } = view
  if (!delivery || !mayReport(delivery)) {
    if (!key || delivery) return { events: [] }
    const receipt = { providerId: key.providerId, state, reason }
    return { events: [], writes: [{ kind: 'park', key, receipt, expiresAt: parkUntil }] }
  }
  if (key && state === 'delivered') return partDelivered(view, delivery, key)
  return raise(view, delivery, { states: [state], reason })
}
function partDelivered(view: View, delivery: Delivery, key: ProviderKey): Decision {
  const waiting = view.parts.filter((part) => !part.delivered && part.providerId !== key.providerId)
  const part: Write = { kind: 'partDelivered', key }
  if (waiting.length > 0) return { events: [], writes: [part] }
  const { events, writes } = raise(view, delivery, { states: ['delivered'] })
  return { events, writes: [part, ...writes] }
}
