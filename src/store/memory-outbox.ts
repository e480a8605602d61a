// Deliveries in memory: in order per recipient, leased with a fence.
import type { DeliveryId, Tenant } from '../model/ids'
import { sliceOf } from '../model/slice'
import { Conflict } from './conflict'
import type { Claim, Supply } from './delivery-store'
import { EntryError } from './engine'
import { addressKey, keyOf, providerKey, type MemoryTables, type StoredDelivery } from './memory-tables'
import type { Delivery } from './records'
import type { Write } from './writes'

type Deliver = Extract<Write, { kind: 'deliver' }>
type Settle = Extract<Write, { kind: 'settle' }>

export class MemoryOutbox {
  #lastSeq = 0

  constructor(private readonly tables: MemoryTables) {}

  /** Within the transaction of a commit. */
  enqueue(tenant: Tenant, { delivery: wanted }: Deliver, times: { now: string; createdAt: string }): void {
    const { tables } = this
    if (this.#find(tenant, wanted.id)) throw new EntryError('There is a delivery with this id')
    const messageId = wanted.messageId === 'first' ? null : wanted.messageId
    const lane = this.#lane(tenant, wanted)
    const state = lane.length > 0 ? 'waiting' : 'due'
    const fresh = { tenant, messageId, state, attempts: 0, lease: '', createdAt: times.createdAt, reason: '' } as const
    this.#put({ delivery: { ...wanted, ...fresh }, seq: ++this.#lastSeq, dueAt: times.now })
    tables.set(tables.lanes, addressKey(tenant, wanted.to), [...lane, wanted.id])
    if (!messageId) return
    const key = keyOf(tenant, messageId, wanted.to.channel, wanted.to.account)
    if (!tables.carried.has(key)) tables.set(tables.carried, key, wanted.id)
  }
  /** Within the transaction of a commit. */
  settle(tenant: Tenant, { deliveryId, lease, outcome }: Settle, now: string): void {
    const stored = this.#find(tenant, deliveryId)
    if (stored?.delivery.state !== 'leased' || stored.delivery.lease !== lease) throw new Conflict('The lease is stale')
    if (outcome.state === 'due') this.#change(stored, { state: 'due', lease: '', reason: outcome.reason }, outcome.at)
    else this.#finish(stored, outcome.state, { reason: outcome.state === 'dead' ? outcome.reason : '', now })
  }

  /** Deletes a delivery, whatever became of it, and lets go who waited behind it. Answers how many rows that were. */
  remove(stored: StoredDelivery, now: string): number {
    const { deliveries, carried, lanes, parts, partsOf } = this.tables
    const { tenant, id, messageId, to, state } = stored.delivery
    if (state === 'due' || state === 'leased') this.#finish(stored, 'done', { reason: '', now })
    const rest = this.#lane(tenant, stored.delivery).filter((other) => other !== id)
    if (rest.length > 0) lanes.set(addressKey(tenant, to), rest)
    else lanes.delete(addressKey(tenant, to))
    const key = keyOf(tenant, id)
    const mine = (partsOf.get(key) ?? []).map((part) => providerKey(tenant, part))
    const known = mine.filter((part) => parts.get(part)?.deliveryId === id)
    for (const part of known) parts.delete(part)
    partsOf.delete(key)
    const carriedAs = messageId && keyOf(tenant, messageId, to.channel, to.account)
    if (carriedAs && carried.get(carriedAs) === id) carried.delete(carriedAs)
    deliveries.delete(key)
    return known.length + 1
  }

  claim(tenant: Tenant, claim: Claim, now: string): Delivery[] {
    const until = new Date(Date.parse(now) + claim.leaseMs).toISOString()
    const leased: Delivery[] = []
    while (leased.length < claim.limit) {
      const stored = this.#oldestDue(tenant, claim, now)
      if (!stored) break
      const attempts = stored.delivery.attempts + 1
      leased.push(this.#change(stored, { state: 'leased', lease: claim.lease, attempts }, until))
    }
    return leased
  }
  release(tenant: Tenant, lease: string, now: string): number {
    const held = this.#started((delivery) => delivery.tenant === tenant && delivery.lease === lease)
    const leased = held.filter(({ delivery }) => delivery.state === 'leased')
    for (const stored of leased) this.#change(stored, { state: 'due', lease: '' }, now)
    return leased.length
  }
  replay(tenant: Tenant, id: DeliveryId, now: string): boolean {
    const stored = this.#find(tenant, id)
    if (stored?.delivery.state !== 'dead') return false
    const lane = this.#lane(tenant, stored.delivery)
    const state = lane.length > 0 ? 'waiting' : 'due'
    this.#change(stored, { state, attempts: 0, lease: '', reason: '', expiresAt: null }, now)
    const behind = lane.findIndex((other) => (this.#find(tenant, other)?.seq ?? 0) > stored.seq)
    const at = behind < 0 ? lane.length : behind
    const { tables } = this
    tables.set(tables.lanes, addressKey(tenant, stored.delivery.to), lane.toSpliced(at, 0, id))
    this.#reopen(tenant, stored.delivery)
    return true
  }
  /** `failed` is final, unless somebody wants it tried again. */
  #reopen(tenant: Tenant, { conversationId, messageId, recipient, notificationId }: Delivery): void {
    const { tables } = this
    const { receipts, notifications } = tables
    if (conversationId && messageId && recipient) {
      const receipt = keyOf(tenant, conversationId, messageId, recipient)
      if (receipts.get(receipt) === 'failed') tables.delete(receipts, receipt)
    }
    const key = keyOf(tenant, notificationId ?? '')
    const known = notifications.get(key)
    if (known?.notification.state !== 'failed') return
    const notification = { ...known.notification, state: 'waiting' as const, reason: '' }
    tables.set(notifications, key, { ...known, notification })
  }
  nextDueIn(tenant: Tenant, at: Supply, now: string): number | null {
    const started = this.#startedAt(tenant, at)
    const times = started.map((stored) => takenAt(stored, at))
    return times.length > 0 ? Math.max(0, Math.min(...times) - Date.parse(now)) : null
  }

  /** Leases that ran out come first: they are the oldest. */
  #oldestDue(tenant: Tenant, at: Supply, now: string): StoredDelivery | undefined {
    const rank = ({ delivery }: StoredDelivery) => (delivery.state === 'leased' ? 0 : 1)
    const due = this.#startedAt(tenant, at).filter((stored) => takenAt(stored, at) <= Date.parse(now))
    return due.sort((a, b) => rank(a) - rank(b) || compare(a.dueAt, b.dueAt) || a.seq - b.seq)[0]
  }
  #startedAt(tenant: Tenant, { channel, account }: Pick<Claim, 'channel' | 'account'>): StoredDelivery[] {
    return this.#started(
      ({ tenant: owner, to }) =>
        owner === tenant && to.channel === channel && (account === '' || to.account === account),
    )
  }
  #started(test: (delivery: Delivery) => boolean): StoredDelivery[] {
    const found: StoredDelivery[] = []
    for (const stored of this.tables.deliveries.values()) {
      const { state } = stored.delivery
      if ((state === 'due' || state === 'leased') && test(stored.delivery)) found.push(stored)
    }
    return found
  }

  #find(tenant: Tenant, id: DeliveryId): StoredDelivery | undefined {
    return this.tables.deliveries.get(keyOf(tenant, id))
  }
  #lane(tenant: Tenant, { to }: Pick<Delivery, 'to'>): readonly DeliveryId[] {
    return this.tables.lanes.get(addressKey(tenant, to)) ?? []
  }
  #put(stored: StoredDelivery): void {
    const { tenant, id } = stored.delivery
    this.tables.set(this.tables.deliveries, keyOf(tenant, id), stored)
  }
  #change({ delivery, seq }: StoredDelivery, change: Partial<Delivery>, dueAt: string): Delivery {
    const changed = { ...delivery, ...change }
    this.#put({ delivery: changed, seq, dueAt })
    return changed
  }
  #finish(stored: StoredDelivery, state: 'done' | 'dead', { reason, now }: { reason: string; now: string }): void {
    const { tables } = this
    const { tenant, to, id } = stored.delivery
    this.#change(stored, { state, lease: '', reason }, now)
    const rest = this.#lane(tenant, stored.delivery).filter((other) => other !== id)
    if (rest.length > 0) tables.set(tables.lanes, addressKey(tenant, to), rest)
    else tables.delete(tables.lanes, addressKey(tenant, to))
    const waiting = rest.map((other) => this.#find(tenant, other)).find((one) => one?.delivery.state === 'waiting')
    if (waiting) this.#change(waiting, { state: 'due' }, now)
  }
}

/** When a carrier may take it: what is in another's share, a while after it fell due. */
function takenAt({ delivery, dueAt }: StoredDelivery, { share }: Supply): number {
  const isOurs = !share || delivery.state === 'leased' || share.slices[sliceOf(delivery.to)] === '1'
  return Date.parse(dueAt) + (isOurs ? 0 : share.patienceMs)
}
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
