// The one form of a conversation that people keep: every document is made from it. A customer's has no shape for what is internal.
import type { EndReason, LeaveReason, ReceiptState } from '../model/events'
import type { ConversationId, FileId } from '../model/ids'
import type { Author } from '../model/participant'

export type Audience = 'customer' | 'staff'

/** Somebody as a document names them: no id. */
export type Speaker = Pick<Author, 'name' | 'role'>

export interface TranscriptAttachment {
  readonly type: string
  readonly name: string
  /** Empty for a file of the conversation: a link to it would expire, and a document stays. */
  readonly contentUrl: string
  readonly thumbnailUrl?: string
  /** With what follows, of a file of the conversation. */
  readonly fileId?: FileId
  /** Bytes. */
  readonly size?: number
  readonly hasThumbnail?: boolean
}
interface Placed {
  /** The reader's own count: public events for a customer, all events for staff. */
  readonly seq: number
  /** ISO 8601. */
  readonly at: string
  readonly from: Speaker
}
interface Said extends Placed {
  readonly text: string
  readonly attachments: readonly TranscriptAttachment[]
  /** How far it came with whoever got furthest; null where nobody has told. */
  readonly state: ReceiptState | null
}
/** A public message. */
export interface Line extends Said {
  readonly kind: 'message'
}
export type Move =
  | (Placed & { readonly kind: 'joined' })
  | (Placed & { readonly kind: 'left'; readonly reason: LeaveReason })
  | (Placed & { readonly kind: 'ended'; readonly reason: EndReason })
export type PublicEntry = Line | Move

/** What staff said among themselves. */
export interface Whisper extends Said {
  readonly kind: 'whisper'
}
/** A silent supervisor came or went. */
export interface Observation extends Placed {
  readonly kind: 'observerJoined' | 'observerLeft'
}
export type StaffEntry = PublicEntry | Whisper | Observation

interface Head {
  readonly conversationId: ConversationId
  readonly channel: string
  /** Ours of several numbers or pages; empty where there is only one. */
  readonly account: string
  /** Empty where there is none. */
  readonly subject: string
  /** The conversation's, as the customer gave it: see `Wording` for what becomes of it. */
  readonly language: string
  readonly startedAt: string
  /** Null while it is running. */
  readonly endedAt: string | null
  /** Everybody who is in the entries, in order of arrival. */
  readonly people: readonly Speaker[]
}
export interface CustomerTranscript extends Head {
  readonly audience: 'customer'
  readonly entries: readonly PublicEntry[]
}
export interface StaffTranscript extends Head {
  readonly audience: 'staff'
  readonly entries: readonly StaffEntry[]
}
export type Transcript = CustomerTranscript | StaffTranscript

export const isSaid = (entry: StaffEntry): entry is Line | Whisper =>
  entry.kind === 'message' || entry.kind === 'whisper'

/** Has somebody other than the customer spoken publicly? */
export const isAnswered = ({ entries }: Transcript): boolean =>
  entries.some(({ kind, from }) => kind === 'message' && from.role !== 'customer')
