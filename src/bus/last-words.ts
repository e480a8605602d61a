// What this node published last where it follows no longer: whoever joined meanwhile is still to be told how far the log came.

/** At least so long each is remembered, in milliseconds: much longer than a message between nodes is on its way. */
const KEPT_MS = 10_000
/** So many are remembered, and at most twice as many. */
const KEPT = 10_000

export class LastWords {
  #recent = new Map<string, number>()
  #older: ReadonlyMap<string, number> = new Map()
  #since = performance.now()

  note(name: string, position: number): void {
    if (performance.now() - this.#since > KEPT_MS || this.#recent.size >= KEPT) {
      this.#older = this.#recent
      this.#recent = new Map()
      this.#since = performance.now()
    }
    this.#recent.set(name, position)
  }
  /** A position; 0 when nothing is remembered. */
  of(name: string): number {
    return this.#recent.get(name) ?? this.#older.get(name) ?? 0
  }
}
