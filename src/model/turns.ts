// Lets few at a time in, a bounded number wait, and in the order in which they came.

export class Turns {
  readonly #atOnce: number
  readonly #maxWaiting: number
  readonly #waiting = new Set<() => void>()
  #underWay = 0

  /** @param bounds `waiting`: nobody is turned away here; who asks looks at `full` first */
  constructor(bounds: { readonly atOnce: number; readonly waiting: number }) {
    this.#atOnce = bounds.atOnce
    this.#maxWaiting = bounds.waiting
  }

  /** Nobody more may wait. */
  get full(): boolean {
    return this.#underWay >= this.#atOnce && this.#waiting.size >= this.#maxWaiting
  }

  /**
   * Resolves when it is the caller's turn; whoever got one calls `done` once.
   * @throws the signal's reason, when it is aborted first
   */
  async next(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.#underWay < this.#atOnce) {
      this.#underWay++
      return
    }
    await new Promise<void>((resolve, reject) => {
      const begin = () => {
        signal?.removeEventListener('abort', leave)
        resolve()
      }
      const leave = () => {
        this.#waiting.delete(begin)
        reject(signal?.reason instanceof Error ? signal.reason : new Error('Given up'))
      }
      this.#waiting.add(begin)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  done(): void {
    const [next] = this.#waiting
    if (!next) {
      this.#underWay--
      return
    }
    this.#waiting.delete(next) // its turn is the one that ends here
    next()
  }

  /** Does this when it is its turn. */
  async take<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.next(signal)
    try {
      return await work()
    } finally {
      this.done()
    }
  }
}
