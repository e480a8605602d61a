// Notifications and the suppression list in memory, and the broom for what has outlived its time.
import type { Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import type { MemoryOutbox } from './memory-outbox'
import { keyOf, type MemoryTables } from './memory-tables'
import type { NotificationStore } from './notification-store'
import type { Notification } from './records'
import { cutoffsAt, lastKeptDay, wholeGroups, type Cutoffs } from './sweeping'

export class MemoryNotificationStore implements NotificationStore {
  readonly #tables: MemoryTables
  readonly #outbox: MemoryOutbox
  readonly #now: () => Date

  constructor(deps: { tables: MemoryTables; outbox: MemoryOutbox; now: () => Date }) {
    this.#tables = deps.tables
    this.#outbox = deps.outbox
    this.#now = deps.now
  }

  async find(tenant: Tenant, id: string): Promise<Notification | null> {
    return this.#tables.notifications.get(keyOf(tenant, id))?.notification ?? null
  }
  async suppressed(tenant: Tenant, channel: string, after: string, limit: number): Promise<Address[]> {
    const found = [...this.#tables.suppressed.values()]
      .filter(({ tenant: owner, address }) => owner === tenant && address.channel === channel && address.refId > after)
      .map(({ address }) => address)
    const order = ({ refId, account }: Address) => `${refId}\n${account}`
    const sorted = found.sort((a, b) => (order(a) < order(b) ? -1 : 1))
    return wholeGroups(sorted.slice(0, limit + 1), limit)
  }

  async sweep(tenant: Tenant): Promise<number> {
    const now = this.#now()
    const at = now.toISOString()
    const cutoffs = cutoffsAt(now)
    const { once, quotas, notifications } = this.#tables
    const isOld = (expiresAt: string | null) => expiresAt !== null && expiresAt <= at
    const keys = removeWhere(once, (row) => row.tenant === tenant && isOld(row.expiresAt))
    const days = removeWhere(quotas, (row) => row.tenant === tenant && row.day < lastKeptDay(now))
    const told = removeWhere(notifications, ({ notification: { tenant: owner, state }, changedAt }) => {
      return owner === tenant && state !== 'waiting' && changedAt <= cutoffs.notification
    })
    return keys + days + told + this.#sweepParked(tenant, isOld) + this.#sweepDeliveries(tenant, cutoffs)
  }
  #sweepDeliveries(tenant: Tenant, cutoffs: Cutoffs): number {
    const gone = [...this.#tables.deliveries.values()].filter(
      ({ delivery: { tenant: owner, state }, dueAt }) =>
        owner === tenant && (state === 'done' || state === 'dead') && dueAt <= cutoffs[state],
    )
    const at = this.#now().toISOString()
    return gone.reduce((swept, stored) => swept + this.#outbox.remove(stored, at), 0)
  }
  #sweepParked(tenant: Tenant, isOld: (expiresAt: string) => boolean): number {
    const { parked } = this.#tables
    let swept = 0
    for (const [key, { tenant: owner, receipts }] of parked) {
      if (owner !== tenant) continue
      const kept = receipts.filter(({ expiresAt }) => !isOld(expiresAt))
      swept += receipts.length - kept.length
      if (kept.length > 0) parked.set(key, { tenant, receipts: kept })
      else parked.delete(key)
    }
    return swept
  }
}

function removeWhere<V>(table: Map<string, V>, test: (row: V) => boolean): number {
  const gone = [...table].filter(([, row]) => test(row))
  for (const [key] of gone) table.delete(key)
  return gone.length
}
