// The look-ups of `resolveNeeds` on Postgres: one statement for each kind, however many rows it is asked for.
import type { QueryResultRow } from 'pg'
import type { Conversation } from '../model/conversation'
import type { ConversationEvent, ReceiptState } from '../model/events'
import type { ConversationId } from '../model/ids'
import type { Statement } from './pg-pool'
import type { Delivery, DeliveryPart, Notification, Once, ParkedReceipt } from './records'
import {
  TAIL,
  toReplayed,
  toDelivery,
  toNotification,
  toOnce,
  type ConversationRecord,
  type DeliveryRecord,
} from './sql-rows'
import type { Selectable } from 'kysely'
import type { NotificationTable, OnceTable } from './sql-schema'
import { readEvent } from '../model/stored-event'

export type Cell = string | number
export interface LookUp<R extends QueryResultRow, V> {
  /** Its rows carry `n`, the place of what was asked for. */
  readonly statement: Statement
  /** Whether what has outlived its time is left out: the time is the last parameter then. */
  readonly timed: boolean
  /** The rows of one that was asked for, in order; none where there are none. */
  readonly read: (rows: readonly R[]) => V
}

/** Each key of a look-up becomes a column of its parameters. */
function lookUp<R extends QueryResultRow, V>(
  name: string,
  { keys, select, timed = false }: { keys: readonly string[]; select: string; timed?: boolean },
  read: (rows: readonly R[]) => V,
): LookUp<R, V> {
  const typed = keys.map((key, i) => `$${i + 1}::${NUMBERS.includes(key) ? 'int' : 'text'}[]`)
  const asked = `unnest(${typed.join(', ')}) with ordinality as asked (${[...keys, 'n'].join(', ')})`
  const text = select
    .replace('asked', asked)
    .replace('@now', `coalesce($${keys.length + 1}, iso_time_1(clock_timestamp()))`)
  return { statement: { name, text }, timed, read }
}
const NUMBERS: readonly string[] = ['a_position']

const ADDRESS = ['a_tenant', 'a_channel', 'a_account', 'a_ref_id'] as const
const PROVIDER = ['a_tenant', 'a_channel', 'a_account', 'a_provider_id'] as const
const AT_ADDRESS = 'tenant = a_tenant and channel = a_channel and account = a_account and ref_id = a_ref_id'
const AT_PROVIDER = 'tenant = a_tenant and channel = a_channel and account = a_account and provider_id = a_provider_id'

/**
 * By name, never `*`: a prepared statement whose columns are changed by the migration of a newer node would fail from
 * then on.
 */
const of = (table: string, names: string): string => names.replace(/\w+/g, `${table}.$&`)
export const columns = {
  conversation: of(
    'conversation',
    'tenant, id, status, position, public_position, active_at, idle_warned, ended_at, picture',
  ),
  once: of('once', 'tenant, scope, key, conversation_id, position, note, expires_at'),
  delivery: of(
    'delivery',
    `seq, tenant, id, channel, account, ref_id, conversation_id, message_id, recipient, notification_id, body, state,
     attempts, lease, due_at, created_at, expires_at, reason`,
  ),
  notification: of(
    'notification',
    'tenant, id, key_id, channel, account, ref_id, state, reason, created_at, expires_at',
  ),
}

const first =
  <R, V>(read: (row: R) => V) =>
  ([row]: readonly R[]): V | null =>
    row === undefined ? null : read(row)

const delivery = first<DeliveryRecord, Delivery>(toDelivery)

