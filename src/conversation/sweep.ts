// Deletes what has outlived its time, now and then: idempotency keys, receipts that nobody claimed, old quotas.
import type { Tenant } from '../model/ids'
import type { NotificationStore } from '../store/notification-store'

const INTERVAL_MS = 10 * 60_000

export class Sweep {
  readonly #timer: NodeJS.Timeout
  #running: Promise<unknown> = Promise.resolve()

  constructor(deps: { notifications: NotificationStore; tenant: Tenant; onFault: (cause: unknown) => void }) {
    const { notifications, tenant, onFault } = deps
    this.#timer = setInterval(() => {
      this.#running = notifications.sweep(tenant).catch(onFault)
    }, INTERVAL_MS)
  }
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }
}
