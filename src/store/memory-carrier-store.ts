// Registrations in memory: where there is one node, they live and die with it.
import type { Tenant } from '../model/ids'
import type { CarrierPlace, CarrierStore, HeldPlace, Instance } from './carrier-store'
import { keyOf } from './memory-tables'

/** After which a place is forgotten that was given up. One that is held lives, whatever is done to the clock. */
const FORGET_MS = 24 * 3_600_000

interface Registered extends HeldPlace {
  readonly aliveUntil: number
}

export class MemoryCarrierStore implements CarrierStore {
  readonly #now: () => Date
  readonly #places = new Map<string, Registered>()

  constructor(deps: { now: () => Date }) {
    this.#now = deps.now
  }

  async register(place: CarrierPlace, node: string, aliveMs: number): Promise<number> {
    const now = this.#now().getTime()
    for (const [key, { node: holder, aliveUntil }] of this.#places)
      if (holder === '' && aliveUntil <= now - FORGET_MS) this.#places.delete(key)
    const { tenant, channel, account, instance } = place
    const fence = (this.#places.get(placeKey(place))?.fence ?? 0) + 1
    const registered = { tenant, channel, account, instance, node, fence, aliveUntil: now + aliveMs }
    this.#places.set(placeKey(place), registered)
    return fence
  }
  async renew(tenant: Tenant, node: string, aliveMs: number): Promise<CarrierPlace[]> {
    const aliveUntil = this.#now().getTime() + aliveMs
    const ours = [...this.#places.values()].filter((place) => place.tenant === tenant && place.node === node)
    for (const place of ours) this.#places.set(placeKey(place), { ...place, aliveUntil })
    return ours.map(({ channel, account, instance }) => ({ tenant, channel, account, instance }))
  }
  async unregister({ node, fence, ...place }: HeldPlace): Promise<void> {
    const found = this.#places.get(placeKey(place))
    if (found?.node !== node || found.fence !== fence) return
    this.#places.set(placeKey(place), { ...found, node: '', aliveUntil: this.#now().getTime() })
  }
  async live(tenant: Tenant, channel: string): Promise<Instance[]> {
    const now = this.#now().getTime()
    const alive = [...this.#places.values()].filter(
      (place) => place.tenant === tenant && place.channel === channel && place.aliveUntil > now,
    )
    const instances = alive.map(({ account, instance }) => ({ account, instance }))
    return instances.sort((a, b) => compare(a.account, b.account) || compare(a.instance, b.instance))
  }
}

const placeKey = ({ tenant, channel, account, instance }: CarrierPlace): string =>
  keyOf(tenant, channel, account, instance)
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
