// Whether a commit waits for company: a sync that several share costs each a part of it.

/** A commit waits for no more than so many, … */
const MOST = 16
/** … no longer than this, … */
const PATIENCE_MS = 1
/** … and only so soon after the last one. */
const RECENTLY_MS = 5

/** Those whom the last commit answered are about to speak again; who speaks alone, or after a pause, waits for nobody. */
export class Company {
  #last = { size: 0, at: 0 }
  #complete: (() => void) | null = null

  /** So many shared a commit that has just ended. */
  shared(size: number): void {
    this.#last = { size, at: performance.now() }
  }
  /** Resolves when as many wait as the next commit is worth waiting for, or 1 ms later. @param waiting how many do now */
  async gather(waiting: number): Promise<void> {
    if (waiting >= this.#expected()) return
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, PATIENCE_MS)
      this.#complete = () => {
        clearTimeout(late)
        resolve()
      }
    })
    this.#complete = null
  }
  /** One more came. */
  joined(waiting: number): void {
    if (this.#complete && waiting >= this.#expected()) this.#complete()
  }

  #expected(): number {
    const { size, at } = this.#last
    return performance.now() - at < RECENTLY_MS ? Math.min(size, MOST) : 1
  }
}
