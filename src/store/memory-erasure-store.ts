// Erasing in memory.
import { erasedEvent } from '../model/erased'
import { hashedAddress } from '../model/hashed-address'
import type { Place, Tenant } from '../model/ids'
import type { Who } from './custody-store'
import type { ErasedAddress, ErasedPage, ErasureStore, Hanging, Scrubbed } from './erasure-store'
import { isAt } from './memory-custody-store'
import type { MemoryOutbox } from './memory-outbox'
import { addressKey, keyOf, type MemoryTables } from './memory-tables'
import type { Delivery } from './records'
import { readEvent } from '../model/stored-event'

export class MemoryErasureStore implements ErasureStore {
  readonly #tables: MemoryTables
  readonly #outbox: MemoryOutbox
  readonly #now: () => Date

  constructor(deps: { tables: MemoryTables; outbox: MemoryOutbox; now: () => Date }) {
    this.#tables = deps.tables
    this.#outbox = deps.outbox
    this.#now = deps.now
  }

  async eraseEvents({ tenant, conversationId }: Place, after: number, limit: number): Promise<ErasedPage> {
    const { events: bodies } = this.#tables
    let [last, events, deliveries] = [after, 0, 0]
    while (last < after + limit) {
      const key = keyOf(tenant, conversationId, last + 1)
      const body = bodies.get(key)
      if (body === undefined) break
      const event = readEvent(body)
      if (event.type === 'messageSent') deliveries += this.#remove(tenant, (one) => one.messageId === event.id)
      const erased = JSON.stringify(erasedEvent(event))
      bodies.set(key, erased)
      if (erased !== body) events += 1
      last += 1
    }
    return { last, events, deliveries }
  }
  #remove(tenant: Tenant, test: (delivery: Delivery) => boolean): number {
    const found = [...this.#tables.deliveries.values()].filter(
      ({ delivery }) => delivery.tenant === tenant && test(delivery),
    )
    for (const stored of found) this.#outbox.remove(stored, this.#now().toISOString())
    return found.length
  }

  async eraseRest({ tenant, conversationId }: Place, { scope }: Hanging, limit: number): Promise<number> {
    const { once } = this.#tables
    const found = [...once].filter(
      ([, row]) => row.tenant === tenant && row.conversationId === conversationId && row.scope === scope,
    )
    for (const [key] of found.slice(0, limit)) once.delete(key)
    return Math.min(found.length, limit)
  }
  async eraseAddress(tenant: Tenant, who: Who, limit: number): Promise<ErasedAddress> {
    const { notifications } = this.#tables
    const found = [...notifications].filter(
      ([, { notification }]) => notification.tenant === tenant && isAt(notification.to, who),
    )
    let deliveries = 0
    for (const [key, stored] of found.slice(0, limit)) {
      const { notification } = stored
      const to = { ...notification.to, refId: `erased:${notification.id}` }
      const erased =
        notification.state === 'waiting'
          ? { state: 'failed' as const, reason: 'erased' }
          : { state: notification.state, reason: '' }
      const changedAt = notification.state === 'waiting' ? this.#now().toISOString() : stored.changedAt
      notifications.set(key, { notification: { ...notification, to, ...erased }, changedAt })
      deliveries += this.#remove(tenant, (one) => one.notificationId === notification.id)
    }
    return { notifications: Math.min(found.length, limit), deliveries, suppressed: this.#hashSuppressed(tenant, who) }
  }
  #hashSuppressed(tenant: Tenant, { channel, refId }: Who): boolean {
    const { suppressed } = this.#tables
    const listed = [...suppressed].filter(
      ([, one]) => one.tenant === tenant && one.address.channel === channel && one.address.refId === refId,
    )
    for (const [key, { address }] of listed) {
      const hashed = hashedAddress(address)
      suppressed.set(addressKey(tenant, hashed), { tenant, address: hashed })
      suppressed.delete(key)
    }
    return listed.length > 0
  }
  async scrub(): Promise<Scrubbed> {
    return 'overwritten'
  }
}
