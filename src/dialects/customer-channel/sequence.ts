// Lets work under a key take its time without being overtaken by what came after it.
export class Sequence {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Resolves when all work that was begun under this key is done; null: there is none, and nothing to wait for. */
  pending(key: string): Promise<unknown> | null {
    return this.#last.get(key) ?? null
  }
  /** Begins when what was begun before it is done, however that ended. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve()
    const working = before.then(work)
    const ended = working.then(ignore, ignore)
    this.#last.set(key, ended)
    try {
      return await working
    } finally {
      if (this.#last.get(key) === ended) this.#last.delete(key)
    }
  }
}
const ignore = (): void => undefined
