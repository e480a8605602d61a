// Reads what calls need on Postgres: look-ups that are missing are noted, and fetched together, until none is missing.
import type { QueryResultRow } from 'pg'
import type { ConversationId, EventPlace, Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import type { Needs } from './conversation-store'
import type { Loaded } from './engine'
import { intArray, textArray } from './pg-array'
import { LOOK_UPS, type Cell, type LookUp } from './pg-look-ups'
import type { PgSession } from './pg-pool'
import type { OnceKey, ProviderKey } from './records'
import { resolveNeeds, type DeliveryName, type Reader, type ReceiptName } from './resolve-needs'

/** The longest way: provider id, delivery, its conversation; the rest is room for ways to come. */
const MAX_ROUNDS = 8
const MAX_POSITION = 2 ** 31 - 1

interface Placed {
  /** Which of those that were asked for, from 1. */
  readonly n: number
}

/** One kind of look-up: what is known, and what was asked for and is not. */
class Shelf<R extends QueryResultRow, V> {
  readonly #known = new Map<string, V>()
  #missing = new Map<string, readonly Cell[]>()

  constructor(private readonly lookUp: LookUp<R, V>) {}

  get isMissing(): boolean {
    return this.#missing.size > 0
  }
  find(...cells: readonly Cell[]): V {
    const key = JSON.stringify(cells)
    const known = this.#known.get(key)
    if (known !== undefined) return known
    this.#missing.set(key, cells)
    return this.lookUp.read([])
  }
  async fetch(session: PgSession, now: string | null): Promise<void> {
    const { statement, timed, read } = this.lookUp
    const asked = [...this.#missing]
    this.#missing = new Map()
    const parameters = columnsOf(asked.map(([, cells]) => cells))
    const rows = await session.ask<R & Placed>(statement, timed ? [...parameters, now] : parameters)
    const found = asked.map((): R[] => [])
    for (const row of rows) found[row.n - 1]?.push(row)
    for (const [i, [key]] of asked.entries()) this.#known.set(key, read(found[i] ?? []))
  }
}

const columnsOf = (rows: readonly (readonly Cell[])[]): Buffer[] =>
  (rows[0] ?? []).map((first, i) => {
    if (typeof first !== 'number') return textArray(rows.map((row) => String(row[i])))
    // Ids of clients may name positions that no log reaches.
    return intArray(rows.map((row) => Math.min(Number(row[i]), MAX_POSITION)))
  })

class PgReading implements Reader {
  // In the order in which they are read: a receipt rises with an event, so it must not be older than its conversation.
  readonly #conversation = new Shelf(LOOK_UPS.conversation)
  readonly #liveAt = new Shelf(LOOK_UPS.liveAt)
  readonly #event = new Shelf(LOOK_UPS.event)
  readonly #publicEvent = new Shelf(LOOK_UPS.publicEvent)
  readonly #once = new Shelf(LOOK_UPS.once)
  readonly #delivery = new Shelf(LOOK_UPS.delivery)
  readonly #deliveryByProvider = new Shelf(LOOK_UPS.deliveryByProvider)
  readonly #deliveryByMessage = new Shelf(LOOK_UPS.deliveryByMessage)
  readonly #parts = new Shelf(LOOK_UPS.parts)
  readonly #receipt = new Shelf(LOOK_UPS.receipt)
  readonly #parked = new Shelf(LOOK_UPS.parked)
  readonly #notification = new Shelf(LOOK_UPS.notification)
  readonly #suppressed = new Shelf(LOOK_UPS.suppressed)
  readonly #quota = new Shelf(LOOK_UPS.quota)
  readonly #all: readonly Pick<Shelf<QueryResultRow, unknown>, 'isMissing' | 'fetch'>[] = [
    this.#conversation,
    this.#liveAt,
    this.#event,
    this.#publicEvent,
    this.#once,
    this.#delivery,
    this.#deliveryByProvider,
    this.#deliveryByMessage,
    this.#parts,
    this.#receipt,
    this.#parked,
    this.#notification,
    this.#suppressed,
    this.#quota,
  ]

  get isMissing(): boolean {
    return this.#all.some(({ isMissing }) => isMissing)
  }
  /** All at once: the statements of a round do not wait for each other's answers. */
  async fetch(session: PgSession, now: string | null): Promise<void> {
    const missing = this.#all.filter(({ isMissing }) => isMissing)
    await Promise.all(missing.map((shelf) => shelf.fetch(session, now)))
  }

  conversation(tenant: Tenant, id: ConversationId) {
    return this.#conversation.find(tenant, id)
  }
  liveAt(tenant: Tenant, { channel, account, refId }: Address) {
    return this.#liveAt.find(tenant, channel, account, refId)
  }
  event(tenant: Tenant, place: EventPlace) {
    return 'position' in place
      ? this.#event.find(tenant, place.conversationId, place.position)
      : this.#publicEvent.find(tenant, place.conversationId, place.publicPosition)
  }
  once(tenant: Tenant, { scope, key }: OnceKey) {
    return this.#once.find(tenant, scope, key)
  }
  delivery(tenant: Tenant, name: DeliveryName) {
    const delivery = this.#deliveryNamed(tenant, name)
    return delivery ? { delivery, parts: this.#parts.find(tenant, delivery.id) } : null
  }
  #deliveryNamed(tenant: Tenant, name: DeliveryName) {
    if ('id' in name) return this.#delivery.find(tenant, name.id)
    if ('message' in name) {
      const { channel, account } = name.carriedTo
      return this.#deliveryByMessage.find(tenant, name.message, channel, account)
    }
    const { channel, account, providerId } = name.provider
    return this.#deliveryByProvider.find(tenant, channel, account, providerId)
  }
  receipt(tenant: Tenant, { conversationId, messageId, recipient }: ReceiptName) {
    return this.#receipt.find(tenant, conversationId, messageId, recipient)
  }
  parked(tenant: Tenant, { channel, account, providerId }: ProviderKey) {
    return this.#parked.find(tenant, channel, account, providerId)
  }
  notification(tenant: Tenant, id: string) {
    return this.#notification.find(tenant, id)
  }
  isSuppressed(tenant: Tenant, { channel, account, refId }: Address) {
    return this.#suppressed.find(tenant, channel, account, refId)
  }
  quotaUsed(tenant: Tenant, { keyId, day }: NonNullable<Needs['quota']>) {
    return this.#quota.find(tenant, keyId, day)
  }
}

/** @param now replaces the database's clock; null: it counts */
export async function readNeeds(needs: readonly Needs[], session: PgSession, now: string | null): Promise<Loaded[]> {
  const reading = new PgReading()
  for (let round = 0; round < MAX_ROUNDS; round++) {
    // What has outlived its time is left out by the statements.
    const loaded = needs.map((need) => resolveNeeds(need, reading, ''))
    if (!reading.isMissing) return loaded
    await reading.fetch(session, now)
  }
  throw new Error('What a call needs leads further than anybody has foreseen')
}
