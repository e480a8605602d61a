// Port: takes out of the tables what a customer said and is called, in steps that let commits through between them.
import type { Place, Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import type { Who } from './custody-store'

export interface ErasedPage {
  /** Position of the last event that was looked at; the one asked for when there was none behind it. */
  readonly last: number
  /** Events that said something or named somebody, and no longer do. */
  readonly events: number
  /** Deliveries of these messages, whatever had become of them. */
  readonly deliveries: number
}
/** What hangs on a conversation besides its messages. */
export interface Hanging {
  /** Where its customer was reached. */
  readonly address: Address
  /** Of the request ids that it was opened under. */
  readonly scope: string
}
export interface ErasedAddress {
  /** Their address is removed; what became of them stays. One that was waiting has failed. */
  readonly notifications: number
  readonly deliveries: number
  /** Whether their wish to get no notifications is kept on, by a hash of the address. */
  readonly suppressed: boolean
}
/** `overwritten`: no byte is left in the database's files. `freed`: the server overwrites what is left when it needs the room. */
export type Scrubbed = 'overwritten' | 'freed'

/** Each call is one step. What is erased already is no work and counts as nothing. */
export interface ErasureStore {
  /**
   * Rewrites the events after a position, at most `limit`, as `erasedEvent` says, and deletes the deliveries of their
   * messages; the next one for a recipient goes then. A connector's answer to one of them finds nothing to settle.
   */
  eraseEvents(place: Place, after: number, limit: number): Promise<ErasedPage>
  /**
   * A part of what else hangs on an erased conversation: request ids, and on Postgres the lane of its recipient. Answers
   * how many rows; 0 when nothing is left. The ids of what providers brought stay until they expire, as hashes: a provider
   * that calls again must not bring back what was erased.
   */
  eraseRest(place: Place, hanging: Hanging, limit: number): Promise<number>
  /**
   * A part, at most `limit` of them, of the notifications to a customer. Nothing is left when it answers fewer. An entry
   * on the suppression list stays as a hash.
   */
  eraseAddress(tenant: Tenant, who: Who, limit: number): Promise<ErasedAddress>
  /** After all steps: sees to the bytes that deleting has left behind in files. */
  scrub(): Promise<Scrubbed>
}
