// A bus for many nodes: hints travel through Redis, each only to the nodes that asked for it.
import type { ConversationEvent, Ephemeral } from '../model/events'
import { newId } from '../model/new-id'
import type { Bus, BusFigures, BusHealth, BusListener, Notice, Topic } from './bus'
import { readEnvelope, type Incoming } from './envelope'
import { Listeners } from './listeners'
import { nameOfAddress, pick, readAddress } from './redis-address'
import { RedisDirectory } from './redis-directory'
import { RedisLink } from './redis-link'
import { RedisPost } from './redis-post'
import { topicName } from './topic'

/** No node says more in one publish; what is longer is not from one. */
const MAX_INCOMING = 16 * 1024 * 1024
const HEARTBEAT_MS = 1_000
/** How long the start waits for Redis, in milliseconds. */
const START_MS = 2_000

export interface RedisBusOptions {
  /** One instance or several: `redis://user:password@host:port/database`, or `rediss://` for TLS. */
  readonly urls: readonly string[]
  /** Names this process, newly at each start. */
  readonly node?: string
  /** In front of every key and channel, so that several can share an instance. */
  readonly prefix?: string
  /** Milliseconds between two looks at each instance. */
  readonly heartbeatMs?: number
  readonly onFault?: (cause: unknown) => void
}

export class RedisBus implements Bus {
  readonly isLossy = true
  readonly node: string
  readonly #links: readonly RedisLink[]
  readonly #post: RedisPost
  readonly #directory: RedisDirectory
  readonly #listeners: Listeners
  readonly #counts = { received: 0, foreign: 0, missed: 0 }
  /** Wakes of this tick, each said once. */
  readonly #woken = new Set<string>()
  /** Something was dropped that other nodes do not know of. */
  #owes = false
  #isClosed = false
  #changed = (): void => undefined

