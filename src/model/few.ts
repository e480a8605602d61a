// Collections of which most hold one item or none, and of which there are as many as conversations or connections: a set or a map costs more than what it holds.

/** A set. Whoever is deleted while it is gone through is not met any more. */
export class Few<T extends object> {
  #one: T | null = null
  #others: Set<T> | null = null

  get size(): number {
    return (this.#one ? 1 : 0) + (this.#others?.size ?? 0)
  }
  add(item: T): void {
    if (this.#one === item || this.#others?.has(item)) return
    if (this.#one) (this.#others ??= new Set()).add(item)
    else this.#one = item
  }
  delete(item: T): void {
    if (this.#one === item) this.#one = null
    else this.#others?.delete(item)
  }
  forEach(meet: (item: T) => void): void {
    if (this.#one) meet(this.#one)
    if (this.#others) for (const item of this.#others) meet(item)
  }
}

/** A map. */
export class FewByKey<K, V extends object> {
  #key: K | null = null
  #one: V | null = null
  #others: Map<K, V> | null = null

  get size(): number {
    return (this.#one ? 1 : 0) + (this.#others?.size ?? 0)
  }
  get(key: K): V | undefined {
    if (this.#one && this.#key === key) return this.#one
    return this.#others?.get(key)
  }
  set(key: K, value: V): void {
    if (this.#others?.has(key) || (this.#one && this.#key !== key)) (this.#others ??= new Map()).set(key, value)
    else {
      this.#key = key
      this.#one = value
    }
  }
  delete(key: K): void {
    if (this.#one && this.#key === key) {
      this.#key = null
      this.#one = null
    } else this.#others?.delete(key)
  }
  keys(): K[] {
    const first = this.#one && this.#key !== null ? [this.#key] : []
    return [...first, ...(this.#others?.keys() ?? [])]
  }
}
