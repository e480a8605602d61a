// The words of the log. Public and internal events are different types: what a customer's codec accepts has no shape for a whisper.
import type { Content, JsonObject } from './content'
import type { AccountId, ConversationId, EventId, Tenant } from './ids'
import type { Author, Person } from './participant'

/** A receipt only rises: accepted < sent < delivered < read; failed ends it unless delivered. */
export type ReceiptState = 'accepted' | 'sent' | 'delivered' | 'read' | 'failed'
export type EndReason = 'customer' | 'agent' | 'inactivity' | 'system'
export type LeaveReason = 'left' | 'disconnected' | 'removed'

/** What stands in everything that a member says or does. */
interface Addressed {
  /** The sender's own key; one (conversation, sender, key) is said once. */
  readonly clientMessageId: string | null
  /** Short hash of what was said, to tell a repeat from another message under the same key; random without a key. */
  readonly digest: string
  /** Whom it is addressed to; empty: everybody. */
  readonly to: readonly Person[]
}
interface Said extends Addressed {
  readonly content: Content
}
/** An activity that is not ours to know. */
interface Done extends Addressed {
  readonly name: string
  readonly info: JsonObject
}
/** What an erasure removed. */
export interface ErasureCounts {
  /** Events that said something. */
  readonly events: number
  readonly deliveries: number
  readonly files: number
}
interface Arrival {
  readonly participant: Person
  readonly ordinal: number
  readonly account?: AccountId
}

export type PublicDraft =
  | ({ readonly type: 'participantJoined'; readonly presence: 'live' | 'carried' } & Arrival)
  | { readonly type: 'participantLeft'; readonly participant: Person; readonly reason: LeaveReason }
  | ({ readonly type: 'messageSent' } & Said)
  | {
      readonly type: 'receiptAdvanced'
      readonly participant: Person
      readonly state: ReceiptState
      readonly messageId: EventId
      readonly reason?: string
    }
  | ({ readonly type: 'activity' } & Done)
  | { readonly type: 'idleWarned'; readonly endsAt: string }
  | { readonly type: 'conversationEnded'; readonly reason: EndReason }

/** Staff among themselves. No customer, connector, transcript or webhook has a shape for these. */
export type InternalDraft =
  | ({ readonly type: 'whispered'; readonly tag: 'whisper' | '' } & Said)
  | {
      readonly type: 'internalReceiptAdvanced'
      readonly participant: Person
      readonly state: ReceiptState
      readonly messageId: EventId
      readonly reason?: string
    }
  | ({ readonly type: 'internalActivity'; readonly tag: 'whisper' | '' } & Done)
  | ({ readonly type: 'observerJoined' } & Arrival)
  | { readonly type: 'observerLeft'; readonly participant: Person; readonly reason: LeaveReason }
  /** A carried customer came live, or went: where to reach them is the staff's business only. */
  | { readonly type: 'presenceChanged'; readonly participant: Person; readonly presence: 'live' | 'carried' }
  /** The mail server took a mail with the transcript for the customer. Where it went stands in the opening. */
  | { readonly type: 'transcriptMailed'; readonly state: 'sent'; readonly mailId: string }
  /** Everything before it was erased: what is left are places, times, roles and ids. */
  | { readonly type: 'conversationErased'; readonly counts: ErasureCounts; readonly account?: AccountId }

interface Stamp {
  readonly tenant: Tenant
  readonly conversationId: ConversationId
  /** 1…n without gaps, over all events. */
  readonly position: number
  readonly id: EventId
  /** ISO 8601 with milliseconds, the gateway's clock. */
  readonly at: string
  readonly by: Author
}
interface PublicStamp extends Stamp {
  /** 1…n without gaps, over public events. */
  readonly publicPosition: number
}
interface InternalStamp extends Stamp {
  readonly publicPosition: null
}

export type PublicEvent = PublicDraft & PublicStamp
export type InternalEvent = InternalDraft & InternalStamp
export type ConversationEvent = PublicEvent | InternalEvent
export type EventDraft = (PublicDraft | InternalDraft) & { readonly by: Author }
export type Message = Extract<ConversationEvent, { type: 'messageSent' | 'whispered' }>
/** What a member said or did under their own key. */
export type Utterance = Extract<
  ConversationEvent,
  { type: 'messageSent' | 'whispered' | 'activity' | 'internalActivity' }
>

/** Carried, never stored, never in anybody's way. */
export interface Ephemeral {
  readonly tenant: Tenant
  readonly conversationId: ConversationId
  readonly type: 'typing'
  readonly by: Person
  readonly to: readonly Person[]
  readonly state: 'started' | 'stopped'
  /** An internal one is heard by staff only. */
  readonly internal: boolean
  readonly at: string
}

export const isUtterance = (event: ConversationEvent | null | undefined): event is Utterance =>
  event?.type === 'messageSent' ||
  event?.type === 'whispered' ||
  event?.type === 'activity' ||
  event?.type === 'internalActivity'

export function isPublic(event: ConversationEvent): event is PublicEvent {
  return event.publicPosition !== null
}
const INTERNAL: Readonly<Record<InternalDraft['type'], true>> = {
  whispered: true,
  internalReceiptAdvanced: true,
  internalActivity: true,
  observerJoined: true,
  observerLeft: true,
  presenceChanged: true,
  transcriptMailed: true,
  conversationErased: true,
}
/** The type of a draft decides alone whether it counts for the public. */
export const isInternalDraft = (draft: PublicDraft | InternalDraft): draft is InternalDraft =>
  Object.hasOwn(INTERNAL, draft.type)
