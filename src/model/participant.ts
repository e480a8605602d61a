// The people and machines of a conversation, as its events name them.
import type { AccountId, ParticipantId } from './ids'

export type Role = 'customer' | 'agent' | 'supervisor' | 'bot'

/** Somebody as every reader may know them. Names stand in each event, so that live and replay are the same bytes. */
export interface Person {
  readonly id: ParticipantId
  readonly role: Role
  readonly name: string
}
/** Whom an event comes from: a person, or the gateway itself. */
export type Author = Person | { readonly id: 'system'; readonly role: 'system'; readonly name: 'System' }
export const SYSTEM: Author = { id: 'system', role: 'system', name: 'System' }

/** Where a customer who is not listening live is reached. */
export interface Address {
  readonly channel: string
  /** Ours of several numbers or pages on the channel; empty where there is only one. */
  readonly account: string
  /** The customer's account on the channel: a phone number, a page-scoped id. */
  readonly refId: string
}

/** A channel as it is named in the log, whatever spelling names it: an open list in lower case; `facebook` is `fb`. */
export function channelName(text: string): string {
  const name = text.toLowerCase()
  return name === 'facebook' ? 'fb' : name
}

/** A person's time in a conversation. */
export interface Membership extends Person {
  /** Small integer, 1 for the first member, never used twice in a conversation. */
  readonly ordinal: number
  /** Who stands behind it; absent for customers. */
  readonly account?: AccountId
  /** A carried member gets a delivery for each public message of others; a live one reads its own socket. */
  readonly presence: 'live' | 'carried'
  /** Silent supervisors are seen by staff only. */
  readonly silent: boolean
  readonly left: boolean
}

export const isStaff = (role: Author['role']): boolean => role === 'agent' || role === 'supervisor'
export const personOf = ({ id, role, name }: Person): Person => ({ id, role, name })
