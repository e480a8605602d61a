// Ann the customer, Bo the agent, and what they do to a conversation store.
import type { JsonObject } from '../../src/model/content'
import type { Opening } from '../../src/model/conversation'
import type { EventDraft } from '../../src/model/events'
import { DEFAULT_TENANT, type ConversationId } from '../../src/model/ids'
import { newConversationId, newDeliveryId, newParticipantId } from '../../src/model/new-id'
import type { Address, Person } from '../../src/model/participant'
import type { ConversationStore, Decision, View } from '../../src/store/conversation-store'
import type { Write } from '../../src/store/writes'

export const tenant = DEFAULT_TENANT
export const ann: Person = { id: newParticipantId(), role: 'customer', name: 'Ann' }
export const bo: Person = { id: newParticipantId(), role: 'agent', name: 'Bo' }

export const addressOf = (refId: string): Address => ({ channel: 'sms', account: '+1000', refId })

export const openingAt = (address: Address, more: Partial<Opening> = {}): Opening => ({
  address,
  language: 'en',
  subject: '',
  url: '',
  comment: '',
  channelData: { theme: 'dark' },
  customer: {
    participantId: ann.id,
    name: 'Ann',
    firstName: 'Ann',
    lastName: '',
    email: '',
    phone: address.refId,
    verified: true,
  },
  carried: true,
  at: '2030-01-01T00:00:00.000Z',
  ...more,
})

export const joined: EventDraft = {
  type: 'participantJoined',
  presence: 'carried',
  participant: ann,
  ordinal: 1,
  by: ann,
}
export const ended: EventDraft = { type: 'conversationEnded', reason: 'customer', by: ann }
export const said = (text: string, by: Person = bo): EventDraft => ({
  type: 'messageSent',
  clientMessageId: null,
  digest: '',
  to: [],
  content: { text, attachments: [], extras: {} },
  by,
})
export const done = (name: string, info: JsonObject = {}): EventDraft => ({
  type: 'activity',
  clientMessageId: null,
  digest: '',
  to: [],
  name,
  info,
  by: ann,
})
export const whispered = (text: string): EventDraft => ({
  type: 'whispered',
  tag: 'whisper',
  clientMessageId: null,
  digest: '',
  to: [],
  content: { text, attachments: [], extras: {} },
  by: bo,
})

/** Finds the live conversation of an address or opens one. */
export function arrive(store: ConversationStore, refId: string, more: Partial<Opening> = {}) {
  const address = addressOf(refId)
  const opening = openingAt(address, more)
  return store.update({ tenant, address }, (view) =>
    view.conversation ? { events: [] } : { open: { id: newConversationId(), opening }, events: [joined] },
  )
}
export async function open(store: ConversationStore, refId: string, more: Partial<Opening> = {}) {
  const { conversation } = await arrive(store, refId, more)
  return conversation!.id
}

/** Writes these events, whatever stands there. */
export const write = (store: ConversationStore, conversationId: ConversationId, ...events: readonly EventDraft[]) =>
  store.update({ tenant, conversationId }, () => ({ events }))

/** Says it under an idempotency key: once, however often. */
export const sayOnce = (
  store: ConversationStore,
  conversationId: ConversationId,
  { key, text = 'hello', expiresAt = null }: { key: string; text?: string; expiresAt?: string | null },
) =>
  store.update({ tenant, conversationId, once: { scope: conversationId, key } }, (view) =>
    view.once ? { events: [] } : { events: [said(text)], once: { note: 'n', expiresAt } },
  )

/** Says it and puts it in the outbox for the customer. */
export async function deliver(
  store: ConversationStore,
  conversationId: ConversationId,
  message: { refId: string; to?: Address; text?: string; expiresAt?: string | null },
) {
  const id = newDeliveryId()
  const { refId, to = addressOf(refId), text = 'hello', expiresAt = null } = message
  const write: Write = {
    kind: 'deliver',
    delivery: {
      id,
      to,
      conversationId,
      messageId: 'first',
      recipient: ann.id,
      notificationId: null,
      body: JSON.stringify({ text }),
      expiresAt,
    },
  }
  const { events } = await store.update({ tenant, conversationId }, () => ({ events: [said(text)], writes: [write] }))
  return { id, messageId: events[0]!.id }
}

/** An update that is about no conversation. */
export const note = (store: ConversationStore, ...writes: readonly Write[]) =>
  store.update({ tenant }, () => ({ events: [], writes }))

export const look = async (store: ConversationStore, needs: Parameters<ConversationStore['update']>[0]) =>
  (await store.update(needs, (_view: View): Decision => ({ events: [] }))).view
