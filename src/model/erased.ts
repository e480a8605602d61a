// What is left of a conversation that was erased: places, times, roles and ids, and not a word of anybody's.
import type { Content, JsonObject } from './content'
import type { Conversation, Opening } from './conversation'
import type { ConversationEvent } from './events'
import type { ConversationId } from './ids'
import type { Author, Membership, Person } from './participant'

/** Stands for every name, and for the name of an activity. */
export const ERASED = 'Erased'
const NOTHING: Content = { text: '', attachments: [], extras: {} }
const NO_INFO: JsonObject = {}

/** Stands for where the customer was reached: nothing leads from it to the other conversations of the same customer. */
const erasedRefId = (id: ConversationId): string => `erased:${id}`

/** Has everything been removed from it that said who the customer was, and what was said? */
export const isErased = ({ id, opening }: Conversation): boolean => opening.address.refId === erasedRefId(id)

/** The picture that a conversation opened with and has come to, without a name in it. */
export function erasedConversation(conversation: Conversation): Conversation {
  const { id, opening, memberships } = conversation
  return { ...conversation, opening: erasedOpening(id, opening), memberships: memberships.map(nameless<Membership>) }
}

function erasedOpening(id: ConversationId, { address, customer, language, carried, at }: Opening): Opening {
  const { participantId, verified } = customer
  return {
    address: { channel: address.channel, account: address.account, refId: erasedRefId(id) },
    language,
    subject: '',
    url: '',
    comment: '',
    channelData: {},
    customer: { participantId, name: ERASED, firstName: '', lastName: '', email: '', phone: '', verified },
    carried,
    at,
  }
}

const nameless = <P extends Person>(person: P): P => ({ ...person, name: ERASED })
const authorless = (by: Author): Author => (by.role === 'system' ? by : nameless<Person>(by))

/**
 * The same event, in its place, under its id and key, and with nothing in it that anybody said or is called. Erasing what
 * is erased changes nothing.
 */
export function erasedEvent(event: ConversationEvent): ConversationEvent {
  const by = authorless(event.by)
  switch (event.type) {
    case 'messageSent':
    case 'whispered':
      return { ...event, by, to: event.to.map(nameless<Person>), content: NOTHING }
    case 'activity':
    case 'internalActivity':
      return { ...event, by, to: event.to.map(nameless<Person>), name: ERASED, info: NO_INFO }
    case 'receiptAdvanced':
    case 'internalReceiptAdvanced': {
      const { reason = '', ...rest } = event
      const known = { by, participant: nameless(event.participant) }
      return reason === '' ? { ...event, ...known } : { ...rest, ...known }
    }
    case 'participantJoined':
    case 'observerJoined':
    case 'participantLeft':
    case 'observerLeft':
    case 'presenceChanged':
      return { ...event, by, participant: nameless(event.participant) }
    case 'idleWarned':
    case 'conversationEnded':
    case 'transcriptMailed':
      return { ...event, by }
    // Says who erased it, which is the staff's to know.
    case 'conversationErased':
      return event
  }
}
