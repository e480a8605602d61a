// What is said: plain text, attachments by link, and what old clients add and others pass through.
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = Readonly<Record<string, Json>>

export interface Attachment {
  /** Media type, such as `image/png`. */
  readonly type: string
  readonly name: string
  /** `http:`, `https:` or a small `data:` link. The gateway never fetches it. */
  readonly contentUrl: string
  readonly thumbnailUrl?: string
}

export interface Content {
  /** Canonical text is plain: no markup is read into it. At most 16 KB. */
  readonly text: string
  readonly attachments: readonly Attachment[]
  /** Keys that are not ours (`buttons`, `language` …), passed through unchanged. At most 16 keys and 4 KB. */
  readonly extras: JsonObject
}
