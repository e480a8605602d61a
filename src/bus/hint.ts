// One thing to be told to whoever follows a topic, and how much of that may wait for Redis to say who that is.
import type { Section } from './envelope'

/** What may wait; more is dropped. */
const MAX_WAITING = 20_000
const MAX_WAITING_BYTES = 16 * 1024 * 1024

/** Made into JSON when the first other node is to hear it, and then once. */
export interface Hint {
  readonly section: Section
  readonly source: unknown
  json: string | null
}
export const textOf = (hint: Hint): string => (hint.json ??= JSON.stringify(hint.source))

export class WaitingHints {
  #hints = 0
  #bytes = 0

  /** False: there is no room for it. */
  hold(hints: Hint[], hint: Hint): boolean {
    const bytes = textOf(hint).length
    if (this.#hints >= MAX_WAITING || this.#bytes + bytes > MAX_WAITING_BYTES) return false
    this.#hints += 1
    this.#bytes += bytes
    hints.push(hint)
    return true
  }
  /** They wait no longer. */
  release(hints: readonly Hint[]): void {
    this.#hints -= hints.length
    for (const hint of hints) this.#bytes -= textOf(hint).length
  }
}
