// Port: the outbox's shelf. Deliveries are put on it and settled by `ConversationStore.update`; here they are leased and looked at.
import type { DeliveryId, Tenant } from '../model/ids'
import type { Delivery } from './records'

/** Where several carriers divide the recipients: what is whose. */
export interface Share {
  /** A character for each slice of recipients: `1` where it is this carrier's. */
  readonly slices: string
  /** Milliseconds for which what is due for another carrier is left to it. */
  readonly patienceMs: number
}

export interface Claim {
  readonly channel: string
  /** Empty: every account of the channel. */
  readonly account: string
  /** Fencing token: whoever settles must name it. */
  readonly lease: string
  readonly limit: number
  /** Milliseconds until an unsettled delivery falls due again. */
  readonly leaseMs: number
  /** Absent: every recipient. What a lease ran out on is anybody's, whose share ever it is in. */
  readonly share?: Share | undefined
}

/** What a carrier is supplied from. */
export type Supply = Pick<Claim, 'channel' | 'account' | 'share'>

export interface DeliveryStore {
  /**
   * Leases due deliveries, oldest first and at most one per recipient; counts an attempt on each. A lease that ran out
   * counts as due. One whose time has passed is leased like any other: who leases it settles it as expired, so that
   * everybody sees it fail. Times are those of the database's clock.
   */
  claim(tenant: Tenant, claim: Claim): Promise<Delivery[]>
  /** Gives back what is still held under a lease: due at once. Answers how many. */
  release(tenant: Tenant, lease: string): Promise<number>
  /** Milliseconds until a claim of this kind would find a delivery; null when none will by itself. */
  nextDueIn(tenant: Tenant, at: Supply): Promise<number | null>
  /** Dead letters, oldest first, after this id; at most `limit`. */
  deadLetters(tenant: Tenant, after: string, limit: number): Promise<Delivery[]>
  /**
   * Makes a dead letter due again with its attempts and its expiry forgotten: who replays it wants it sent. A receipt
   * that says `failed` is forgotten with it, and its notification waits again, so that what becomes of it now can be
   * told; what came as far as `delivered` stays told. False when it is no dead letter.
   */
  replay(tenant: Tenant, id: DeliveryId): Promise<boolean>
}
