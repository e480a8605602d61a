// Notifications and the suppression list in memory, and the broom for what has outlived its time.
import type { Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import { keyOf, type MemoryTables } from './memory-tables'
import type { NotificationStore } from './notification-store'
import type { Notification } from './records'
import { lastKeptDay, wholeGroups } from './sweeping'

export class MemoryNotificationStore implements NotificationStore {
  readonly #tables: MemoryTables
  readonly #now: () => Date

  constructor(deps: { tables: MemoryTables; now: () => Date }) {
    this.#tables = deps.tables
    this.#now = deps.now
  }

  async find(tenant: Tenant, id: string): Promise<Notification | null> {
    return this.#tables.notifications.get(keyOf(tenant, id)) ?? null
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
    const { once, quotas } = this.#tables
    const isOld = (expiresAt: string | null) => expiresAt !== null && expiresAt <= at
    const keys = removeWhere(once, (row) => row.tenant === tenant && isOld(row.expiresAt))
    const days = removeWhere(quotas, (row) => row.tenant === tenant && row.day < lastKeptDay(now))
    return keys + days + this.#sweepParked(tenant, isOld)
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
