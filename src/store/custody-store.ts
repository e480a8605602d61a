// Port: how long conversations are kept, who holds them, and which are being erased.
import type { ConversationId, Place, Tenant } from '../model/ids'
import type { Address } from '../model/participant'

/** Whoever begins an erasure has it in hand for so long, in milliseconds; then others may go on with it. */
export const IN_HAND_MS = 5 * 60_000
/** Conversations that are counted at most. */
export const MAX_COUNTED = 10_000

/** A customer as somebody names them who wants them erased. */
export interface Who extends Pick<Address, 'channel' | 'refId'> {
  /** Null: whatever account of ours they wrote to. */
  readonly account: string | null
}
/** A legal hold: what is under it is not erased, by nobody. */
export interface Hold {
  /** Why, for whoever looks later; at most 256 characters. */
  readonly reason: string
}
export interface Custody {
  readonly conversationId: ConversationId
  readonly address: Address
  /** ISO 8601; empty while it lives. */
  readonly endedAt: string
  readonly hold: (Hold & { readonly since: string }) | null
  /** `due`: its erasure is under way. */
  readonly erasure: 'none' | 'due' | 'done'
}
/** Of a channel: what ended before this time is due, ISO 8601; null: nothing of it ever is. */
export type EndedBefore = (channel: string) => string | null

/** What somebody looks after for a while, and nobody else meanwhile. */
export interface Claimed {
  /** Conversations whose erasure is under way, or due because their time is over. */
  readonly conversations: readonly ConversationId[]
  /** Customers whose erasure is under way. */
  readonly customers: readonly (Who & { readonly since: string })[]
}
export interface Due {
  readonly channel: string
  /** Conversations whose time is over and that are not held; no more than 10 000 are counted. */
  readonly due: number
  readonly held: number
}

/** Every time of a claim is that of the database's clock, or of the gateway's in its place. */
export interface CustodyStore {
  find(place: Place): Promise<Custody | null>
  /** Conversations of a customer that are not erased yet, living and ended, by id and after it; at most `limit`. */
  conversationsOf(tenant: Tenant, who: Who, after: string, limit: number): Promise<ConversationId[]>
  /**
   * Holds a conversation, or lets it go (null). False when its erasure has begun.
   * @param address where its customer is reached, for a conversation that has not been entered yet
   */
  hold(place: Place, address: Address, hold: Hold | null): Promise<boolean>
  /**
   * From here on it is to be erased, whatever happens to whoever began: `due` until `erased` is called. `held`: it must
   * not be. `done`: it was.
   */
  begin(place: Place, address: Address): Promise<'due' | 'held' | 'done'>
  /** Nothing is left to erase, nor where the customer was reached. */
  erased(place: Place): Promise<void>
  /**
   * From here on a customer is being erased, until `fulfilled` is called.
   * @param since ISO 8601, the gateway's clock: what they open later is not meant
   */
  intend(tenant: Tenant, who: Who, since: string): Promise<void>
  fulfilled(tenant: Tenant, who: Who): Promise<void>
  /**
   * Takes what is under way and has been left lying, and what is due: for `claimMs` milliseconds nobody else is given it,
   * on no node.
   */
  claim(
    tenant: Tenant,
    endedBefore: EndedBefore,
    claim: { readonly limit: number; readonly claimMs: number },
  ): Promise<Claimed>
  /** By channel, in order: where there is anything to count. */
  due(tenant: Tenant, endedBefore: EndedBefore): Promise<Due[]>
  /** Conversations that were erased from this time on (ISO 8601), oldest first; at most `limit`. */
  erasedSince(
    tenant: Tenant,
    since: string,
    limit: number,
  ): Promise<{ readonly id: ConversationId; readonly at: string }[]>
}