  constructor({ urls, node = newId(), prefix = 'fairlead:', heartbeatMs = HEARTBEAT_MS, onFault }: RedisBusOptions) {
    this.node = node
    this.#listeners = new Listeners(onFault ?? (() => undefined))
    const inboxOf = (other: string) => `${prefix}inbox:${other}`
    this.#links = this.#connect({
      urls,
      prefix,
      heartbeatMs,
      inbox: inboxOf(node),
      onFault: onFault ?? (() => undefined),
    })
    const links = this.#links
    this.#post = new RedisPost({
      node,
      links,
      inboxOf,
      beforeFlush: () => this.#endTick(),
      onUnheard: (other, topics) => this.#directory.prune(other, topics),
      onDropped: (topics) => {
        this.#owes = true
        this.#directory.doubt(topics)
      },
    })
    this.#directory = new RedisDirectory({
      ...{ node, links, heartbeatMs, prefix: `${prefix}followers:` },
      say: (...what) => this.#post.say(...what),
      schedule: () => this.#post.schedule(),
      isListening: () => links.some(({ isSubscribed }) => isSubscribed),
      onDropped: (count) => this.#post.drop(count),
      onLate: () => this.#miss(),
      onPosition: (topic, position) => {
        if ('tenant' in topic) this.#listeners.tell((listener) => listener.hearPosition?.(topic, position))
      },
    })
  }
  /** Waits a little for Redis, and goes on degraded when it is not there. */
  static async open(options: RedisBusOptions): Promise<RedisBus> {
    const bus = new RedisBus(options)
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, START_MS)
      bus.#changed = () => {
        if (bus.health().status !== 'ok') return
        clearTimeout(late)
        resolve()
      }
    })
    return bus
  }

  get figures(): BusFigures {
    return { ...this.#counts, ...this.#post.figures }
  }
  health(): BusHealth {
    for (const { health } of this.#links) if (health.status !== 'ok') return health
    return { status: 'ok' }
  }

  publish(events: readonly ConversationEvent[], bodies: readonly string[] = []): void {
    this.#listeners.tell((listener) => listener.hear?.(events))
    for (const [i, event] of events.entries())
      this.#directory.carry(
        topicName(event),
        { section: 'events', source: event, json: bodies[i] ?? null },
        event.position,
      )
  }
  publishEphemeral(ephemeral: Ephemeral): void {
    this.#listeners.tell((listener) => listener.hearEphemeral?.(ephemeral))
    this.#directory.carry(topicName(ephemeral), { section: 'ephemerals', source: ephemeral, json: null }, 0)
  }
  wake(channel: string, account: string): void {
    this.#listeners.tell((listener) => listener.wake?.(channel, account))
    const json = JSON.stringify([channel, account])
    if (this.#woken.has(json)) return
    this.#woken.add(json)
    this.#post.schedule()
    this.#directory.carry(topicName({ channel }), { section: 'wakes', source: null, json }, 0)
  }
  announce(notice: Notice): void {
    this.#listeners.tell((listener) => listener.heard?.(notice))
    this.#post.sayToAll('notices', JSON.stringify(notice))
  }

  join(topic: Topic): Promise<void> {
    return this.#directory.join(topic)
  }
  leave(topic: Topic): void {
    this.#directory.leave(topic)
  }
  subscribe(listener: Partial<BusListener>): () => void {
    return this.#listeners.add(listener)
  }
  /** Says what is left to say, if Redis takes it at once. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#listeners.clear()
    // The second round is for what had to be asked in the first.
    for (let round = 0; round < 2; round++) {
      this.#post.hurry()
      await Promise.all(this.#links.map((link) => link.drain()))
    }
    this.#post.close()
    for (const link of this.#links) link.close()
  }

  #connect(to: {
    readonly urls: readonly string[]
    readonly prefix: string
    readonly heartbeatMs: number
    readonly inbox: string
    readonly onFault: (cause: unknown) => void
  }): readonly RedisLink[] {
    const { urls, prefix, heartbeatMs, inbox, onFault } = to
    const addresses = urls.map(readAddress).map((address) => ({ ...address, name: nameOfAddress(address) }))
    const home = pick(addresses, this.node)
    return addresses.map((address, i) => {
      const link: RedisLink = new RedisLink({
        address,
        ...{ heartbeatMs, onFault, name: address.name, marker: `${prefix}node:${this.node}` },
        label: addresses.length === 1 ? 'Redis' : `Redis ${i + 1} of ${addresses.length}`,
        inbox: address === home ? inbox : null,
        // Channels know no database numbers, and these keep gateways apart that share an instance.
        everybody: `${prefix}everybody:${address.database}`,
        onReady: () => this.#directory.doubtAll(link),
        onSubscribed: () => {
          this.#miss()
          for (const one of this.#links) this.#tend(one)
        },
        onDeaf: () => this.#directory.doubtAll(null),
        onMessage: (message) => this.#receive(message),
        onBeat: () => this.#tend(link),
      })
      return link
    })
  }

  #tend(link: RedisLink): void {
    if (this.#isClosed) return
    void this.#directory.tend(link)
    if (this.#owes && this.#links.every(({ isUp }) => isUp)) {
      this.#owes = false
      this.#post.confess()
    }
    this.#changed()
  }
  #endTick(): void {
    this.#woken.clear()
    this.#directory.flush()
  }

  #receive(message: Buffer): void {
    if (this.#isClosed) return
    const incoming = message.length > MAX_INCOMING ? 'newer' : readEnvelope(message.toString())
    if (incoming === null) this.#counts.foreign += 1
    else if (incoming === 'newer') {
      this.#counts.foreign += 1
      this.#miss()
    } else if (incoming.from !== this.node) this.#hear(incoming)
  }
  #hear(incoming: Incoming): void {
    const { from, changes, events, ephemerals, wakes, notices } = incoming
    this.#counts.received += events.length + ephemerals.length + wakes.length + notices.length
    for (const change of changes) this.#directory.hear(from, change)
    this.#decline(from, events)
    if (events.length > 0) {
      this.#listeners.tell((listener) => listener.hearOthers?.(events))
      this.#listeners.tell((listener) => listener.hear?.(events))
    }
    for (const ephemeral of ephemerals) this.#listeners.tell((listener) => listener.hearEphemeral?.(ephemeral))
    for (const [channel, account] of wakes) this.#listeners.tell((listener) => listener.wake?.(channel, account))
    for (const notice of notices) this.#listeners.tell((listener) => listener.heard?.(notice))
    if (incoming.missed) this.#miss()
  }
  /** Who was told of what nobody follows here has an old copy of the directory. */
  #decline(from: string, events: readonly ConversationEvent[]): void {
    const strays = new Set<string>()
    for (const event of events) {
      const name = topicName(event)
      if (!this.#directory.follows(name)) strays.add(name)
    }
    for (const name of strays) this.#directory.decline(from, name)
  }
  #miss(): void {
    this.#counts.missed += 1
    this.#listeners.tell((listener) => listener.missed?.())
  }
}
