// Keeps what is said under a key in the order in which it came, although some of it needs a while before it can be said.
export class Sequence {
  readonly #last = new Map<string, Promise<unknown>>()

  /**
   * Calls `say` at once, unless something before it is being prepared still; so does all that comes meanwhile. How long
   * the saying itself takes holds nobody up.
   * @param prepare what has to be done before it can be said; null: nothing
   */
  async say<P, T>(
    key: string,
    prepare: (() => Promise<P>) | null,
    say: (prepared: P | null) => Promise<T>,
  ): Promise<T> {
    const before = this.#last.get(key)
    if (!before && !prepare) return say(null)
    const begun = (before ?? Promise.resolve()).then(async () => {
      const prepared = prepare ? await prepare() : null
      // In an object, so that nobody waits for it here.
      return { saying: say(prepared) }
    })
    const over = begun.then(ignore, ignore)
    this.#last.set(key, over)
    void over.then(() => {
      if (this.#last.get(key) === over) this.#last.delete(key)
    })
    return (await begun).saying
  }
}
const ignore = (): void => undefined
