// What a decision writes besides events: small rows, each with a meaning of its own.
import type { ReceiptState } from '../model/events'
import type { ConversationId, DeliveryId, EventId, ParticipantId } from '../model/ids'
import type { Address } from '../model/participant'
import type { Delivery, Notification, ParkedReceipt, ProviderKey } from './records'

export type NewDelivery = Omit<Delivery, 'tenant' | 'state' | 'attempts' | 'lease' | 'createdAt' | 'reason'>

export type Write =
  /**
   * Puts a message in the outbox, behind those for the same recipient. `messageId` may be `'first'`: the id of this
   * decision's first event, which is not known before it is stamped.
   */
  | {
      readonly kind: 'deliver'
      readonly delivery: Omit<NewDelivery, 'messageId'> & { messageId: EventId | 'first' | null }
    }
  /**
   * Settles a leased delivery. Only the holder of `lease` may; a stale lease fails the whole decision, which is made
   * again on what is true. `done` and `dead` let the next one for this recipient go.
   */
  | {
      readonly kind: 'settle'
      readonly deliveryId: DeliveryId
      readonly lease: string
      readonly outcome:
        | { readonly state: 'done' }
        | { readonly state: 'due'; readonly at: string; readonly reason: string }
        | { readonly state: 'dead'; readonly reason: string }
    }
  /** Remembers under which ids the provider knows a delivery. */
  | { readonly kind: 'parts'; readonly deliveryId: DeliveryId; readonly keys: readonly ProviderKey[] }
  | { readonly kind: 'partDelivered'; readonly key: ProviderKey }
  /** Raises a receipt; the rule has checked that it rises. */
  | {
      readonly kind: 'receipt'
      readonly conversationId: ConversationId
      readonly messageId: EventId | 'first'
      readonly recipient: ParticipantId
      readonly state: ReceiptState
    }
  /** A provider's receipt for a message that it named too early, kept until `expiresAt`. */
  | { readonly kind: 'park'; readonly key: ProviderKey; readonly receipt: ParkedReceipt; readonly expiresAt: string }
  | { readonly kind: 'unpark'; readonly key: ProviderKey }
  | { readonly kind: 'notification'; readonly notification: Notification }
  | { readonly kind: 'suppress'; readonly address: Address }
  | { readonly kind: 'unsuppress'; readonly address: Address }
  | { readonly kind: 'countQuota'; readonly keyId: string; readonly day: string }
