// The rows behind the log, as rules see them: idempotency keys, deliveries, receipts that came early, notifications.
import type { ReceiptState } from '../model/events'
import type { ConversationId, DeliveryId, EventId, ParticipantId, Tenant } from '../model/ids'
import type { Address } from '../model/participant'

/** An idempotency key. The scope names what it is unique within; both are at most 256 characters. */
export interface OnceKey {
  readonly scope: string
  readonly key: string
}
/** What was written under an idempotency key. */
export interface Once {
  readonly conversationId: ConversationId | ''
  /** Position of the event that was written under it; 0 where there was none. */
  readonly position: number
  /** Free for the writer: a digest, an id. */
  readonly note: string
  /** ISO 8601; null: as long as its conversation. */
  readonly expiresAt: string | null
}
/** How the provider names the message, within one channel and account. */
export interface ProviderKey {
  readonly channel: string
  readonly account: string
  readonly providerId: string
}

export type DeliveryState = 'waiting' | 'due' | 'leased' | 'done' | 'dead'
/** One message on its way to one recipient through a connector. */
export interface Delivery {
  readonly id: DeliveryId
  readonly tenant: Tenant
  readonly to: Address
  /** Absent for an outbound notification. */
  readonly conversationId: ConversationId | null
  readonly messageId: EventId | null
  readonly recipient: ParticipantId | null
  readonly notificationId: string | null
  /** What the connector is told, as its codec reads it back. JSON, at most 512 KB. */
  readonly body: string
  readonly state: DeliveryState
  readonly attempts: number
  /** Fencing token of the lease; empty when not leased. */
  readonly lease: string
  /** ISO 8601. */
  readonly createdAt: string
  /** ISO 8601; after it the delivery is not tried again. Null: never. */
  readonly expiresAt: string | null
  /** Why the last attempt failed: a code or a provider's word, never a message's text. */
  readonly reason: string
}
export interface DeliveryPart {
  readonly providerId: string
  readonly delivered: boolean
}
export interface ParkedReceipt {
  readonly providerId: string
  readonly state: ReceiptState
  readonly reason: string
}
export interface Notification {
  readonly id: string
  readonly tenant: Tenant
  readonly keyId: string
  readonly to: Address
  /** Where it stands: waiting, or as far as its receipts rose. */
  readonly state: 'waiting' | ReceiptState
  readonly reason: string
  readonly createdAt: string
  readonly expiresAt: string | null
}
