// Rows of the SQL tables as the records that the ports speak of.
import type { Selectable } from 'kysely'
import type { Conversation } from '../model/conversation'
import { evolve } from '../model/evolve'
import type { Account, ApiKey } from './account-store'
import type { FileRow } from './file-store'
import type { Delivery, Notification, Once } from './records'
import type {
  AccountTable,
  ApiKeyTable,
  ConversationTable,
  DeliveryTable,
  FileTable,
  NotificationTable,
  OnceTable,
} from './sql-schema'
import { readEvent } from '../model/stored-event'
import { readPicture, readStrings } from './stored-json'

/** A snapshot. */
export type ConversationRecord = Selectable<ConversationTable>
/** On Postgres: the events behind a snapshot as a JSON array of JSON texts, in one statement, so that both are of one moment. */
export const TAIL = `(select coalesce(json_agg(event.body order by event.position), '[]')::text from event
  where event.tenant = conversation.tenant and event.conversation_id = conversation.id
    and event.position > conversation.position)`
export type DeliveryRecord = Selectable<DeliveryTable>

/** @param tail the bodies of the events behind the snapshot, in order */
export function toConversation(row: ConversationRecord, tail: readonly string[]): Conversation {
  const { opening, memberships } = readPicture(row.picture)
  const snapshot: Conversation = {
    tenant: row.tenant,
    id: row.id,
    opening,
    status: row.status,
    position: row.position,
    publicPosition: row.public_position,
    memberships,
    activeAt: row.active_at,
    idleWarned: row.idle_warned === 1,
    endedAt: row.ended_at,
  }
  return tail.map(readEvent).reduce(evolve, snapshot)
}

/** A snapshot with its tail beside it. */
export const toReplayed = (row: ConversationRecord & { readonly tail: string }): Conversation =>
  toConversation(row, readStrings(row.tail))

export function toDelivery(row: DeliveryRecord): Delivery {
  return {
    id: row.id,
    tenant: row.tenant,
    to: { channel: row.channel, account: row.account, refId: row.ref_id },
    conversationId: row.conversation_id,
    messageId: row.message_id,
    recipient: row.recipient,
    notificationId: row.notification_id,
    body: row.body,
    state: row.state,
    attempts: row.attempts,
    lease: row.lease,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    reason: row.reason,
  }
}

export const toOnce = (row: Selectable<OnceTable>): Once => ({
  conversationId: row.conversation_id,
  position: row.position,
  note: row.note,
  expiresAt: row.expires_at,
})

export const toNotification = (row: Selectable<NotificationTable>): Notification => ({
  id: row.id,
  tenant: row.tenant,
  keyId: row.key_id,
  to: { channel: row.channel, account: row.account, refId: row.ref_id },
  state: row.state,
  reason: row.reason,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
})

export const toAccount = (row: Selectable<AccountTable>): Account => ({
  id: row.id,
  tenant: row.tenant,
  username: row.username,
  name: row.name,
  role: row.role,
  passwordHash: row.password_hash,
  disabled: row.disabled === 1,
  version: row.version,
  createdAt: row.created_at,
})

export const toApiKey = (row: Selectable<ApiKeyTable>): ApiKey => ({
  id: row.id,
  tenant: row.tenant,
  kind: row.kind,
  name: row.name,
  channel: row.channel,
  account: row.account,
  hash: row.hash,
  dailyQuota: row.daily_quota,
  prefixes: readStrings(row.prefixes),
  createdAt: row.created_at,
})

export const toFileRow = (row: Selectable<FileTable>): FileRow => ({
  tenant: row.tenant,
  id: row.id,
  conversationId: row.conversation_id,
  participantId: row.participant_id,
  name: row.name,
  mediaType: row.media_type,
  size: row.size,
  sha256: row.sha256,
  width: row.width,
  height: row.height,
  thumbnail: row.thumbnail,
  createdAt: row.created_at,
  state: row.state,
})
