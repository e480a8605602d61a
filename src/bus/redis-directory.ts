// Who follows what: a set in Redis for each topic, and of each topic that this node follows a copy that the others keep fresh.
import type { Topic } from './bus'
import type { Change, Section } from './envelope'
import { Followed } from './followed'
import { textOf, WaitingHints, type Hint } from './hint'
import { LastWords } from './last-words'
import { pick } from './redis-address'
import type { RedisCommand, RedisReply } from './redis-commands'
import type { RedisLink } from './redis-link'
import { topicName } from './topic'

/*
 * Why no event is stuck, although `join` waits for nobody but Redis. The joiner J enters itself (SADD at s), learns the
 * others, tells each of them `+`, and only then reads the store (at r > s). Let an event be written at w by node W.
 *   w < r: J reads it from the store. So let w > r > s.
 *   W does not follow: it reads the set after w, and finds J in it.
 *   W follows and knows of J: it sends it.
 *   W follows and does not know of J yet: then W entered itself before s (had it come later it would have found J in the
 *     set), so J found W and told it `+`. When W hears that it answers `=` with the last position that it published, which
 *     is not before this event, and J, standing before it, reads the store again. So it does when W has left meanwhile: W
 *     remembers for a while what it published last, and says it with its `-`.
 *   A `+` or `=` that got lost: whoever dropped it enters itself again and tells all, with its last position.
 * A hint that was sent and got lost is another matter: the next one shows the gap, a reconnected inbox and a confessed
 * loss tell `missed`, and for the last hint of a quiet conversation there is the slow sweep.
 *
 * Whoever publishes without following keeps no copy, not even for a second: nobody would tell it of a joiner, and what
 * it then published would be missed by one who has read the store already. It asks for the set once per topic and tick.
 */

/** Topics in one pipeline when all are entered again. */
const CHUNK = 250
/** How long an entry outlives its last living follower, in seconds. */
const ENTRY_SECONDS = 900
/** Every entry is renewed in this time, in milliseconds. */
const RENEW_MS = 300_000

interface Deps {
  readonly node: string
  readonly prefix: string
  readonly links: readonly RedisLink[]
  readonly heartbeatMs: number
  readonly say: (node: string, section: Section, json: string, topic?: string) => void
  readonly schedule: () => void
  /** Whether this node would hear what it asks for. */
  readonly isListening: () => boolean
  /** A hint whose readers could not be learned. */
  readonly onDropped: (count: number) => void
  /** A topic was entered after its `join` had given up waiting: something may have been missed. */
  readonly onLate: () => void
  readonly onPosition: (topic: Topic, position: number) => void
}

