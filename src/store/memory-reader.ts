// The look-ups of `resolveNeeds` in memory.
import type { Conversation } from '../model/conversation'
import type { ReceiptState } from '../model/events'
import type { ConversationId, EventPlace, Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import type { Needs } from './conversation-store'
import { addressKey, keyOf, providerKey, type MemoryTables } from './memory-tables'
import type { DeliveryPart, OnceKey, ParkedReceipt, ProviderKey } from './records'
import type { DeliveryName, Reader, ReceiptName } from './resolve-needs'
import { readEvent } from '../model/stored-event'

export class MemoryReader implements Reader {
  constructor(private readonly tables: MemoryTables) {}

  conversation(tenant: Tenant, id: ConversationId): Conversation | null {
    return this.tables.conversations.get(keyOf(tenant, id)) ?? null
  }
  liveAt(tenant: Tenant, address: Address): ConversationId | null {
    return this.tables.liveAddresses.get(addressKey(tenant, address)) ?? null
  }
  event(tenant: Tenant, place: EventPlace) {
    const { conversationId } = place
    const position =
      'position' in place
        ? place.position
        : this.tables.positions.get(keyOf(tenant, conversationId, place.publicPosition))
    const body = position && this.tables.events.get(keyOf(tenant, conversationId, position))
    return body ? readEvent(body) : null
  }
  once(tenant: Tenant, { scope, key }: OnceKey, now: string) {
    const found = this.tables.once.get(keyOf(tenant, scope, key))
    if (!found || (found.expiresAt !== null && found.expiresAt <= now)) return null
    const { conversationId, position, note, expiresAt } = found
    return { conversationId, position, note, expiresAt }
  }
  delivery(tenant: Tenant, name: DeliveryName) {
    const id = this.#deliveryId(tenant, name)
    const stored = id && this.tables.deliveries.get(keyOf(tenant, id))
    return stored ? { delivery: stored.delivery, parts: this.#parts(tenant, stored.delivery.id) } : null
  }
  #deliveryId(tenant: Tenant, name: DeliveryName) {
    if ('id' in name) return name.id
    if ('provider' in name) return this.tables.parts.get(providerKey(tenant, name.provider))?.deliveryId
    return this.tables.carried.get(keyOf(tenant, name.message, name.carriedTo.channel, name.carriedTo.account))
  }
  /** A provider may have used an id again: then it names the newer delivery only. */
  #parts(tenant: Tenant, deliveryId: string): DeliveryPart[] {
    const keys = this.tables.partsOf.get(keyOf(tenant, deliveryId)) ?? []
    const parts = keys.flatMap((key) => {
      const part = this.tables.parts.get(providerKey(tenant, key))
      return part?.deliveryId === deliveryId ? [{ providerId: key.providerId, delivered: part.delivered }] : []
    })
    return parts.sort((a, b) => (a.providerId < b.providerId ? -1 : 1))
  }
  receipt(tenant: Tenant, { conversationId, messageId, recipient }: ReceiptName): ReceiptState | null {
    return this.tables.receipts.get(keyOf(tenant, conversationId, messageId, recipient)) ?? null
  }
  parked(tenant: Tenant, key: ProviderKey, now: string): ParkedReceipt[] {
    const found = this.tables.parked.get(providerKey(tenant, key))?.receipts ?? []
    return found.filter(({ expiresAt }) => expiresAt > now).map(({ receipt }) => receipt)
  }
  notification(tenant: Tenant, id: string) {
    return this.tables.notifications.get(keyOf(tenant, id))?.notification ?? null
  }
  isSuppressed(tenant: Tenant, address: Address): boolean {
    return this.tables.suppressed.has(addressKey(tenant, address))
  }
  quotaUsed(tenant: Tenant, { keyId, day }: NonNullable<Needs['quota']>): number {
    return this.tables.quotas.get(keyOf(tenant, keyId, day))?.used ?? 0
  }
}
