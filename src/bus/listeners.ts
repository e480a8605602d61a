// Whoever listens on this node: told at once, each by itself.
import type { BusListener } from './bus'

export class Listeners {
  readonly #listeners = new Set<Partial<BusListener>>()
  readonly #onFault: (cause: unknown) => void

  constructor(onFault: (cause: unknown) => void) {
    this.#onFault = onFault
  }

  add(listener: Partial<BusListener>): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
  clear(): void {
    this.#listeners.clear()
  }
  /** Whoever publishes is not concerned with what a listener makes of it, nor are the other listeners. */
  tell(hint: (listener: Partial<BusListener>) => void): void {
    for (const listener of this.#listeners)
      try {
        hint(listener)
      } catch (cause) {
        this.#onFault(cause)
      }
  }
}
