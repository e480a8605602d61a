// Nodes that share one database and hear nothing of each other: each finds out by itself what the others did.
import { MemoryBus } from '../../src/bus/memory-bus'
import { Carriers, type Held } from '../../src/conversation/carriers'
import { Conversations } from '../../src/conversation/conversations'
import { Outbox } from '../../src/conversation/outbox'
import { Suppression } from '../../src/conversation/suppression'
import type { Database } from '../../src/store/database'
import type { TestClock } from './databases'
import { Hand } from './hand'
import { tenant } from './log-fixtures'

export const LEASE_MS = 60_000
export const TIMES = { aliveMs: 10_000, renewMs: 50, patienceMs: 5_000 }

/** Every hint is lost between nodes, and they know it. */
export class DeafBus extends MemoryBus {
  override readonly isLossy = true
}

/** Lets calls through, or keeps them back: a process that is stopped says nothing, and hears answers when it goes on. */
export class Gate {
  #closed: Promise<void> | null = null
  #open: () => void = () => undefined

  close(): void {
    this.#closed = new Promise((resolve) => (this.#open = resolve))
  }
  open(): void {
    this.#closed = null
    this.#open()
  }
  /** The same object, whose calls wait at this gate, on their way there and back. */
  before<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return async (...args: unknown[]): Promise<unknown> => {
          await this.#closed
          const answer: unknown = await Reflect.apply(member, target, args)
          await this.#closed
          return answer
        }
      },
    })
  }
}

export class TestNode {
  readonly gate = new Gate()
  readonly bus = new DeafBus()
  readonly faults: unknown[] = []
  /** Milliseconds that it has slept, by the clock that nobody sets. */
  slept = 0
  readonly outbox: Outbox
  readonly carriers: Carriers

  constructor(
    readonly database: Database,
    clock: TestClock,
  ) {
    const onFault = (cause: unknown) => void this.faults.push(cause)
    const elapsed = () => performance.now() + this.slept
    const { bus } = this
    const suppression = new Suppression({ optOut: [], optIn: [] })
    const conversations = new Conversations({ store: database.conversations, bus, suppression, now: clock.now })
    const settle = conversations.settle.bind(conversations)
    const paused = this.gate.before({ settle })
    conversations.settle = (...args) => paused.settle(...args)
    this.outbox = new Outbox({
      ...{ conversations, bus, onFault, now: clock.now, elapsed, leaseMs: LEASE_MS, sweepMs: 50 },
      deliveries: this.gate.before(database.deliveries),
    })
    const wake = this.outbox.wake.bind(this.outbox)
    this.carriers = new Carriers({
      store: this.gate.before(database.carriers),
      bus,
      wake,
      onFault,
      elapsed,
      times: TIMES,
    })
  }

  /** A connector in the hands of a test, registered here. */
  async register(
    instance: string,
  ): Promise<{ hand: Hand; held: Held; fences: () => number; leave: () => Promise<void> }> {
    const hand = new Hand()
    let fences = 0
    let stop = async (): Promise<void> => undefined
    const held = await this.carriers.register({ tenant, channel: 'sms', account: '', instance }, () => {
      fences += 1
      void stop()
    })
    stop = this.outbox.register(hand.carrier({ share: () => held.share() }))
    const leave = async () => {
      await stop()
      await held.leave()
    }
    return { hand, held, fences: () => fences, leave }
  }
  async close(): Promise<void> {
    this.gate.open()
    await this.outbox.close()
    await this.carriers.close()
    await this.bus.close()
  }
}
