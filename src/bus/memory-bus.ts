// A bus for one node: publishing is a function call.
import type { ConversationEvent, Ephemeral } from '../model/events'
import type { Bus, BusListener } from './bus'

export class MemoryBus implements Bus {
  readonly #listeners = new Set<BusListener>()

  publish(events: readonly ConversationEvent[]): void {
    for (const listener of this.#listeners) listener.hear(events)
  }
  publishEphemeral(ephemeral: Ephemeral): void {
    for (const listener of this.#listeners) listener.hearEphemeral(ephemeral)
  }
  wake(channel: string, account: string): void {
    for (const listener of this.#listeners) listener.wake(channel, account)
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
}
