// What is said: plain text, files and links, and what old clients add and others pass through.
import type { FileId } from './ids'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = Readonly<Record<string, Json>>

interface Named {
  /** Media type, such as `image/png`. */
  readonly type: string
  readonly name: string
}
/** Something behind a link of somebody else's, which the gateway never fetches. */
export interface LinkedAttachment extends Named {
  /** `http:`, `https:` or a small `data:` link. */
  readonly contentUrl: string
  readonly thumbnailUrl?: string
}
/** A file of this conversation. No link to it is stored: each audience is given one of its own, which expires. */
export interface StoredAttachment extends Named {
  readonly fileId: FileId
  /** Bytes. */
  readonly size: number
  readonly hasThumbnail: boolean
}
export type Attachment = LinkedAttachment | StoredAttachment
export const isStored = (attachment: Attachment): attachment is StoredAttachment => 'fileId' in attachment

export interface Content {
  /** Canonical text is plain: no markup is read into it. At most 16 KB. */
  readonly text: string
  readonly attachments: readonly Attachment[]
  /** Keys that are not ours (`buttons`, `language` …), passed through unchanged. At most 16 keys and 4 KB. */
  readonly extras: JsonObject
}
