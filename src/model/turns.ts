// Lets few at a time in; a bounded number wait, for a bounded time, in the order in which they came.

/** It waited for its turn as long as it may. */
export class Overdue extends Error {
  constructor() {
    super('Its turn did not come in time')
  }
}

export class Turns {
  readonly #atOnce: number
  readonly #maxWaiting: number
  readonly #waitMs: number
  readonly #waiting = new Set<() => void>()
  #underWay = 0

  /**
   * @param bounds `waiting`: nobody is turned away here; who asks looks at `full` first. `waitMs`: how long one waits,
   *   in milliseconds; for ever when it is not said
   */
  constructor(bounds: { readonly atOnce: number; readonly waiting: number; readonly waitMs?: number }) {
    this.#atOnce = bounds.atOnce
    this.#maxWaiting = bounds.waiting
    this.#waitMs = bounds.waitMs ?? Infinity
  }

  /** Nobody more may wait. */
  get full(): boolean {
    return this.#underWay >= this.#atOnce && this.#waiting.size >= this.#maxWaiting
  }

  /**
   * Resolves when it is the caller's turn; whoever got one calls `done` once.
   * @throws the signal's reason, when it is aborted first; `Overdue`
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
        clearTimeout(late)
        resolve()
      }
      const end = (cause: Error) => {
        signal?.removeEventListener('abort', leave)
        clearTimeout(late)
        this.#waiting.delete(begin)
        reject(cause)
      }
      const leave = () => end(signal?.reason instanceof Error ? signal.reason : new Error('Given up'))
      const late = Number.isFinite(this.#waitMs) ? setTimeout(() => end(new Overdue()), this.#waitMs) : undefined
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
