// Replays one event onto a conversation: the only definition of what an event means.
import type { Conversation } from './conversation'
import { erasedConversation } from './erased'
import { isPublic, type ConversationEvent } from './events'
import type { Membership } from './participant'

export function evolve(conversation: Conversation, event: ConversationEvent): Conversation {
  const { position, at } = event
  const publicPosition = isPublic(event) ? event.publicPosition : conversation.publicPosition
  const next: Conversation = wakes(event)
    ? { ...conversation, position, publicPosition, activeAt: at, idleWarned: false }
    : { ...conversation, position, publicPosition }
  switch (event.type) {
    case 'participantJoined':
      return { ...next, memberships: arrive(next, { ...event, silent: false }) }
    case 'observerJoined':
      return { ...next, memberships: arrive(next, { ...event, presence: 'live', silent: true }) }
    case 'participantLeft':
    case 'observerLeft':
      return { ...next, memberships: change(next, event.participant.id, { left: true }) }
    case 'presenceChanged':
      return { ...next, memberships: change(next, event.participant.id, { presence: event.presence }) }
    case 'idleWarned':
      return { ...next, idleWarned: true }
    case 'conversationEnded':
      return { ...next, status: 'ended', endedAt: event.at }
    case 'conversationErased':
      return erasedConversation(next)
    case 'messageSent':
    case 'whispered':
    case 'receiptAdvanced':
    case 'internalReceiptAdvanced':
    case 'activity':
    case 'internalActivity':
    case 'transcriptMailed':
      return next
  }
}

/** Somebody came or spoke: silence is counted from here. */
const wakes = ({ type }: ConversationEvent): boolean =>
  type === 'messageSent' || type === 'whispered' || type === 'participantJoined'

type Coming = Pick<Membership, 'presence' | 'silent' | 'ordinal'> & {
  readonly participant: Pick<Membership, 'id' | 'role' | 'name'>
  readonly account?: Membership['account']
}
function arrive({ memberships }: Conversation, { participant, ordinal, account, presence, silent }: Coming) {
  const { id, role, name } = participant
  const member: Membership = { id, role, name, ordinal, presence, silent, left: false, ...(account && { account }) }
  return memberships.some((m) => m.id === id)
    ? memberships.map((m) => (m.id === id ? { ...member, ordinal: m.ordinal } : m))
    : memberships.concat(member)
}

function change({ memberships }: Conversation, id: string, to: Partial<Membership>): readonly Membership[] {
  return memberships.map((m) => (m.id === id ? { ...m, ...to } : m))
}
