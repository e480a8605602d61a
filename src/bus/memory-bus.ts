// A bus for one node: publishing is a function call.
import type { ConversationEvent, Ephemeral } from '../model/events'
import type { Bus, BusHealth, BusListener, Notice } from './bus'
import { Listeners } from './listeners'

export class MemoryBus implements Bus {
  readonly isLossy: boolean = false
  readonly #listeners: Listeners

  constructor(deps: { onFault?: (cause: unknown) => void } = {}) {
    this.#listeners = new Listeners(deps.onFault ?? (() => undefined))
  }

  publish(events: readonly ConversationEvent[]): void {
    this.#listeners.tell((listener) => listener.hear?.(events))
  }
  publishEphemeral(ephemeral: Ephemeral): void {
    this.#listeners.tell((listener) => listener.hearEphemeral?.(ephemeral))
  }
  wake(channel: string, account: string): void {
    this.#listeners.tell((listener) => listener.wake?.(channel, account))
  }
  announce(notice: Notice): void {
    this.#listeners.tell((listener) => listener.heard?.(notice))
  }
  async join(): Promise<void> {
    // One node hears itself without asking.
  }
  leave(): void {
    // Nothing was asked for.
  }
  subscribe(listener: Partial<BusListener>): () => void {
    return this.#listeners.add(listener)
  }
  health(): BusHealth {
    return { status: 'ok' }
  }
  async close(): Promise<void> {
    this.#listeners.clear()
  }
}
