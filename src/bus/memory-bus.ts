// A bus for one node: publishing is a function call.
import type { ConversationEvent, Ephemeral } from '../model/events'
import type { Bus, BusListener } from './bus'

export class MemoryBus implements Bus {
  readonly #listeners = new Set<BusListener>()
  readonly #onFault: (cause: unknown) => void

  constructor(deps: { onFault?: (cause: unknown) => void } = {}) {
    this.#onFault = deps.onFault ?? (() => undefined)
  }

  publish(events: readonly ConversationEvent[]): void {
    this.#tell((listener) => listener.hear(events))
  }
  publishEphemeral(ephemeral: Ephemeral): void {
    this.#tell((listener) => listener.hearEphemeral(ephemeral))
  }
  wake(channel: string, account: string): void {
    this.#tell((listener) => listener.wake(channel, account))
  }
  async join(): Promise<void> {
    // One node hears itself without asking.
  }
  leave(): void {
    // Nothing was asked for.
  }
  subscribe(listener: BusListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
  async close(): Promise<void> {
    this.#listeners.clear()
  }

  /** Whoever publishes is not concerned with what a listener makes of it, nor are the other listeners. */
  #tell(hint: (listener: BusListener) => void): void {
    for (const listener of this.#listeners)
      try {
        hint(listener)
      } catch (cause) {
        this.#onFault(cause)
      }
  }
}
