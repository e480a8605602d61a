// Port: which connector is registered for which place, on whatever node. A node that falls silent loses its places.
import type { Tenant } from '../model/ids'

/** What a connector registers for: at most one registration holds it. */
export interface CarrierPlace {
  readonly tenant: Tenant
  readonly channel: string
  /** Empty: every account of the channel. */
  readonly account: string
  /** Several of one channel and account share the work. */
  readonly instance: string
}
export type Instance = Pick<CarrierPlace, 'account' | 'instance'>
/** A place in the hands of a node, under the number of its registration. */
export interface HeldPlace extends CarrierPlace {
  readonly node: string
  readonly fence: number
}

/** Times are those of the database's clock; a node that answers to no `renew` for so long counts as dead. */
export interface CarrierStore {
  /**
   * Takes a place for this node, whoever has it, and lives in it for `aliveMs`. Answers the fence: it is higher than that
   * of every registration of this place before, for as long as any of those can still be thought of (a day).
   */
  register(place: CarrierPlace, node: string, aliveMs: number): Promise<number>
  /**
   * Lives on for `aliveMs` in all places of this node. Answers them: what is missing another node has taken. A place in
   * which a node had died is its own again, if nobody took it.
   */
  renew(tenant: Tenant, node: string, aliveMs: number): Promise<CarrierPlace[]>
  /** Gives a place up, unless it was registered again since. */
  unregister(held: HeldPlace): Promise<void>
  /** Who lives on a channel, in an order that is the same for everybody. */
  live(tenant: Tenant, channel: string): Promise<Instance[]>
}
