// Which connectors carry what, on whatever node: who holds a place, and how several instances divide the recipients.
import type { Bus, Notice } from '../bus/bus'
import { newId } from '../model/new-id'
import { ownersOf } from '../model/slice'
import type { CarrierPlace, CarrierStore, Instance } from '../store/carrier-store'
import type { Share } from '../store/delivery-store'

/** A node that has not been heard of for so long is dead, and its recipients are others'. */
const ALIVE_MS = 10_000
const RENEW_MS = 2_000
/** What is due for another carrier for longer is taken over: a picture of who lives may be wrong, and strands nothing. */
const PATIENCE_MS = 5_000

interface Deps {
  readonly store: CarrierStore
  readonly bus: Bus
  /** Carriers of this channel and account on this node may take more than before. */
  readonly wake: (channel: string, account: string) => void
  readonly onFault: (cause: unknown) => void
  /** Milliseconds by a clock that nobody sets. */
  readonly elapsed?: () => number
  readonly times?: { readonly aliveMs: number; readonly renewMs: number; readonly patienceMs: number }
}
export class Carriers {
  readonly #deps: Required<Deps>
  readonly #node = newId()
  readonly #held = new Set<Held>()
  /** Given up, and the store does not know it yet. */
  readonly #departed = new Set<Held>()
  readonly #looks = new Map<string, Look>()
  /** How each channel and account is divided, where somebody on this node carries it. */
  readonly #divisions = new Map<string, Division>()
  readonly #unsubscribe: () => void
  #timer: NodeJS.Timeout | null = null
  #renewing: Promise<void> | null = null

  constructor(deps: Deps) {
    const times = { aliveMs: ALIVE_MS, renewMs: RENEW_MS, patienceMs: PATIENCE_MS }
    this.#deps = { times, elapsed: () => performance.now(), ...deps }
    this.#unsubscribe = deps.bus.subscribe({
      heard: (notice) => this.#hear(notice),
      missed: () => void this.#renew().catch(deps.onFault),
    })
  }

  /**
   * Takes a place, whoever has it. Whoever has an older registration of it on another node is told so there; on this
   * node that is up to the caller, who knows whether it is the same connector again.
   * @param fenced hears that a newer registration has the place, on whatever node
   * @throws GatewayError `unavailable` when the store does not answer
   */
  async register(place: CarrierPlace, fenced: () => void): Promise<Held> {
    const { store, times, bus, elapsed, onFault } = this.#deps
    const since = elapsed()
    const fence = await store.register(place, this.#node, times.aliveMs)
    const held: Held = new Held(
      { place, node: this.#node, fence },
      {
        fenced,
        leave: () => this.#leave(held),
        confirm: () => this.#renew(),
        division: () => this.#divisions.get(accountKey(place)),
        isSure: (at) => elapsed() - at < times.aliveMs,
      },
    )
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
    if (!this.#forget(held)) return
    this.#departed.add(held)
    await this.#depart().catch(this.#deps.onFault)
    if (this.#held.size === 0 && this.#departed.size === 0) this.#rest()
  }
  #rest(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
  }
  #forget(held: Held): boolean {
    const isHeld = this.#held.delete(held)
    const key = accountKey(held.registration.place)
    const isCarried = [...this.#held].some(({ registration: { place } }) => accountKey(place) === key)
    if (!isCarried) this.#divisions.delete(key)
    return isHeld
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
    if (this.#forget(held)) held.how.fenced()
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
    const { store, times, elapsed } = this.#deps
    for (const tenant of new Set(known.map(({ registration: { place } }) => place.tenant))) {
      const since = elapsed()
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
  #divide({ tenant, channel }: Pick<CarrierPlace, 'tenant' | 'channel'>, live: readonly Instance[]): void {
    const places = [...this.#held].map(({ registration }) => registration.place)
    // What is held here lives, whatever the store says of a node that slept.
    const own = places.filter((place) => place.tenant === tenant && place.channel === channel)
    const names = new Map(own.map(({ account }) => [account, new Set<string>()]))
    for (const { account, instance } of [...live, ...own]) names.get(account)?.add(instance)
    for (const [account, instances] of names) {
      const key = accountKey({ tenant, channel, account })
      const before = this.#divisions.get(key)
      const isSame = before?.names.size === instances.size && [...instances].every((name) => before.names.has(name))
      if (isSame) continue
      this.#divisions.set(key, new Division(instances, this.#deps.times.patienceMs))
      const hasGrown = [...(before?.names ?? [])].some((name) => !instances.has(name))
      if (hasGrown) this.#deps.wake(channel, account)
    }
  }
}

interface Look {
  hasBegun: boolean
  done: Promise<void>
}
const channelKey = ({ tenant, channel }: Pick<CarrierPlace, 'tenant' | 'channel'>): string =>
  JSON.stringify([tenant, channel])

const accountKey = ({ tenant, channel, account }: Pick<CarrierPlace, 'tenant' | 'channel' | 'account'>): string =>
  JSON.stringify([tenant, channel, account])

/** Instances that divide the recipients of one channel and account. */
class Division {
  #owners: readonly string[] | null = null

  constructor(
    readonly names: ReadonlySet<string>,
    private readonly patienceMs: number,
  ) {}

  /** Undefined: all that there is, for one that is alone. */
  shareOf(instance: string): Share | undefined {
    if (this.names.size === 1) return undefined
    const owners = (this.#owners ??= ownersOf([...this.names]))
    const slices = owners.map((owner) => (owner === instance ? '1' : '0')).join('')
    return { slices, patienceMs: this.patienceMs }
  }
}

/** A place that is held on this node. */
export class Held {
  /** When the store was last asked whether it is, by the monotonic clock. */
  confirmedAt = 0
  #division: Division | undefined
  #share: Share | undefined

  constructor(
    readonly registration: { readonly place: CarrierPlace; readonly node: string; readonly fence: number },
    readonly how: {
      readonly fenced: () => void
      readonly leave: () => Promise<void>
      readonly confirm: () => Promise<void>
      readonly division: () => Division | undefined
      readonly isSure: (confirmedAt: number) => boolean
    },
  ) {}

  get fence(): number {
    return this.registration.fence
  }
  isAt({ tenant, channel, account, instance }: CarrierPlace): boolean {
    const { place } = this.registration
    const isChannel = place.tenant === tenant && place.channel === channel
    return isChannel && place.account === account && place.instance === instance
  }

  /**
   * What it may take now; undefined: all that there is. Reads nothing while the node is known to live; one that slept
   * asks first whether the place is still its own, and its holder is told if it is not.
   * @throws GatewayError `unavailable` when it must ask and the store does not answer
   */
  async share(): Promise<Share | undefined> {
    if (!this.how.isSure(this.confirmedAt)) await this.how.confirm()
    const division = this.how.division()
    if (division !== this.#division) {
      this.#division = division
      this.#share = division?.shareOf(this.registration.place.instance)
    }
    return this.#share
  }
  /** Gives the place up; the others on it are told. */
  leave(): Promise<void> {
    return this.how.leave()
  }
}