export const LOOK_UPS = {
  conversation: lookUp<ConversationRecord & { readonly tail: string }, Conversation | null>(
    'conversation',
    {
      keys: ['a_tenant', 'a_id'],
      select: `select n, ${columns.conversation}, ${TAIL} as tail from asked
        join conversation on tenant = a_tenant and id = a_id`,
    },
    first(toReplayed),
  ),
  liveAt: lookUp<{ conversation_id: ConversationId }, ConversationId | null>(
    'live-at',
    { keys: ADDRESS, select: `select n, conversation_id from asked join live_address on ${AT_ADDRESS}` },
    first((row) => row.conversation_id),
  ),
  event: lookUp<{ body: string }, ConversationEvent | null>(
    'event',
    {
      keys: ['a_tenant', 'a_conversation', 'a_position'],
      select: `select n, body from asked
        join event on tenant = a_tenant and conversation_id = a_conversation and position = a_position`,
    },
    first(({ body }) => readEvent(body)),
  ),
  // A public position is never beyond its position in the log.
  publicEvent: lookUp<{ body: string }, ConversationEvent | null>(
    'public-event',
    {
      keys: ['a_tenant', 'a_conversation', 'a_position'],
      select: `select n, found.body from asked cross join lateral (
          select body from event where tenant = a_tenant and conversation_id = a_conversation
            and position >= a_position and public_position = a_position order by position limit 1
        ) as found`,
    },
    first(({ body }) => readEvent(body)),
  ),
  once: lookUp<Selectable<OnceTable>, Once | null>(
    'once',
    {
      keys: ['a_tenant', 'a_scope', 'a_key'],
      select: `select n, ${columns.once} from asked join once on tenant = a_tenant and scope = a_scope and key = a_key
        where expires_at is null or expires_at > @now`,
      timed: true,
    },
    first(toOnce),
  ),
  delivery: lookUp<DeliveryRecord, Delivery | null>(
    'delivery',
    {
      keys: ['a_tenant', 'a_id'],
      select: `select n, ${columns.delivery} from asked join delivery on tenant = a_tenant and id = a_id`,
    },
    delivery,
  ),
  deliveryByProvider: lookUp<DeliveryRecord, Delivery | null>(
    'delivery-by-provider',
    {
      keys: PROVIDER,
      select: `select n, ${columns.delivery} from (
          select n, tenant, delivery_id from asked join provider_part on ${AT_PROVIDER}
        ) as part join delivery on delivery.tenant = part.tenant and delivery.id = part.delivery_id`,
    },
    delivery,
  ),
  deliveryByMessage: lookUp<DeliveryRecord, Delivery | null>(
    'delivery-by-message',
    {
      keys: ['a_tenant', 'a_message', 'a_channel', 'a_account'],
      select: `select n, ${columns.delivery} from asked
        join delivery on tenant = a_tenant and message_id = a_message and channel = a_channel and account = a_account
        order by seq`,
    },
    delivery,
  ),
  parts: lookUp<{ provider_id: string; delivered: 0 | 1 }, DeliveryPart[]>(
    'parts',
    {
      keys: ['a_tenant', 'a_delivery'],
      select: `select n, provider_id, delivered from asked
        join provider_part on tenant = a_tenant and delivery_id = a_delivery order by provider_id`,
    },
    (rows) => rows.map((row) => ({ providerId: row.provider_id, delivered: row.delivered === 1 })),
  ),
  receipt: lookUp<{ state: ReceiptState }, ReceiptState | null>(
    'receipt',
    {
      keys: ['a_tenant', 'a_conversation', 'a_message', 'a_recipient'],
      select: `select n, state from asked join receipt on tenant = a_tenant and conversation_id = a_conversation
        and message_id = a_message and recipient = a_recipient`,
    },
    first(({ state }) => state),
  ),
  parked: lookUp<{ provider_id: string; state: ReceiptState; reason: string }, ParkedReceipt[]>(
    'parked',
    {
      keys: PROVIDER,
      select: `select n, provider_id, state, reason from asked join parked_receipt on ${AT_PROVIDER}
        where expires_at > @now order by seq`,
      timed: true,
    },
    (rows) => rows.map(({ provider_id: providerId, state, reason }) => ({ providerId, state, reason })),
  ),
  notification: lookUp<Selectable<NotificationTable>, Notification | null>(
    'notification',
    {
      keys: ['a_tenant', 'a_id'],
      select: `select n, ${columns.notification} from asked join notification on tenant = a_tenant and id = a_id`,
    },
    first(toNotification),
  ),
  suppressed: lookUp<object, boolean>(
    'suppressed',
    { keys: ADDRESS, select: `select n from asked join suppression on ${AT_ADDRESS}` },
    (rows) => rows.length > 0,
  ),
  quota: lookUp<{ used: number }, number>(
    'quota',
    {
      keys: ['a_tenant', 'a_key', 'a_day'],
      select: 'select n, used from asked join quota on tenant = a_tenant and key_id = a_key and day = a_day',
    },
    ([row]) => row?.used ?? 0,
  ),
}
