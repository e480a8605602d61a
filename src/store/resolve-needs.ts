// Follows what a call needs from row to row: the one place that says which key leads where, for every engine.
import type { Conversation } from '../model/conversation'
import type { ConversationEvent, ReceiptState } from '../model/events'
import { hashedAddress } from '../model/hashed-address'
import {
  parseEventId,
  type ConversationId,
  type DeliveryId,
  type EventId,
  type EventPlace,
  type ParticipantId,
  type Tenant,
} from '../model/ids'
import type { Address } from '../model/participant'
import type { Needs } from './conversation-store'
import type { Loaded } from './engine'
import type { Delivery, DeliveryPart, Notification, Once, OnceKey, ParkedReceipt, ProviderKey } from './records'

export type DeliveryName =
  | { readonly id: DeliveryId }
  | { readonly provider: ProviderKey }
  | { readonly message: EventId; readonly carriedTo: Pick<Address, 'channel' | 'account'> }

/** Single look-ups in one consistent reading of the database. What has outlived `now` is absent. */
export interface Reader {
  conversation(tenant: Tenant, id: ConversationId): Conversation | null
  liveAt(tenant: Tenant, address: Address): ConversationId | null
  event(tenant: Tenant, place: EventPlace): ConversationEvent | null
  once(tenant: Tenant, key: OnceKey, now: string): Once | null
  delivery(tenant: Tenant, name: DeliveryName): { delivery: Delivery; parts: DeliveryPart[] } | null
  receipt(tenant: Tenant, of: ReceiptName): ReceiptState | null
  parked(tenant: Tenant, key: ProviderKey, now: string): ParkedReceipt[]
  notification(tenant: Tenant, id: string): Notification | null
  isSuppressed(tenant: Tenant, address: Address): boolean
  quotaUsed(tenant: Tenant, quota: NonNullable<Needs['quota']>): number
}
export interface ReceiptName {
  readonly conversationId: ConversationId
  readonly messageId: EventId
  readonly recipient: ParticipantId
}
type Carried = ReturnType<Reader['delivery']>

export function resolveNeeds(needs: Needs, read: Reader, now: string): Loaded {
  const { tenant } = needs
  const carried = findDelivery(needs, read)
  const once = needs.once ? read.once(tenant, needs.once, now) : null
  const messageId = needs.eventId ?? messageOf(carried)
  const conversationId = findConversationId(needs, read, { carried, once, messageId })
  const conversation = conversationId ? read.conversation(tenant, conversationId) : null
  return {
    conversation,
    once,
    event: findEvent(tenant, read, { once, messageId, conversationId }),
    receipt: findReceipt(needs, read, { carried, messageId }),
    delivery: carried?.delivery ?? null,
    parts: carried?.parts ?? [],
    parked: (needs.providerKeys ?? []).flatMap((key) => read.parked(tenant, key, now)),
    ...findNotified(needs, read, carried),
  }
}

const messageOf = (carried: Carried): EventId | null => carried?.delivery.messageId ?? null

function findDelivery({ tenant, deliveryId, providerKeys = [], eventId, carriedTo }: Needs, read: Reader): Carried {
  if (deliveryId) return read.delivery(tenant, { id: deliveryId })
  for (const provider of providerKeys) {
    const found = read.delivery(tenant, { provider })
    if (found) return found
  }
  return eventId && carriedTo ? read.delivery(tenant, { message: eventId, carriedTo }) : null
}

function findConversationId(
  { tenant, conversationId, address }: Needs,
  read: Reader,
  found: { carried: Carried; once: Once | null; messageId: EventId | null },
): ConversationId | null {
  if (conversationId) return conversationId
  const live = address ? read.liveAt(tenant, address) : null
  if (live) return live
  const carried = found.carried?.delivery.conversationId
  if (carried) return carried
  const place = found.messageId && parseEventId(found.messageId)
  if (place) return place.conversationId
  const bound = found.once?.conversationId
  return bound ? bound : null
}

/** An idempotency key leads to its event wherever that is; any other id only to events of the conversation in view. */
function findEvent(
  tenant: Tenant,
  read: Reader,
  found: { once: Once | null; messageId: EventId | null; conversationId: ConversationId | null },
): ConversationEvent | null {
  const { once, messageId, conversationId } = found
  if (once?.conversationId && once.position > 0)
    return read.event(tenant, { conversationId: once.conversationId, position: once.position })
  const place = messageId && parseEventId(messageId)
  const event = place && place.conversationId === conversationId ? read.event(tenant, place) : null
  // A public event has one id: under its position in the log, which says how many internal ones lie before, it has none.
  return event?.id === messageId ? event : null
}

function findReceipt(
  { tenant, recipient }: Needs,
  read: Reader,
  { carried, messageId }: { carried: Carried; messageId: EventId | null },
): ReceiptState | null {
  const who = recipient ?? carried?.delivery.recipient
  const place = messageId && parseEventId(messageId)
  if (!who || !place) return null
  return read.receipt(tenant, { conversationId: place.conversationId, messageId, recipient: who })
}

function findNotified({ tenant, notificationId, suppressed, quota }: Needs, read: Reader, carried: Carried) {
  const id = notificationId ?? carried?.delivery.notificationId
  return {
    notification: id ? read.notification(tenant, id) : null,
    suppressed: suppressed ? isSuppressed(tenant, read, suppressed) : false,
    quotaUsed: quota ? read.quotaUsed(tenant, quota) : 0,
  }
}
/** Whose opt-out outlived their erasure stands there as a hash. Both are asked for at once: a reader may fetch them together. */
function isSuppressed(tenant: Tenant, read: Reader, address: Address): boolean {
  const found = [address, hashedAddress(address)].map((listed) => read.isSuppressed(tenant, listed))
  return found.includes(true)
}
