// Work that has begun and not ended, for whoever must not close before it has.

export class Underway {
  readonly #works = new Set<Promise<unknown>>()

  /** Resolves and rejects as the work does. */
  async add<T>(work: Promise<T>): Promise<T> {
    this.#works.add(work)
    try {
      return await work
    } finally {
      this.#works.delete(work)
    }
  }
  /** Resolves when all that has begun by now has ended, however it did. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#works)
  }
}
