// A map that keeps only what was used most recently.

/**
 * Holds at most `limit` entries, and surely the half of them that were used last. In two generations: a use costs a look
 * into the younger one and moves nothing; when that holds its half, the older one is forgotten as a whole.
 */
export class RecentMap<K, V> {
  readonly #half: number
  #young = new Map<K, V>()
  #old = new Map<K, V>()

  constructor(limit: number) {
    this.#half = Math.ceil(limit / 2)
  }

  has(key: K): boolean {
    return this.#young.has(key) || this.#old.has(key)
  }
  get(key: K): V | undefined {
    const young = this.#young.get(key)
    if (young !== undefined || this.#old.size === 0) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }
  set(key: K, value: V): void {
    this.#young.set(key, value)
    if (this.#young.size < this.#half) return
    this.#old = this.#young
    this.#young = new Map()
  }
  delete(key: K): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }
}
