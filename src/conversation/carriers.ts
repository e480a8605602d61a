// Which connectors carry what, on whatever node: who holds a place, and how several instances divide the recipients.
import type { Bus, Notice } from '../bus/bus'
import type { Tenant } from '../model/ids'
import { newId } from '../model/new-id'
import { slicesOf } from '../model/slice'
import type { CarrierPlace, CarrierStore } from '../store/carrier-store'
import type { Share } from '../store/delivery-store'

/** A node that has not been heard of for so long is dead, and its recipients are others'. */
const ALIVE_MS = 10_000
const RENEW_MS = 2_000
/** What is due for another carrier for longer is taken over: a picture of who lives may be wrong, and strands nothing. */
const PATIENCE_MS = 5_000

interface Deps {
  readonly store: CarrierStore
  readonly bus: Bus
  readonly onFault: (cause: unknown) => void
  readonly times?: { readonly aliveMs: number; readonly renewMs: number; readonly patienceMs: number }
}
/** What the holder of a place is told. */
interface Listener {
  /** A newer registration has the place, on whatever node. */
  fenced(): void
  /** The share is another one: there may be more to take. */
  changed(): void
}

export class Carriers {
  readonly #deps: Required<Deps>
  readonly #node = newId()
  readonly #held = new Set<Held>()
  /** Given up, and the store does not know it yet. */
  readonly #departed = new Set<Held>()
  readonly #looks = new Map<string, Look>()
  readonly #unsubscribe: () => void
  #timer: NodeJS.Timeout | null = null
  #renewing: Promise<void> | null = null

