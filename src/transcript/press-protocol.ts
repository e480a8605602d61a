// What passes between the gateway and a process that makes a PDF.
import type { ErrorCode } from '../model/errors'
import type { Picture } from './pictures'
import type { StaffEntry, Transcript, TranscriptAttachment } from './transcript'

export interface Order {
  readonly transcript: Transcript
  readonly language: string
  readonly timeZone: string
  readonly hash: string
}
/** To the process. One order at a time. */
export type ToPress =
  /** Of the order that follows, so many at a time: a long conversation in one piece would hold up the chats. */
  | { readonly do: 'entries'; readonly entries: readonly StaffEntry[] }
  /** Its transcript is without entries: they came before. */
  | { readonly do: 'print'; readonly order: Order }
  | { readonly do: 'picture'; readonly picture: Picture | null }
  /** So many bytes have been taken over: as many more may come. */
  | { readonly do: 'taken'; readonly bytes: number }
/** From the process. */
export type FromPress =
  | { readonly is: 'chunk'; readonly chunk: Uint8Array }
  | { readonly is: 'wanted'; readonly attachment: TranscriptAttachment }
  | { readonly is: 'done' }
  | { readonly is: 'failed'; readonly code: ErrorCode; readonly message: string }

/** Bytes that may be under way before the process waits. */
export const WINDOW = 1024 * 1024
