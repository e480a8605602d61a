// What passes between the gateway and a process that makes a PDF.
import type { Conversation } from '../model/conversation'
import type { ErrorCode } from '../model/errors'
import type { Picture } from './pictures'
import type { Audience, StaffEntry, Transcript, TranscriptAttachment } from './transcript'

/** Of what a document is made, before its lines: a transcript without its entries, or a conversation without its events. */
export type Subject =
  { readonly transcript: Transcript } | { readonly conversation: Conversation; readonly audience: Audience }
/** How it is to be said. */
export interface Manner {
  readonly language: string
  readonly timeZone: string
}
/** To the process. One document at a time; its lines a few at a time: all at once they would hold up the chats. */
export type ToPress =
  /** `rest`: how many times as long as it worked the process rests in between. */
  | { readonly do: 'begin'; readonly subject: Subject; readonly rest: number }
  /** Of a transcript. */
  | { readonly do: 'entries'; readonly entries: readonly StaffEntry[] }
  /** Of a conversation, as they are stored. */
  | { readonly do: 'events'; readonly events: readonly string[] }
  | { readonly do: 'print'; readonly manner: Manner }
  | { readonly do: 'picture'; readonly picture: Picture | null }
  /** So many bytes have been taken over: as many more may come. */
  | { readonly do: 'taken'; readonly bytes: number }
/** From the process. */
export type FromPress =
  /** Of the content, before the first chunk. */
  | { readonly is: 'hash'; readonly hash: string }
  | { readonly is: 'chunk'; readonly chunk: Uint8Array }
  | { readonly is: 'wanted'; readonly attachment: TranscriptAttachment }
  | { readonly is: 'done' }
  | { readonly is: 'failed'; readonly code: ErrorCode; readonly message: string }

/** Bytes that may be under way before the process waits. */
export const WINDOW = 1024 * 1024
