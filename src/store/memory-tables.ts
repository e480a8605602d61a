// The tables in memory, with the one thing that maps lack: a transaction that can be taken back.
import type { Conversation } from '../model/conversation'
import type { ReceiptState } from '../model/events'
import type { ConversationId, DeliveryId, Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import type { Delivery, Notification, Once, ParkedReceipt, ProviderKey } from './records'

export interface StoredDelivery {
  readonly delivery: Delivery
  readonly seq: number
  /** When it falls due; for a leased one, when its lease runs out; for a settled one, when it was settled. */
  readonly dueAt: string
}
export interface StoredPart {
  readonly deliveryId: DeliveryId
  readonly delivered: boolean
}
export interface StoredParked {
  readonly receipt: ParkedReceipt
  readonly expiresAt: string
}
export interface StoredQuota {
  readonly tenant: Tenant
  readonly day: string
  readonly used: number
}

export interface StoredNotification {
  readonly notification: Notification
  /** ISO 8601. */
  readonly changedAt: string
}

/** The values are never changed in place: that is what makes taking back possible. */
export class MemoryTables {
  readonly conversations = new Map<string, Conversation>()
  readonly liveAddresses = new Map<string, ConversationId>()
  /** By position, as JSON. */
  readonly events = new Map<string, string>()
  readonly positions = new Map<string, number>()
  readonly once = new Map<string, Once & { readonly tenant: Tenant; readonly scope: string }>()
  readonly deliveries = new Map<string, StoredDelivery>()
  /** What is not settled yet for one recipient, oldest first. */
  readonly lanes = new Map<string, readonly DeliveryId[]>()
  readonly carried = new Map<string, DeliveryId>()
  readonly parts = new Map<string, StoredPart>()
  readonly partsOf = new Map<string, readonly ProviderKey[]>()
  readonly parked = new Map<string, { readonly tenant: Tenant; readonly receipts: readonly StoredParked[] }>()
  readonly receipts = new Map<string, ReceiptState>()
  readonly notifications = new Map<string, StoredNotification>()
  readonly suppressed = new Map<string, { readonly tenant: Tenant; readonly address: Address }>()
  readonly quotas = new Map<string, StoredQuota>()

  #undo: (() => void)[] = []

  set<V>(table: Map<string, V>, key: string, value: V): void {
    const had = table.has(key)
    const before = table.get(key)
    this.#undo.push(() => {
      if (had && before !== undefined) table.set(key, before)
      else table.delete(key)
    })
    table.set(key, value)
  }
  delete(table: Map<string, unknown>, key: string): void {
    const before = table.get(key)
    if (before === undefined) return
    this.#undo.push(() => table.set(key, before))
    table.delete(key)
  }

  /** All of it or nothing. */
  transact<T>(work: () => T): T {
    this.#undo = []
    try {
      return work()
    } catch (cause) {
      for (const takeBack of this.#undo.reverse()) takeBack()
      throw cause
    } finally {
      this.#undo = []
    }
  }
}

/** As JSON, so that no part can run into the next, whatever a provider puts into its ids. */
export const keyOf = (...parts: readonly (string | number)[]): string => JSON.stringify(parts)
export const addressKey = (tenant: Tenant, { channel, account, refId }: Address): string =>
  keyOf(tenant, channel, account, refId)
export const providerKey = (tenant: Tenant, { channel, account, providerId }: ProviderKey): string =>
  keyOf(tenant, channel, account, providerId)
