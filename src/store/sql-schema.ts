// The tables as Kysely sees them. Every time in them is ISO 8601 in UTC with milliseconds, so that text order is time order.
import type { Generated } from 'kysely'
import type { Status } from '../model/conversation'
import type { ReceiptState } from '../model/events'
import type { AccountId, ConversationId, DeliveryId, EventId, FileId, ParticipantId, Tenant } from '../model/ids'
import type { Account, KeyKind } from './account-store'
import type { FileState } from './file-store'
import type { DeliveryState, Notification } from './records'

export interface Tables {
  conversation: ConversationTable
  live_address: LiveAddressTable
  event: EventTable
  once: OnceTable
  delivery: DeliveryTable
  provider_part: ProviderPartTable
  parked_receipt: ParkedReceiptTable
  receipt: ReceiptTable
  notification: NotificationTable
  suppression: AddressColumns
  quota: QuotaTable
  account: AccountTable
  api_key: ApiKeyTable
  node: NodeTable
  attendance: AttendanceTable
  file: FileTable
  custody: CustodyTable
  erasing: ErasingTable
}

/** One row for each conversation. */
export interface CustodyTable extends AddressColumns {
  conversation_id: ConversationId
  /** Empty while it lives. */
  ended_at: string
  held: Generated<0 | 1>
  hold_reason: Generated<string>
  held_at: Generated<string>
  erasure: Generated<'' | 'due' | 'done'>
  erased_at: Generated<string>
  claimed_until: Generated<string>
}
/** A customer whose erasure is under way. */
export interface ErasingTable extends AddressColumns {
  /** 1: whatever account of ours they wrote to; `account` is empty then. */
  every_account: 0 | 1
  /** What was opened later is not meant. */
  since: string
  claimed_until: Generated<string>
}
interface NodeTable {
  id: string
  alive_until: string
}
export interface AttendanceTable {
  tenant: Tenant
  conversation_id: ConversationId
  participant_id: ParticipantId
  node: string
  /** When the grace of somebody who is gone ends; null while they are here. */
  away_at: string | null
  claimed_until: string
}

interface AddressColumns {
  tenant: Tenant
  channel: string
  account: string
  ref_id: string
}
export interface ConversationTable {
  tenant: Tenant
  id: ConversationId
  status: Status
  position: number
  public_position: number
  active_at: string
  idle_warned: 0 | 1
  ended_at: string
  /** What changes rarely, as JSON; the columns beside it are the truth for the rest. */
  picture: string
  /** Until when a node looks after its silence; empty: none did. */
  claimed_until: Generated<string>
}
/** A row exists only while its conversation is open: its primary key is what makes a second opening a conflict. */
export interface LiveAddressTable extends AddressColumns {
  conversation_id: ConversationId
}
export interface EventTable {
  tenant: Tenant
  conversation_id: ConversationId
  position: number
  public_position: number | null
  body: string
}
export interface OnceTable {
  tenant: Tenant
  scope: string
  key: string
  conversation_id: ConversationId | ''
  position: number
  note: string
  expires_at: string | null
}
export interface DeliveryTable extends AddressColumns {
  /** The order of arrival. Never a key: whoever looks a delivery up names its tenant. */
  seq: Generated<number>
  id: DeliveryId
  conversation_id: ConversationId | null
  message_id: EventId | null
  recipient: ParticipantId | null
  notification_id: string | null
  body: string
  state: DeliveryState
  attempts: number
  lease: string
  /** When it falls due; for a leased one, when its lease runs out; for a settled one, when it was settled. */
  due_at: string
  created_at: string
  expires_at: string | null
  reason: string
  /** The recipient's: what several carriers divide among them. */
  slice: number
}
interface ProviderKeyColumns {
  tenant: Tenant
  channel: string
  account: string
  provider_id: string
}
export interface ProviderPartTable extends ProviderKeyColumns {
  delivery_id: DeliveryId
  delivered: 0 | 1
}
export interface ParkedReceiptTable extends ProviderKeyColumns {
  state: ReceiptState
  reason: string
  expires_at: string
}
export interface ReceiptTable {
  tenant: Tenant
  conversation_id: ConversationId
  message_id: EventId
  recipient: ParticipantId
  state: ReceiptState
}
export interface NotificationTable extends AddressColumns {
  id: string
  key_id: string
  state: Notification['state']
  reason: string
  created_at: string
  expires_at: string | null
  changed_at: string
}
export interface QuotaTable {
  tenant: Tenant
  key_id: string
  /** YYYY-MM-DD */
  day: string
  used: number
}
export interface AccountTable {
  tenant: Tenant
  id: AccountId
  username: string
  /** The username in lower case: what is unique. */
  username_key: string
  name: string
  role: Account['role']
  password_hash: string
  disabled: 0 | 1
  version: number
  created_at: string
}
export interface ApiKeyTable {
  tenant: Tenant
  id: string
  kind: KeyKind
  name: string
  channel: string
  account: string
  hash: string
  daily_quota: number | null
  /** JSON list. */
  prefixes: string
  created_at: string
}
export interface FileTable {
  tenant: Tenant
  id: FileId
  conversation_id: ConversationId
  participant_id: ParticipantId
  name: string
  media_type: string
  size: number
  sha256: string
  width: number | null
  height: number | null
  thumbnail: string | null
  created_at: string
  state: FileState
}
