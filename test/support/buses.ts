// Nodes that share a bus, in one process, and ears that write down what they hear of it.
import type { Bus, BusListener, Notice } from '../../src/bus/bus'
import { RedisBus, type RedisBusOptions } from '../../src/bus/redis-bus'
import type { ConversationEvent, Ephemeral } from '../../src/model/events'
import type { Place } from '../../src/model/ids'
import { newId } from '../../src/model/new-id'

/** Hears everything that a bus has to say on one node. */
export class BusEars implements BusListener {
  readonly events: ConversationEvent[] = []
  /** Those among them that another node published. */
  readonly ofOthers: ConversationEvent[] = []
  readonly ephemerals: Ephemeral[] = []
  readonly positions: (readonly [conversationId: string, position: number])[] = []
  readonly wakes: string[] = []
  readonly notices: Notice[] = []
  misses = 0

  constructor(bus: Bus) {
    bus.subscribe(this)
  }
  hear(events: readonly ConversationEvent[]): void {
    this.events.push(...events)
  }
  hearOthers(events: readonly ConversationEvent[]): void {
    this.ofOthers.push(...events)
  }
  hearEphemeral(ephemeral: Ephemeral): void {
    this.ephemerals.push(ephemeral)
  }
  hearPosition({ conversationId }: Place, position: number): void {
    this.positions.push([conversationId, position])
  }
  wake(channel: string, account: string): void {
    this.wakes.push(`${channel}/${account}`)
  }
  heard(notice: Notice): void {
    this.notices.push(notice)
  }
  missed(): void {
    this.misses += 1
  }
}

/** Nodes on one or several instances, under keys that nobody else uses. */
export class RedisNodes {
  readonly prefix = `fairlead-test-${newId()}:`
  readonly faults: unknown[] = []
  readonly #urls: readonly string[]
  readonly #open: RedisBus[] = []

  constructor(...urls: readonly string[]) {
    this.#urls = urls
  }
  async open(more: Partial<RedisBusOptions> = {}): Promise<RedisBus> {
    const bus = await RedisBus.open({
      urls: this.#urls,
      prefix: this.prefix,
      heartbeatMs: 100,
      onFault: (cause) => this.faults.push(cause),
      ...more,
    })
    this.#open.push(bus)
    return bus
  }
  async close(): Promise<void> {
    await Promise.all(this.#open.map((bus) => bus.close()))
  }
}
