// Deletes what has outlived its time, now and then, in steps that let the writing through.
import type { Tenant } from '../model/ids'
import type { NotificationStore } from '../store/notification-store'

const INTERVAL_MS = 10 * 60_000

interface Deps {
  readonly notifications: Pick<NotificationStore, 'sweep'>
  readonly tenant: Tenant
  readonly onFault: (cause: unknown) => void
}

export class Sweep {
  readonly #deps: Deps
  readonly #timer: NodeJS.Timeout
  #round: Promise<void> | null = null
  #closed = false

  constructor(deps: Deps) {
    this.#deps = deps
    this.#timer = setInterval(() => this.#begin(), INTERVAL_MS)
  }

  /** Waits for the step under way, not for all that is left. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#round
  }

  /** A round that takes longer than the interval goes on alone. */
  #begin(): void {
    this.#round ??= this.#sweep()
      .catch(this.#deps.onFault)
      .finally(() => {
        this.#round = null
      })
  }
  async #sweep(): Promise<void> {
    const { notifications, tenant } = this.#deps
    while (!this.#closed && (await notifications.sweep(tenant)) > 0);
  }
}
