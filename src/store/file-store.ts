// Port: what is known of the files that people sent. The bytes lie elsewhere, under the file's id.
import type { ConversationId, FileId, ParticipantId, Place, Tenant } from '../model/ids'

/** `uploading`: room is taken, nothing to be seen yet. `erased`: never to be seen again, the bytes are about to go. */
export type FileState = 'uploading' | 'ready' | 'erased'

export interface FileRow extends Place {
  readonly id: FileId
  /** Who sent it. */
  readonly participantId: ParticipantId
  /** For display and for saving: no path, no control characters, at most 255 bytes of UTF-8. */
  readonly name: string
  /** By what the bytes are, never by what was claimed; empty while it is uploading. */
  readonly mediaType: string
  /** Bytes; while it is uploading, as many as it may have. */
  readonly size: number
  /** Of the whole file, hexadecimal; empty while it is uploading. */
  readonly sha256: string
  /** Pixels, as the picture is shown; null for what is no picture that could be read. */
  readonly width: number | null
  readonly height: number | null
  /** Under which key its small picture lies; null: there is none. */
  readonly thumbnail: string | null
  /** ISO 8601. */
  readonly createdAt: string
  readonly state: FileState
}
/** How much a conversation holds, or may hold. What is uploading counts with all that it may have. */
export interface FileUsage {
  readonly files: number
  readonly bytes: number
}

export interface FileStore {
  /** Takes room for a file that is about to come; false when the conversation would hold more than it may. */
  add(file: FileRow, limits: FileUsage): Promise<boolean>
  /** Replaces the row while it is still uploading; false when it was erased or removed meanwhile. */
  finish(file: FileRow): Promise<boolean>
  /** In whatever state. */
  find(tenant: Tenant, id: FileId): Promise<FileRow | null>
  /** In whatever state, oldest first. As many as limits let in, and those that are being erased. */
  ofConversation(tenant: Tenant, conversation: ConversationId): Promise<FileRow[]>
  usage(tenant: Tenant, conversation: ConversationId): Promise<FileUsage>
  /** Marks all files of a conversation as erased and answers those that were ready; who uploads one hears it by `finish`. */
  erase(tenant: Tenant, conversation: ConversationId): Promise<FileRow[]>
  /** Files that are not ready and were added before this time (ISO 8601), oldest first, at most `limit`. */
  unfinished(tenant: Tenant, before: string, limit: number): Promise<FileRow[]>
  /** Forgets the row: once its bytes are gone. False when there is none. */
  remove(tenant: Tenant, id: FileId): Promise<boolean>
}
