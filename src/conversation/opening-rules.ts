// The rules of opening, as pure functions: one live conversation per address, one answer per request id, one entry per provider's message.
import type { Conversation, Opening } from '../model/conversation'
import { GatewayError } from '../model/errors'
import type { EventDraft, Utterance } from '../model/events'
import type { ConversationId, ParticipantId } from '../model/ids'
import type { Content } from '../model/content'
import type { Person } from '../model/participant'
import type { Decision, View } from '../store/conversation-store'
import { broughtAgain, remembered } from './rules'
import type { Suppression } from './suppression'

export interface Request {
  /** What a new conversation would be. */
  readonly id: ConversationId
  readonly opening: Opening
  /** Hash of channel, account and identifiers: a repeated request id must name the same. */
  readonly digest: string
  /** ISO 8601: how long the answer is repeated. */
  readonly repeatUntil: string
  /** May this caller have the answer of the earlier one again? */
  readonly mayRepeat: (earlier: { readonly note: string; readonly at: string }) => boolean
}
export interface Opened extends Decision {
  readonly conversationId: ConversationId
  readonly customer: ParticipantId
}

/** Opens a conversation, or finds the one that this request or address has already. */
export function open(view: View, request: Request): Opened {
  const { id, opening, digest, repeatUntil } = request
  if (view.once) return { events: [], ...namesOf(repeatOf(view, request)) }
  const once = { note: digest, expiresAt: repeatUntil }
  const conversation = liveIn(view)
  if (conversation) return { events: [], once, ...namesOf(conversation) }
  return { open: { id, opening }, events: [], once, conversationId: id, customer: opening.customer.participantId }
}

/** The live conversation of the address was read before the batch was decided: it may end in this very commit. */
const liveIn = ({ conversation }: View): Conversation | null => (conversation?.status === 'open' ? conversation : null)

function repeatOf({ once, conversation }: View, { mayRepeat }: Request): Conversation {
  if (conversation && once && mayRepeat({ note: once.note, at: conversation.opening.at })) return conversation
  throw new GatewayError('conflict', 'This requestId was used for another request. Use a new one.')
}
const namesOf = ({ id, opening }: Conversation) => ({
  conversationId: id,
  customer: opening.customer.participantId,
})

export interface Inbound {
  readonly id: ConversationId
  readonly opening: Opening
  readonly clientMessageId: string | null
  /** Hash of who said what: a repeat must say the same. */
  readonly digest: string
  readonly content: Content
}
export interface Received extends Decision {
  readonly repeated: Utterance | null
  /** Index of the message among the events. */
  readonly message: number
  readonly opened: boolean
}

/** What a customer said on a channel: into the live conversation of the address, or into a new one. */
export function receive(view: View, inbound: Inbound, suppression: Suppression): Received {
  if (view.once) return { events: [], message: 0, repeated: broughtAgain(view, inbound), opened: false }
  const { clientMessageId, digest, content } = inbound
  const live = liveIn(view)
  const { opening, memberships } = live ?? { opening: inbound.opening, memberships: [] }
  const { name, participantId } = opening.customer
  const customer: Person = { id: participantId, role: 'customer', name }
  const known = memberships.find(({ id }) => id === participantId)
  const events: EventDraft[] = []
  if (!known || known.left) {
    const ordinal = known?.ordinal ?? memberships.length + 1
    events.push({ type: 'participantJoined', participant: customer, ordinal, presence: 'carried', by: customer })
  }
  const message = events.length
  events.push({ type: 'messageSent', clientMessageId, digest, to: [], content, by: customer })
  const once = { ...remembered(view.now, inbound), event: message }
  const writes = suppression.writesFor(opening.address, opening.language, content.text)
  const decision = { events, once, writes, message, repeated: null }
  if (live) return { ...decision, opened: false }
  return { ...decision, open: { id: inbound.id, opening: inbound.opening }, opened: true }
}
