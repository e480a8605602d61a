// A conversation is an append-only log of events; this is the picture that they paint, with the facts it opened with.
import type { JsonObject } from './content'
import type { ConversationId, ParticipantId, Tenant } from './ids'
import type { Address, Membership } from './participant'

export interface CustomerProfile {
  readonly participantId: ParticipantId
  /** The name to display. */
  readonly name: string
  readonly firstName: string
  readonly lastName: string
  readonly email: string
  readonly phone: string
  /** True only when a keyed connector or a signed identity vouches for the identifiers; a claim on the web is a claim. */
  readonly verified: boolean
}

/** The facts a conversation opens with. They never change, so they are no events. Staff alone see all of them. */
export interface Opening {
  readonly address: Address
  readonly language: string
  readonly subject: string
  readonly url: string
  readonly comment: string
  readonly channelData: JsonObject
  readonly customer: CustomerProfile
  /** True on every channel but `web`: the customer gets deliveries, not a socket. */
  readonly carried: boolean
  /** ISO 8601. */
  readonly at: string
}

export type Status = 'open' | 'ended'

export interface Conversation {
  readonly tenant: Tenant
  readonly id: ConversationId
  readonly opening: Opening
  readonly status: Status
  /** Position of the last event; 0 before the first. */
  readonly position: number
  /** Public position of the last public event. */
  readonly publicPosition: number
  /** Everybody who was ever a member, in order of arrival. */
  readonly memberships: readonly Membership[]
  /** When somebody last spoke or came, ISO 8601: idle ending counts from here. */
  readonly activeAt: string
  readonly idleWarned: boolean
  /** ISO 8601, empty while it lives. */
  readonly endedAt: string
}

export const memberOf = (conversation: Conversation, id: string): Membership | undefined =>
  conversation.memberships.find((m) => m.id === id && !m.left)

export function blank(tenant: Tenant, id: ConversationId, opening: Opening): Conversation {
  return {
    tenant,
    id,
    opening,
    status: 'open',
    position: 0,
    publicPosition: 0,
    memberships: [],
    activeAt: opening.at,
    idleWarned: false,
    endedAt: '',
  }
}
