// Port: where conversations live. One write method, so that every rule passes through one door.
import type { Conversation, Opening, Status } from '../model/conversation'
import type { ConversationEvent, EventDraft, PublicEvent, ReceiptState } from '../model/events'
import type { ConversationId, DeliveryId, EventId, ParticipantId, Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import type { Delivery, DeliveryPart, Notification, Once, OnceKey, ParkedReceipt, ProviderKey } from './records'
import type { Silence } from '../model/silence'
import type { Write } from './writes'

/** What `decide` wants to look at besides the conversation. All of it is read in the same transaction as the write. */
export interface Needs {
  readonly tenant: Tenant
  readonly conversationId?: ConversationId
  /** The live conversation of this address, if there is one. */
  readonly address?: Address
  readonly once?: OnceKey
  /** The event that this id names. */
  readonly eventId?: EventId
  /** Whose receipt for `eventId` (or for the delivery's message) is about to rise. */
  readonly recipient?: ParticipantId
  readonly deliveryId?: DeliveryId
  /** The delivery that carried `eventId` to the customer of this address. */
  readonly carriedTo?: Pick<Address, 'channel' | 'account'>
  /** Several where a message left in segments. */
  readonly providerKeys?: readonly ProviderKey[]
  readonly notificationId?: string
  /** Is this address on the suppression list? */
  readonly suppressed?: Address
  /** How much of a daily quota is used: a key's id and a day (YYYY-MM-DD). */
  readonly quota?: { readonly keyId: string; readonly day: string }
}

/** What `decide` sees: the truth at this moment, with the batch's own earlier writes in it. */
export interface View {
  /** ISO 8601, the gateway's clock. */
  readonly now: string
  readonly conversation: Conversation | null
  readonly once: Once | null
  /** The event that a `once` record or `eventId` names. */
  readonly event: ConversationEvent | null
  readonly receipt: ReceiptState | null
  readonly delivery: Delivery | null
  readonly parts: readonly DeliveryPart[]
  readonly parked: readonly ParkedReceipt[]
  readonly notification: Notification | null
  readonly suppressed: boolean
  readonly quotaUsed: number
}

/** What a rule decided. Everything in it is written in one transaction, or nothing. */
export interface Decision {
  /** Opens a new conversation; the events are its first. */
  readonly open?: { readonly id: ConversationId; readonly opening: Opening }
  readonly events: readonly EventDraft[]
  /** Written under the key of `needs.once`, bound to one event of this decision: its index, 0 when not said. */
  readonly once?: { readonly note: string; readonly expiresAt: string | null; readonly event?: number }
  readonly writes?: readonly Write[]
}

/** What became of an update. */
export interface Committed<D extends Decision = Decision> {
  readonly decision: D
  /** The view that the decision was made on. */
  readonly view: View
  /** The conversation after it; null where the update touched none. */
  readonly conversation: Conversation | null
  readonly events: readonly ConversationEvent[]
}

export interface IdleClaim {
  /** How many at most. */
  readonly limit: number
  /** Milliseconds; 0: they are only looked at. */
  readonly claimMs: number
}

/** A reading of one log: everything, or what the public may hear, behind a position of its own count. */
export interface LogPage {
  readonly tenant: Tenant
  readonly id: ConversationId
  readonly audience: 'staff' | 'public'
  readonly after: number
  readonly limit: number
}

export interface ConversationStore {
  /**
   * Runs `decide` on what `needs` names and writes the outcome in one transaction, shared with concurrent calls.
   * `decide` is synchronous and pure and may run more than once. What it throws rejects this call alone.
   * Rejects with `unavailable` when nothing can be written: within 2 s, or at once when too many wait.
   */
  update<D extends Decision>(needs: Needs, decide: (view: View) => D): Promise<Committed<D>>
  find(tenant: Tenant, id: ConversationId): Promise<Conversation | null>
  /** Events after a position, oldest first, at most `limit`. */
  events(tenant: Tenant, id: ConversationId, after: number, limit: number): Promise<ConversationEvent[]>
  /** Public events after a public position, oldest first, at most `limit`. */
  publicEvents(tenant: Tenant, id: ConversationId, after: number, limit: number): Promise<PublicEvent[]>
  /** A page of either as it is stored, each event as JSON text: for whoever hands it on unread. */
  storedEvents(page: LogPage): Promise<string[]>
  /** The position of the last event of each of these conversations, all at once; one that is unknown is left out. */
  positions(tenant: Tenant, ids: readonly ConversationId[]): Promise<ReadonlyMap<ConversationId, number>>
  /** A page of conversations in this state, by id; the next page is after the last id. */
  list(tenant: Tenant, status: Status, after: string, limit: number): Promise<Conversation[]>
  /**
   * Takes live conversations in which nobody has spoken for so long that something is due, longest first, for whoever
   * asks: for `claimMs` milliseconds nobody else is given them, on no node. Who wants them given back sooner asks for
   * less: a claim only saves others the work, for what is due is decided on the conversation itself.
   */
  claimIdle(tenant: Tenant, silence: Silence, claim: IdleClaim): Promise<Conversation[]>
  /**
   * Hears the events of every commit of this store at once and in order, before the calls that wrote them return.
   * `bodies` are the same events as the JSON that was stored.
   */
  onCommitted(
    listener: (events: readonly ConversationEvent[], writes: readonly Write[], bodies: readonly string[]) => void,
  ): void
  /**
   * Tells this store what others have committed to the same database: pictures that it has at hand keep in step. A hint:
   * whatever is lost, comes twice or comes late costs a second look, and never the order.
   */
  heard(events: readonly ConversationEvent[]): void
  /** Drops what this store has at hand of a conversation: it was erased, and no picture of it from before may stay. */
  forget(id: ConversationId): void
}
