// Followers that write down what they hear, a bus that can be made to misbehave, and a store that can be made to fail.
import type { Bus, BusHealth, BusListener, Notice, Topic } from '../../src/bus/bus'
import type { Follower, Following } from '../../src/conversation/stream'
import type { ConversationEvent, Ephemeral } from '../../src/model/events'
import type { ConversationId } from '../../src/model/ids'
import type { Hub } from '../../src/conversation/hub'
import type { ConversationStore } from '../../src/store/conversation-store'
import { tenant } from './log-fixtures'

export type Audience = 'staff' | 'public'

/** Hears one audience's events, and remembers their counts, in the order they came. */
export class Ears implements Follower<ConversationEvent> {
  readonly counts: number[] = []
  readonly pages: number[] = []
  readonly types: string[] = []
  readonly ephemeral: Ephemeral[] = []
  isLive = false
  /** What the next page of history waits for. */
  turning: () => Promise<void> = () => Promise.resolve()

  constructor(readonly audience: Audience) {}

  async history(events: readonly ConversationEvent[]): Promise<void> {
    if (this.isLive) throw new Error('History came after what is live')
    this.pages.push(events.length)
    for (const event of events) this.#note(event)
    await this.turning()
  }
  live(): void {
    this.isLive = true
  }
  hear(event: ConversationEvent): void {
    if (!this.isLive) throw new Error('What is live came before the end of history')
    this.#note(event)
  }
  hearEphemeral(ephemeral: Ephemeral): void {
    this.ephemeral.push(ephemeral)
  }
  get last(): number {
    return this.counts.at(-1) ?? 0
  }
  #note(event: ConversationEvent): void {
    this.types.push(event.type)
    this.counts.push(this.audience === 'staff' ? event.position : (event.publicPosition ?? NaN))
  }

  follow(hub: Hub, conversationId: ConversationId, after = 0): Following {
    const place = { tenant, conversationId }
    if (this.audience === 'staff') return hub.followAsStaff(place, after, this)
    return hub.followAsPublic(place, after, this)
  }
}

/** From the first to the last, without gaps. */
export const range = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i)

type Reading = 'find' | 'events' | 'positions'

/** A conversation's id, or a channel. */
const nameOf = (topic: Topic): string => ('channel' in topic ? topic.channel : topic.conversationId)

/** Keeps every hint back until it is told what to do with it. Who did not ask for a conversation hears nothing of it. */
export class HeldBus implements Bus {
  readonly isLossy = true
  readonly held: (readonly ConversationEvent[])[] = []
  readonly left: string[] = []
  readonly #asked = new Set<string>()
  readonly #listeners = new Set<Partial<BusListener>>()
  joining: () => Promise<void> = () => Promise.resolve()
  /** Hands every hint on at once. */
  isOpen = false

  publish(events: readonly ConversationEvent[]): void {
    const [first] = events
    if (!first || !this.isAskedFor(first.conversationId)) return
    if (this.isOpen) for (const listener of this.#listeners) listener.hear?.(events)
    else this.held.push(events)
  }
  publishEphemeral(ephemeral: Ephemeral): void {
    for (const listener of this.#listeners) listener.hearEphemeral?.(ephemeral)
  }
  wake(channel: string, account: string): void {
    for (const listener of this.#listeners) listener.wake?.(channel, account)
  }
  announce(notice: Notice): void {
    for (const listener of this.#listeners) listener.heard?.(notice)
  }
  async join(topic: Topic): Promise<void> {
    await this.joining()
    this.#asked.add(nameOf(topic))
  }
  leave(topic: Topic): void {
    this.left.push(nameOf(topic))
    this.#asked.delete(nameOf(topic))
  }
  health(): BusHealth {
    return { status: 'ok' }
  }
  isAskedFor(conversation: ConversationId): boolean {
    return this.#asked.has(conversation)
  }
  subscribe(listener: Partial<BusListener>): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
  async close(): Promise<void> {
    this.#listeners.clear()
  }

  /** Hands on a hint that is held, and keeps it, so that it can come again. */
  release(index: number): void {
    const events = this.held[index]
    if (events) for (const listener of this.#listeners) listener.hear?.(events)
  }
  releaseAll(): void {
    for (const events of this.held.splice(0)) for (const listener of this.#listeners) listener.hear?.(events)
  }
  drop(index: number): void {
    this.held.splice(index, 1)
  }
  missed(): void {
    for (const listener of this.#listeners) listener.missed?.()
  }
}

/** The store, but every reading first asks `before` and then waits for `after`. */
export function hindered(
  store: ConversationStore,
  hindrance: { before?: (what: Reading) => void; after?: () => Promise<void>; beforeUpdate?: () => void },
): ConversationStore {
  const read = async <T>(what: Reading, reading: () => Promise<T>): Promise<T> => {
    hindrance.before?.(what)
    const found = await reading()
    await hindrance.after?.()
    return found
  }
  return {
    update: async (needs, decide) => {
      hindrance.beforeUpdate?.()
      return store.update(needs, decide)
    },
    onCommitted: (listener) => store.onCommitted(listener),
    heard: (events) => store.heard(events),
    forget: (id) => store.forget(id),
    list: (...page) => store.list(...page),
    claimIdle: (...wish) => store.claimIdle(...wish),
    find: (...name) => read('find', () => store.find(...name)),
    events: (...page) => read('events', () => store.events(...page)),
    positions: (...names) => read('positions', () => store.positions(...names)),
    publicEvents: (...page) => read('events', () => store.publicEvents(...page)),
    storedEvents: (page) => read('events', () => store.storedEvents(page)),
  }
}
