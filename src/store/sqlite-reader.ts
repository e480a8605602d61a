// The look-ups of `resolveNeeds` on SQLite, as statements prepared once.
import type { Database } from 'better-sqlite3'
import type { Selectable } from 'kysely'
import type { ReceiptState } from '../model/events'
import type { ConversationId, EventPlace, Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import type { Needs } from './conversation-store'
import type { DeliveryPart, OnceKey, ParkedReceipt, ProviderKey } from './records'
import type { DeliveryName, Reader, ReceiptName } from './resolve-needs'
import {
  toConversation,
  toDelivery,
  toNotification,
  toOnce,
  type ConversationRecord,
  type DeliveryRecord,
} from './sql-rows'
import type { NotificationTable } from './sql-schema'
import type { SqliteEvents } from './sqlite-events'
import type { SqliteOnce } from './sqlite-once'
import { readEvent } from '../model/stored-event'

type Text = string
interface PartRow {
  provider_id: string
  delivered: 0 | 1
}

function prepare(db: Database) {
  const address = 'tenant = ? and channel = ? and account = ? and ref_id = ?'
  const provider = 'tenant = ? and channel = ? and account = ? and provider_id = ?'
  return {
    conversation: db.prepare<[Text, Text], ConversationRecord>(
      'select * from conversation where tenant = ? and id = ?',
    ),
    liveAt: db.prepare<[Text, Text, Text, Text], { conversation_id: ConversationId }>(
      `select conversation_id from live_address where ${address}`,
    ),
    delivery: db.prepare<[Text, Text], DeliveryRecord>('select * from delivery where tenant = ? and id = ?'),
    deliveryByProvider: db.prepare<[Text, Text, Text, Text], DeliveryRecord>(
      `select delivery.* from delivery
       join provider_part on provider_part.tenant = delivery.tenant and provider_part.delivery_id = delivery.id
       where provider_part.tenant = ? and provider_part.channel = ? and provider_part.account = ? and provider_id = ?`,
    ),
    deliveryByMessage: db.prepare<[Text, Text, Text, Text], DeliveryRecord>(
      `select * from delivery where tenant = ? and message_id = ? and channel = ? and account = ?
       order by seq limit 1`,
    ),
    parts: db.prepare<[Text, Text], PartRow>(
      'select provider_id, delivered from provider_part where tenant = ? and delivery_id = ? order by provider_id',
    ),
    receipt: db.prepare<[Text, Text, Text, Text], { state: ReceiptState }>(
      'select state from receipt where tenant = ? and conversation_id = ? and message_id = ? and recipient = ?',
    ),
    parked: db.prepare<[Text, Text, Text, Text, Text], { provider_id: string; state: ReceiptState; reason: string }>(
      // The sign keeps SQLite from searching all that is parked by its expiry.
      `select provider_id, state, reason from parked_receipt where ${provider} and +expires_at > ? order by rowid`,
    ),
    notification: db.prepare<[Text, Text], Selectable<NotificationTable>>(
      'select * from notification where tenant = ? and id = ?',
    ),
    suppression: db.prepare<[Text, Text, Text, Text], { found: 1 }>(
      `select 1 as found from suppression where ${address}`,
    ),
    quota: db.prepare<[Text, Text, Text], { used: number }>(
      'select used from quota where tenant = ? and key_id = ? and day = ?',
    ),
  }
}

export class SqliteReader implements Reader {
  readonly #statements: ReturnType<typeof prepare>

  readonly #log: SqliteEvents
  readonly #keys: SqliteOnce

  constructor(db: Database, { events, once }: { events: SqliteEvents; once: SqliteOnce }) {
    this.#statements = prepare(db)
    this.#log = events
    this.#keys = once
  }

  conversation(tenant: Tenant, id: ConversationId) {
    const row = this.#statements.conversation.get(tenant, id)
    return row ? toConversation(row, this.#log.tail({ tenant, id, after: row.position })) : null
  }
  liveAt(tenant: Tenant, { channel, account, refId }: Address) {
    return this.#statements.liveAt.get(tenant, channel, account, refId)?.conversation_id ?? null
  }
  event(tenant: Tenant, place: EventPlace) {
    const body = this.#log.at(tenant, place)
    return body === undefined ? null : readEvent(body)
  }
  once(tenant: Tenant, key: OnceKey, now: string) {
    const row = this.#keys.find(tenant, key, now)
    return row ? toOnce(row) : null
  }
  delivery(tenant: Tenant, name: DeliveryName) {
    const row = this.#deliveryRow(tenant, name)
    if (!row) return null
    const parts = this.#statements.parts.all(tenant, row.id).map(toPart)
    return { delivery: toDelivery(row), parts }
  }
  #deliveryRow(tenant: Tenant, name: DeliveryName): DeliveryRecord | undefined {
    const { delivery, deliveryByProvider, deliveryByMessage } = this.#statements
    if ('id' in name) return delivery.get(tenant, name.id)
    if ('provider' in name) {
      const { channel, account, providerId } = name.provider
      return deliveryByProvider.get(tenant, channel, account, providerId)
    }
    return deliveryByMessage.get(tenant, name.message, name.carriedTo.channel, name.carriedTo.account)
  }
  receipt(tenant: Tenant, { conversationId, messageId, recipient }: ReceiptName) {
    return this.#statements.receipt.get(tenant, conversationId, messageId, recipient)?.state ?? null
  }
  parked(tenant: Tenant, { channel, account, providerId }: ProviderKey, now: string): ParkedReceipt[] {
    const rows = this.#statements.parked.all(tenant, channel, account, providerId, now)
    return rows.map((row) => ({ providerId: row.provider_id, state: row.state, reason: row.reason }))
  }
  notification(tenant: Tenant, id: string) {
    const row = this.#statements.notification.get(tenant, id)
    return row ? toNotification(row) : null
  }
  isSuppressed(tenant: Tenant, { channel, account, refId }: Address): boolean {
    return this.#statements.suppression.get(tenant, channel, account, refId) !== undefined
  }
  quotaUsed(tenant: Tenant, { keyId, day }: NonNullable<Needs['quota']>): number {
    return this.#statements.quota.get(tenant, keyId, day)?.used ?? 0
  }
}

const toPart = (row: PartRow): DeliveryPart => ({ providerId: row.provider_id, delivered: row.delivered === 1 })
