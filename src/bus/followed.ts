// One topic that this node follows, and what it knows of the other followers.
import type { Topic } from './bus'
import type { Hint } from './hint'
import type { RedisLink } from './redis-link'

/** How long `join` waits for Redis, in milliseconds. */
const JOIN_MS = 500

export class Followed {
  others = new Set<string>()
  /** It stands in the directory, as far as this node knows. */
  isEntered = false
  /** What was published while the others were not known yet. */
  waiting: Hint[] = []
  /** What others said of themselves while Redis is asked: they know better than the set. Null when nothing is asked, or the answer is doubted. */
  heard: Map<string, boolean> | null = null
  joining: Promise<void> = Promise.resolve()
  #endJoin: (() => void) | null = null

  constructor(
    readonly topic: Topic,
    readonly name: string,
    /** The instance that has its entry. */
    readonly link: RedisLink,
    /** The last position that this node published. */
    public position: number,
  ) {}

  /** Whether somebody waits for it to be entered. */
  get isJoining(): boolean {
    return this.#endJoin !== null
  }
  waitForRedis(): void {
    this.joining = new Promise((resolve) => {
      const late = setTimeout(() => this.endJoin(), JOIN_MS)
      this.#endJoin = () => {
        clearTimeout(late)
        resolve()
      }
    })
  }
  endJoin(): void {
    this.#endJoin?.()
    this.#endJoin = null
  }
}
