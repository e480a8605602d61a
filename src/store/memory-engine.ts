// The engine in memory: for tests and for trying things out. What it accepts, SQLite accepts, and the other way round.
import type { Tenant } from '../model/ids'
import { Conflict } from './conflict'
import type { Needs } from './conversation-store'
import {
  EntryError,
  type Batch,
  type ConversationRow,
  type Engine,
  type EventRow,
  type Loaded,
  type OnceRow,
} from './engine'
import type { MemoryOutbox } from './memory-outbox'
import { MemoryReader } from './memory-reader'
import { addressKey, keyOf, providerKey, type MemoryTables } from './memory-tables'
import { resolveNeeds } from './resolve-needs'
import { soundBatch } from './sound-batch'
import { isDeliveryWrite, isReceiptWrite, type NotifiedWrite, type ReceiptWrite } from './write-groups'
import type { Write } from './writes'

type Parts = Extract<Write, { kind: 'parts' }>
type Park = Extract<Write, { kind: 'park' }>

export class MemoryEngine implements Engine {
  readonly syncs = false
  readonly #tables: MemoryTables
  readonly #outbox: MemoryOutbox
  readonly #reader: MemoryReader
  readonly #now: () => Date

  constructor(deps: { tables: MemoryTables; outbox: MemoryOutbox; now: () => Date }) {
    this.#tables = deps.tables
    this.#outbox = deps.outbox
    this.#reader = new MemoryReader(deps.tables)
    this.#now = deps.now
  }

  async load(needs: readonly Needs[]): Promise<Loaded[]> {
    const now = this.#now().toISOString()
    return needs.map((need) => resolveNeeds(need, this.#reader, now))
  }

  async commit(unsound: Batch): Promise<'written' | 'conflict'> {
    const batch = soundBatch(unsound)
    try {
      this.#tables.transact(() => this.#writeAll(batch))
      return 'written'
    } catch (cause) {
      if (cause instanceof Conflict) return 'conflict'
      throw cause
    }
  }

  #writeAll(batch: Batch): void {
    const times = { now: this.#now().toISOString(), createdAt: batch.now }
    for (const row of batch.conversations) this.#writeConversation(row)
    // Freed before they are taken: the next conversation of an address may open in the batch that ends the last.
    for (const row of batch.conversations) this.#freeAddress(row)
    for (const row of batch.conversations) this.#takeAddress(row)
    for (const row of batch.events) this.#writeEvent(row)
    for (const row of batch.once) this.#writeOnce(row, times.now)
    for (const { tenant, write } of batch.writes) this.#write(tenant, write, times)
  }
  #writeConversation({ conversation, expected }: ConversationRow): void {
    const key = keyOf(conversation.tenant, conversation.id)
    const position = this.#tables.conversations.get(key)?.position ?? null
    if (position !== expected) throw new Conflict('A position has moved')
    this.#tables.set(this.#tables.conversations, key, conversation)
  }
  #freeAddress({ conversation }: ConversationRow): void {
    const { tenant, id, status, opening } = conversation
    const key = addressKey(tenant, opening.address)
    if (status === 'ended' && this.#tables.liveAddresses.get(key) === id)
      this.#tables.delete(this.#tables.liveAddresses, key)
  }
  #takeAddress({ conversation, expected }: ConversationRow): void {
    const { tenant, id, status, opening } = conversation
    if (expected !== null || status === 'ended' || !opening.carried) return
    const key = addressKey(tenant, opening.address)
    if (this.#tables.liveAddresses.has(key)) throw new Conflict('The address has a live conversation')
    this.#tables.set(this.#tables.liveAddresses, key, id)
  }
  #writeEvent({ tenant, conversationId, position, publicPosition, body }: EventRow): void {
    const { events, positions } = this.#tables
    const key = keyOf(tenant, conversationId, position)
    const publicKey = publicPosition === null ? null : keyOf(tenant, conversationId, publicPosition)
    if (events.has(key) || (publicKey && positions.has(publicKey))) throw new EntryError('The position is taken')
    this.#tables.set(events, key, body)
    if (publicKey) this.#tables.set(positions, publicKey, position)
  }
  #writeOnce(row: OnceRow, now: string): void {
    if (this.#reader.once(row.tenant, row, now)) throw new Conflict('The idempotency key is there already')
    this.#tables.set(this.#tables.once, keyOf(row.tenant, row.scope, row.key), row)
  }

  #write(tenant: Tenant, write: Write, times: { now: string; createdAt: string }): void {
    if (isDeliveryWrite(write)) {
      if (write.kind === 'deliver') this.#outbox.enqueue(tenant, write, times)
      else this.#outbox.settle(tenant, write, times.now)
    } else if (isReceiptWrite(write)) this.#writeReceipt(tenant, write)
    else this.#writeNotified(tenant, write, times.now)
  }

  #writeReceipt(tenant: Tenant, write: ReceiptWrite): void {
    const { parts, parked, receipts } = this.#tables
    switch (write.kind) {
      case 'parts':
        this.#addParts(tenant, write)
        break
      case 'partDelivered': {
        const key = providerKey(tenant, write.key)
        const part = parts.get(key)
        if (part) this.#tables.set(parts, key, { ...part, delivered: true })
        break
      }
      case 'park':
        this.#park(tenant, write)
        break
      case 'unpark':
        this.#tables.delete(parked, providerKey(tenant, write.key))
        break
      case 'receipt': {
        const { conversationId, messageId, recipient, state } = write
        this.#tables.set(receipts, keyOf(tenant, conversationId, messageId, recipient), state)
      }
    }
  }
  #addParts(tenant: Tenant, { deliveryId, keys }: Parts): void {
    const tables = this.#tables
    const owner = keyOf(tenant, deliveryId)
    if (!tables.deliveries.has(owner)) throw new EntryError('There is no such delivery')
    for (const key of keys) {
      const name = providerKey(tenant, key)
      if (tables.parts.get(name)?.deliveryId === deliveryId) continue
      tables.set(tables.parts, name, { deliveryId, delivered: false })
      tables.set(tables.partsOf, owner, [...(tables.partsOf.get(owner) ?? []), key])
    }
  }
  #park(tenant: Tenant, { key, receipt, expiresAt }: Park): void {
    const tables = this.#tables
    const name = providerKey(tenant, key)
    const parked = tables.parked.get(name)?.receipts ?? []
    const fresh = { receipt: { ...receipt, providerId: key.providerId }, expiresAt }
    const isKnown = parked.some((one) => one.receipt.state === receipt.state)
    const receipts = isKnown
      ? parked.map((one) => (one.receipt.state === receipt.state ? fresh : one))
      : [...parked, fresh]
    tables.set(tables.parked, name, { tenant, receipts })
  }

  #writeNotified(tenant: Tenant, write: NotifiedWrite, now: string): void {
    const { notifications, suppressed, quotas } = this.#tables
    switch (write.kind) {
      case 'notification': {
        const { notification } = write
        this.#tables.set(notifications, keyOf(tenant, notification.id), { notification, changedAt: now })
        break
      }
      case 'suppress':
        this.#tables.set(suppressed, addressKey(tenant, write.address), { tenant, address: write.address })
        break
      case 'unsuppress':
        this.#tables.delete(suppressed, addressKey(tenant, write.address))
        break
      case 'countQuota': {
        const key = keyOf(tenant, write.keyId, write.day)
        const used = (quotas.get(key)?.used ?? 0) + 1
        this.#tables.set(quotas, key, { tenant, day: write.day, used })
      }
    }
  }
}