  constructor(deps: Deps) {
    this.#deps = { times: { aliveMs: ALIVE_MS, renewMs: RENEW_MS, patienceMs: PATIENCE_MS }, ...deps }
    this.#unsubscribe = deps.bus.subscribe({
      heard: (notice) => this.#hear(notice),
      missed: () => void this.#renew().catch(deps.onFault),
    })
  }

  /**
   * Takes a place, whoever has it. Whoever has an older registration of it on another node is told so there; on this
   * node that is up to the caller, who knows whether it is the same connector again.
   * @throws GatewayError `unavailable` when the store does not answer
   */
  async register(place: CarrierPlace, listener: Listener): Promise<Held> {
    const { store, times, bus, onFault } = this.#deps
    const since = performance.now()
    const fence = await store.register(place, this.#node, times.aliveMs)
    const held: Held = new Held({ place, node: this.#node, fence }, listener, {
      leave: () => this.#leave(held),
      confirm: () => this.#renew(),
      aliveMs: times.aliveMs,
    })
    held.confirmedAt = since
    this.#held.add(held)
    this.#timer ??= setInterval(() => void this.#renew().catch(onFault), times.renewMs)
    bus.announce({ kind: 'registered', ...place, fence })
    try {
      await this.#look(place)
      return held
    } catch (cause) {
      await held.leave()
      throw cause
    }
  }

  /** Gives up every place that is left. */
  async close(): Promise<void> {
    this.#unsubscribe()
    await Promise.all([...this.#held].map((held) => held.leave()))
    this.#rest()
  }

  async #leave(held: Held): Promise<void> {
    if (!this.#held.delete(held)) return
    this.#departed.add(held)
    await this.#depart().catch(this.#deps.onFault)
    if (this.#held.size === 0 && this.#departed.size === 0) this.#rest()
  }
  #rest(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
  }
  /** Tells the store who has left, and then the other nodes. */
  async #depart(): Promise<void> {
    const { store, bus } = this.#deps
    for (const held of this.#departed) {
      const { place, node, fence } = held.registration
      await store.unregister({ ...place, node, fence })
      this.#departed.delete(held)
      bus.announce({ kind: 'unregistered', ...place })
    }
  }

  #hear(notice: Notice): void {
    if (notice.kind !== 'registered' && notice.kind !== 'unregistered') return
    const places = [...this.#held].filter((held) => held.isAt(notice))
    const isOwn = notice.kind === 'registered' && places.some(({ registration }) => registration.fence === notice.fence)
    if (notice.kind === 'registered' && !isOwn)
      for (const held of places) if (held.registration.fence < notice.fence) this.#fence(held)
    if (!this.#carries(notice)) return
    this.#look(notice).catch(this.#deps.onFault)
  }
  #carries({ tenant, channel }: Pick<CarrierPlace, 'tenant' | 'channel'>): boolean {
    return [...this.#held].some(({ registration: { place } }) => place.tenant === tenant && place.channel === channel)
  }
  #fence(held: Held): void {
    if (this.#held.delete(held)) held.listener.fenced()
  }

  /** Says that this node lives, and finds out what it has lost. One at a time, whoever asks. */
  #renew(): Promise<void> {
    return (this.#renewing ??= this.#renewNow().finally(() => {
      this.#renewing = null
    }))
  }
  async #renewNow(): Promise<void> {
    await this.#depart()
    // What is registered while the store is asked is not in its answer.
    const known = [...this.#held]
    const { store, times } = this.#deps
    for (const tenant of new Set(known.map(({ registration: { place } }) => place.tenant))) {
      const since = performance.now()
      const ours = await store.renew(tenant, this.#node, times.aliveMs)
      for (const held of known.filter(({ registration: { place } }) => place.tenant === tenant))
        if (ours.some((place) => held.isAt(place))) held.confirmedAt = since
        else this.#fence(held)
    }
    if (this.#held.size === 0 && this.#departed.size === 0) this.#rest()
    const channels = new Map(known.map(({ registration: { place } }) => [channelKey(place), place]))
    await Promise.all([...channels.values()].filter((place) => this.#carries(place)).map((place) => this.#look(place)))
  }

  /** Finds out who lives on a channel. A look that has begun may be too early for whoever asks: then another follows it. */
  #look(at: Pick<CarrierPlace, 'tenant' | 'channel'>): Promise<void> {
    const key = channelKey(at)
    const before = this.#looks.get(key)
    if (before && !before.hasBegun) return before.done
    const look: Look = { hasBegun: false, done: Promise.resolve() }
    look.done = (before?.done.catch(() => undefined) ?? Promise.resolve()).then(async () => {
      look.hasBegun = true
      try {
        this.#divide(at, await this.#deps.store.live(at.tenant, at.channel))
      } finally {
        if (this.#looks.get(key) === look) this.#looks.delete(key)
      }
    })
    this.#looks.set(key, look)
    return look.done
  }
  #divide(
    { tenant, channel }: Pick<CarrierPlace, 'tenant' | 'channel'>,
    live: readonly { account: string; instance: string }[],
  ): void {
    for (const held of this.#held) {
      const { place } = held.registration
      if (place.tenant !== tenant || place.channel !== channel) continue
      const names = live.filter(({ account }) => account === place.account).map(({ instance }) => instance)
      held.divide([...new Set([...names, place.instance])].sort(), this.#deps.times.patienceMs)
    }
  }
}

interface Look {
  hasBegun: boolean
  done: Promise<void>
}
const channelKey = ({ tenant, channel }: Pick<CarrierPlace, 'tenant' | 'channel'>): string =>
  JSON.stringify([tenant, channel])

/** A place that is held on this node. */
export class Held {
  /** When the store was last asked whether it is, by the monotonic clock. */
  confirmedAt = 0
  #names: readonly string[] = []
  #share: Share | undefined

  constructor(
    readonly registration: { readonly place: CarrierPlace; readonly node: string; readonly fence: number },
    readonly listener: Listener,
    private readonly how: {
      readonly leave: () => Promise<void>
      readonly confirm: () => Promise<void>
      readonly aliveMs: number
    },
  ) {}

  get fence(): number {
    return this.registration.fence
  }
  isAt({ tenant, channel, account, instance }: CarrierPlace): boolean {
    const { place } = this.registration
    return (
      place.tenant === tenant && place.channel === channel && place.account === account && place.instance === instance
    )
  }

  /**
   * What it may take now; undefined: all that there is. Reads nothing while the node is known to live; one that slept
   * asks first whether the place is still its own, and its holder is told if it is not.
   * @throws GatewayError `unavailable` when it must ask and the store does not answer
   */
  async share(): Promise<Share | undefined> {
    if (performance.now() - this.confirmedAt >= this.how.aliveMs) await this.how.confirm()
    return this.#share
  }
  /** Among these, itself one of them. */
  divide(names: readonly string[], patienceMs: number): void {
    if (names.length === this.#names.length && names.every((name, i) => name === this.#names[i])) return
    this.#names = names
    const isAlone = names.length === 1
    this.#share = isAlone ? undefined : { slices: slicesOf(this.registration.place.instance, names), patienceMs }
    this.listener.changed()
  }
  /** Gives the place up; the others on it are told. */
  leave(): Promise<void> {
    return this.how.leave()
  }
}
