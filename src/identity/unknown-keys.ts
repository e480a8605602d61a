// Keys that this node does not know: each is looked up once, and so many in a second, so that guessing costs the store little.
import { GatewayError } from '../model/errors'
import type { ApiKey } from '../store/account-store'

/** Keys that open nothing, by hash, and are not looked up again: they cannot come to open something. */
const MAX_REMEMBERED = 4_096
const LOOKS_PER_SECOND = 50

export class UnknownKeys {
  readonly #find: (hash: string) => Promise<ApiKey | null>
  /** In the order in which they were found to open nothing. */
  readonly #refused = new Set<string>()
  readonly #looking = new Map<string, Promise<ApiKey | null>>()
  #second = 0
  #looks = 0

  constructor(find: (hash: string) => Promise<ApiKey | null>) {
    this.#find = find
  }

  /**
   * What stands in the store under this hash; many who ask at once are one who looks.
   * @throws GatewayError `tooManyRequests` when too many different keys were looked up in this second; what the store throws
   */
  async find(hash: string): Promise<ApiKey | null> {
    if (this.#refused.has(hash)) return null
    const looking = this.#looking.get(hash) ?? this.#look(hash)
    this.#looking.set(hash, looking)
    try {
      return await looking
    } finally {
      this.#looking.delete(hash)
    }
  }
  /** A key that is void from now on. */
  refuse(hash: string): void {
    this.#refused.add(hash)
    const [oldest] = this.#refused
    if (this.#refused.size > MAX_REMEMBERED && oldest !== undefined) this.#refused.delete(oldest)
  }

  async #look(hash: string): Promise<ApiKey | null> {
    this.#count()
    const found = await this.#find(hash)
    if (!found) this.refuse(hash)
    return found
  }
  #count(): void {
    const second = Math.floor(performance.now() / 1_000)
    if (second !== this.#second) this.#looks = 0
    this.#second = second
    this.#looks += 1
    if (this.#looks > LOOKS_PER_SECOND)
      throw new GatewayError('tooManyRequests', 'Too many unknown keys at once. Try again in a moment.', {
        retryAfter: 1,
      })
  }
}