export class RedisDirectory {
  readonly #deps: Deps
  readonly #followed = new Map<string, Followed>()
  /** Followed, but not in the directory, or with something lost that others should know. */
  readonly #doubtful = new Set<Followed>()
  readonly #entering = new Set<RedisLink>()
  #fresh: Followed[] = []
  #forgotten = new Set<string>()
  #asked = new Map<string, Hint[]>()
  readonly #waiting = new WaitingHints()
  readonly #lastWords = new LastWords()
  /** Something was entered later than whoever joined it could wait. */
  #isLate = false
  readonly #renewing = new Map<RedisLink, Iterator<Followed, undefined>>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  follows(name: string): boolean {
    return this.#followed.has(name)
  }

  join(topic: Topic): Promise<void> {
    const name = topicName(topic)
    const known = this.#followed.get(name)
    if (known) return known.joining
    const followed = new Followed(topic, name, this.#linkOf(name), this.#lastWords.of(name))
    this.#followed.set(name, followed)
    if (!followed.link.isUp || !this.#deps.isListening()) this.#doubtful.add(followed)
    else {
      followed.waitForRedis()
      this.#fresh.push(followed)
      this.#deps.schedule()
    }
    return followed.joining
  }
  leave(topic: Topic): void {
    const followed = this.#followed.get(topicName(topic))
    if (!followed) return
    this.#followed.delete(followed.name)
    this.#doubtful.delete(followed)
    followed.endJoin()
    const { name, position, others, waiting } = followed
    if (position > 0) this.#lastWords.note(name, position)
    this.#forgotten.add(name)
    for (const node of others) this.#tell(node, ['-', name, position])
    // What was to wait for the entering must not go with it.
    followed.waiting = []
    this.#waiting.release(waiting)
    for (const hint of waiting) this.#ask(name, hint)
    this.#deps.schedule()
  }

  /** Brings a hint to the nodes that follow the topic. `position` is that of an event, else 0. */
  carry(name: string, hint: Hint, position: number): void {
    const followed = this.#followed.get(name)
    if (!followed) this.#ask(name, hint)
    else {
      if (position > followed.position) followed.position = position
      if (followed.isJoining) this.#hold(followed.waiting, hint)
      else this.#sayTo(followed.others, name, hint)
    }
  }
  #ask(name: string, hint: Hint): void {
    let hints = this.#asked.get(name)
    if (!hints) {
      if (!this.#linkOf(name).isUp) {
        this.#deps.onDropped(1)
        return
      }
      hints = []
      this.#asked.set(name, hints)
      this.#deps.schedule()
    }
    this.#hold(hints, hint)
  }
  #hold(hints: Hint[], hint: Hint): void {
    if (!this.#waiting.hold(hints, hint)) this.#deps.onDropped(1)
  }
  #sayTo(nodes: Iterable<string>, name: string, hint: Hint): void {
    for (const node of nodes) if (node !== this.#deps.node) this.#deps.say(node, hint.section, textOf(hint), name)
  }

  /** What another node says of its interest. */
  hear(node: string, [kind, name, position]: Change): void {
    const followed = this.#followed.get(name)
    if (kind === '!') {
      if (followed) this.#doubt(followed)
      return
    }
    if (followed) this.#hearOf(followed, node, { kind, position })
    else if (kind !== '-') this.#tell(node, ['-', name, this.#lastWords.of(name)])
  }
  #hearOf(followed: Followed, node: string, said: { kind: '+' | '-' | '='; position: number }): void {
    const { kind, position } = said
    const { name } = followed
    followed.heard?.set(node, kind !== '-')
    // Who was taken for gone has missed what was published since, and is told how far that came.
    const isNews = kind !== '-' && !followed.others.has(node)
    if (kind === '-') followed.others.delete(node)
    else followed.others.add(node)
    if (kind === '+' || isNews) this.#tell(node, ['=', name, followed.position], name)
    if (position > 0) this.#deps.onPosition(followed.topic, position)
  }
  /** Another node sent a hint of a topic that nobody follows here: its copy, or the set, is out of date. */
  decline(node: string, name: string): void {
    this.#tell(node, ['-', name, 0])
    this.#forgotten.add(name)
    this.#deps.schedule()
  }

  /** Nobody took what was said to this node: it is taken out, and told so, for it may only have been away. */
  prune(node: string, names: ReadonlySet<string>): void {
    for (const [link, own] of this.#byLink(names)) {
      for (const name of own) this.#followed.get(name)?.others.delete(node)
      void link.send(own.map((name) => ['srem', this.#keyOf(name), node])).then((replies) => {
        if (replies) for (const name of own) this.#tell(node, ['!', name, 0])
      })
    }
  }
  /** Something about these topics was not said: everybody concerned is told again, with the last position. */
  doubt(names: ReadonlySet<string>): void {
    for (const name of names) {
      const followed = this.#followed.get(name)
      if (followed) this.#doubt(followed)
    }
  }
  #doubt(followed: Followed): void {
    followed.isEntered = false
    // What Redis is being told just now may be out of date already.
    followed.heard = null
    this.#doubtful.add(followed)
  }
  /** Redis has forgotten this node, or this node was deaf. Only the topics of one instance, or all. */
  doubtAll(link: RedisLink | null): void {
    for (const followed of this.#followed.values()) if (link === null || followed.link === link) this.#doubt(followed)
  }

  /** Ends a tick: who left is taken out before who came is entered, for it may be the same topic. */
  flush(): void {
    const [fresh, forgotten, asked] = [this.#fresh, this.#forgotten, this.#asked]
    if (fresh.length + forgotten.size + asked.size === 0) return
    this.#fresh = []
    this.#forgotten = new Set()
    this.#asked = new Map()
    for (const [link, names] of this.#byLink(forgotten))
      void link.send(names.map((name) => ['srem', this.#keyOf(name), this.#deps.node]))
    for (const link of this.#deps.links) {
      const own = fresh.filter((followed) => followed.link === link && this.#isCurrent(followed))
      for (let i = 0; i < own.length; i += CHUNK)
        void this.#enter(link, own.slice(i, i + CHUNK)).then(() => this.#tellIfLate())
    }
    for (const [link, names] of this.#byLink(asked.keys())) void this.#lookUp(link, names, asked)
  }

  /** A heartbeat: enters what is not entered, and renews a part of the rest. */
  async tend(link: RedisLink): Promise<void> {
    if (this.#entering.has(link) || !this.#deps.isListening()) return
    this.#entering.add(link)
    try {
      await this.#enterDoubtful(link)
      await this.#renew(link)
    } finally {
      this.#entering.delete(link)
    }
  }
  async #enterDoubtful(link: RedisLink): Promise<void> {
    const doubtful = [...this.#doubtful].filter((followed) => followed.link === link && !followed.heard)
    for (let i = 0; i < doubtful.length; i += CHUNK) {
      const chunk = doubtful.slice(i, i + CHUNK).filter((followed) => this.#isCurrent(followed))
      if (!(await this.#enter(link, chunk))) break
    }
    this.#tellIfLate()
  }
  #tellIfLate(): void {
    if (!this.#isLate) return
    this.#isLate = false
    this.#deps.onLate()
  }
  /** Little by little, so that all are renewed well before they expire. */
  async #renew(link: RedisLink): Promise<void> {
    const topics = this.#renewing.get(link) ?? this.#followed.values()
    this.#renewing.set(link, topics)
    const due: Followed[] = []
    for (let left = Math.ceil((this.#followed.size * this.#deps.heartbeatMs) / RENEW_MS); left > 0; left--) {
      const next = topics.next()
      if (next.done === true) {
        this.#renewing.delete(link)
        break
      }
      const followed = next.value
      if (followed.link === link && followed.isEntered && !followed.heard) due.push(followed)
    }
    for (let i = 0; i < due.length; i += CHUNK) await this.#enter(link, due.slice(i, i + CHUNK))
  }

  /** Enters topics of one instance and learns who else follows them. False when Redis did not take it. */
  async #enter(link: RedisLink, topics: readonly Followed[]): Promise<boolean> {
    for (const followed of topics) followed.heard = new Map()
    const replies = await link.send(
      topics.flatMap(({ name }): RedisCommand[] => {
        const key = this.#keyOf(name)
        return [
          ['sadd', key, this.#deps.node],
          ['expire', key, ENTRY_SECONDS],
          ['smembers', key],
        ]
      }),
    )
    let isEntered = true
    for (const [i, followed] of topics.entries())
      if (!this.#settle(followed, replies?.[i * 3] ?? null, replies?.[i * 3 + 2] ?? null)) isEntered = false
    return isEntered
  }
  #settle(followed: Followed, added: RedisReply, members: RedisReply): boolean {
    const { heard, waiting, name } = followed
    followed.heard = null
    followed.waiting = []
    this.#waiting.release(waiting)
    const isEntered = typeof added === 'number' && heard !== null
    // A set that could be read tells who follows, whether this node could be added to it or not.
    if (isList(members)) this.#learn(followed, members, { heard, isNews: !followed.isEntered || added === 1 })
    else this.#deps.onDropped(waiting.length)
    for (const hint of waiting) this.#sayTo(followed.others, name, hint)
    if (!this.#isCurrent(followed)) return isEntered
    if (isEntered && !followed.isEntered && !followed.isJoining) this.#isLate = true
    followed.isEntered = isEntered
    if (isEntered) this.#doubtful.delete(followed)
    else this.#doubtful.add(followed)
    followed.endJoin()
    return isEntered
  }
  #learn(
    followed: Followed,
    members: readonly string[],
    { heard, isNews }: { heard: Followed['heard']; isNews: boolean },
  ): void {
    const before = followed.others
    const others = new Set(members)
    others.delete(this.#deps.node)
    followed.others = new Set(others)
    // Who said meanwhile that it left may have come back since: it is told all the same, and says which it is.
    for (const [node, follows] of heard ?? [])
      if (follows) followed.others.add(node)
      else followed.others.delete(node)
    if (!this.#isCurrent(followed)) return
    const { name, position } = followed
    for (const node of others) if (isNews || !before.has(node)) this.#tell(node, ['+', name, position], name)
  }

  async #lookUp(link: RedisLink, names: readonly string[], asked: ReadonlyMap<string, readonly Hint[]>): Promise<void> {
    const replies = await link.send(names.map((name) => ['smembers', this.#keyOf(name)]))
    for (const [i, name] of names.entries()) {
      const members = replies?.[i]
      const hints = asked.get(name) ?? []
      this.#waiting.release(hints)
      if (isList(members)) for (const hint of hints) this.#sayTo(members, name, hint)
      else this.#deps.onDropped(hints.length)
    }
  }

  #isCurrent(followed: Followed): boolean {
    return this.#followed.get(followed.name) === followed
  }
  #tell(node: string, change: Change, topic?: string): void {
    this.#deps.say(node, 'changes', JSON.stringify(change), topic)
  }
  #linkOf(name: string): RedisLink {
    return pick(this.#deps.links, name)
  }
  #byLink(names: Iterable<string>): Map<RedisLink, string[]> {
    const found = new Map<RedisLink, string[]>()
    for (const name of names) {
      const link = this.#linkOf(name)
      const own = found.get(link)
      if (own) own.push(name)
      else found.set(link, [name])
    }
    return found
  }
  #keyOf(name: string): string {
    return `${this.#deps.prefix}${name}`
  }
}

const isList = (reply: RedisReply | undefined): reply is readonly string[] => Array.isArray(reply)
