// Typed listeners: what a client or a conversation tells, and who wants to hear it.

type Listener<Args extends readonly unknown[]> = (...args: Args) => void

/** `Events` names each event with the arguments that its listeners hear. */
export class Listeners<Events extends { [K in keyof Events]: readonly unknown[] }> {
  readonly #listeners: { [K in keyof Events]?: Set<Listener<Events[K]>> } = {}

  /** Returns what takes the listener off again. */
  on<K extends keyof Events>(event: K, listener: Listener<Events[K]>): () => void {
    const listeners = (this.#listeners[event] ??= new Set<Listener<Events[K]>>())
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  /** A listener that throws keeps nothing from the others: its error surfaces as uncaught. */
  tell<K extends keyof Events>(event: K, ...args: Events[K]): void {
    for (const listener of [...(this.#listeners[event] ?? [])])
      try {
        listener(...args)
      } catch (cause) {
        queueMicrotask(() => {
          throw cause
        })
      }
  }
}
