// Port: which members have a live connection, and on which node. A node that dies takes its own with it, after a grace.
import type { ConversationId, ParticipantId, Tenant } from '../model/ids'

/** A member of a conversation, as far as attendance knows them. */
export interface Attendee {
  readonly tenant: Tenant
  readonly conversationId: ConversationId
  readonly participantId: ParticipantId
}

export interface AttendanceStore {
  /**
   * Says that this node lives, and will for so long. Whoever was on a node that does not any more is away: they have the
   * grace to come back. Answers false when this node was taken for dead itself: it must say again who is on it.
   */
  beat(node: string, times: { readonly aliveMs: number; readonly graceMs: number }): Promise<boolean>
  /** This node is on its way down: whoever is on it has the grace to come back elsewhere. */
  close(node: string, graceMs: number): Promise<void>
  /** These have their first connection on this node. */
  arrive(node: string, attendees: readonly Attendee[]): Promise<void>
  /** These have lost their last connection on this node: after the grace they are gone, unless they come back. */
  depart(node: string, attendees: readonly Attendee[], graceMs: number): Promise<void>
  /**
   * Claims members whose grace has ended and who are on no other node either, longest gone first. Nobody else gets them
   * for the time of the claim; `forget` ends it. Empty: nobody is due but those whom somebody has claimed.
   */
  claimGone(tenant: Tenant, claim: { readonly limit: number; readonly claimMs: number }): Promise<Attendee[]>
  /** What was due for these has been done. Who is back meanwhile stays. */
  forget(attendees: readonly Attendee[]): Promise<void>
  /** Milliseconds until somebody's grace ends; null when nobody is away. */
  nextGoneIn(tenant: Tenant): Promise<number | null>
}
