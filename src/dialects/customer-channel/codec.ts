// Our log → the Customer Channel API. Pure: no sockets, no clock, no store.
import { isStored, type Content, type StoredAttachment } from '../../model/content'
import type { Conversation, Opening } from '../../model/conversation'
import type { ConversationEvent, Ephemeral, InternalEvent, PublicEvent, Utterance } from '../../model/events'
import type { Author, Person as ModelPerson } from '../../model/participant'
import type { DeliveryBody } from '../../conversation/rules'
import type { Delivery } from '../../store/records'
import type {
  ActivityMessage,
  Attachment,
  ChatMessage,
  ConversationInfo,
  Person,
  WireConversation,
  WireMessage,
} from './wire'

/** What every message of a conversation repeats. */
export interface Setting {
  readonly channel: string
  readonly refId: string
  /** The socket that joined with a handle sees the handle where its own id stands, so that old clients find themselves. */
  readonly self: { readonly id: string; readonly shown: string } | null
  readonly show: ShowFile
}
/** How an audience is shown a file of the conversation: by a link that opens it for a while. */
export type ShowFile = (file: StoredAttachment) => Attachment

const TYPE: Readonly<Record<Author['role'], Person['type']>> = {
  customer: 'Customer',
  agent: 'Agent',
  supervisor: 'Agent',
  bot: 'Bot',
  system: 'System',
}

function encodePerson({ id, name, role }: Author, { self }: Setting): Person {
  return { id: id === self?.id ? self.shown : id, name, type: TYPE[role] }
}

/** For customers and connectors. An internal event is no argument for it. */
export function encodePublic(event: PublicEvent, setting: Setting): WireMessage {
  const envelope = envelopeOf(event, setting, event.publicPosition)
  return event.type === 'messageSent'
    ? encodeChat(event, envelope, setting)
    : encodePublicActivity(event, envelope, setting)
}

/** For staff, who hear everything. */
export function encodeForStaff(event: ConversationEvent, setting: Setting): WireMessage {
  const envelope = envelopeOf(event, setting, event.position)
  if (event.publicPosition === null) return encodeInternal(event, envelope, setting)
  return event.type === 'messageSent'
    ? encodeChat(event, envelope, setting)
    : encodePublicActivity(event, envelope, setting)
}

interface Envelope {
  readonly id: string
  readonly messageId: string
  readonly conversationId: string
  readonly timestamp: string
  readonly channel: string
  readonly seq: number
  readonly from: Person
  readonly to: Person[]
}
function envelopeOf(event: ConversationEvent, setting: Setting, seq: number): Envelope {
  const { id, conversationId, by, at: timestamp } = event
  const to = 'to' in event ? event.to.map((person) => encodePerson(person, setting)) : []
  const messageId = ('clientMessageId' in event ? event.clientMessageId : null) ?? id
  return {
    id,
    messageId,
    conversationId,
    timestamp,
    channel: setting.channel,
    seq,
    from: encodePerson(by, setting),
    to,
  }
}

type Said = Extract<ConversationEvent, { type: 'messageSent' | 'whispered' }>
function encodeChat(event: Said, envelope: Envelope, { refId, show }: Setting): ChatMessage {
  const { content } = event
  const { id, messageId, conversationId, timestamp, channel, seq, from, to } = envelope
  const tag = event.type === 'whispered' ? event.tag : ''
  const attachments = encodeAttachments(content, show)
  const { text } = content
  const type = 'ChatMessage'
  // Field by field, and made once for each audience of each message.
  const said = {
    type,
    id,
    messageId,
    conversationId,
    seq,
    from,
    to,
    text,
    tag,
    refId,
    channel,
    attachments,
    timestamp,
  } as const
  return hasKeys(content.extras) ? { ...content.extras, ...said } : said
}
const hasKeys = (object: object): boolean => Object.keys(object).length > 0
export const encodeAttachments = ({ attachments }: Pick<Content, 'attachments'>, show: ShowFile): Attachment[] =>
  attachments.map((attachment) => (isStored(attachment) ? show(attachment) : { ...attachment }))

type Told = Pick<ActivityMessage, 'activityType' | 'info'> & { readonly tag?: 'whisper' | '' }
function activity(envelope: Envelope, { activityType, info, tag = '' }: Told): ActivityMessage {
  return { ...envelope, type: 'ActivityMessage', activityType, tag, info }
}

function encodePublicActivity(
  event: Exclude<PublicEvent, { type: 'messageSent' }>,
  envelope: Envelope,
  setting: Setting,
) {
  const participant = (person: ModelPerson) => ({ participant: encodePerson(person, setting) })
  switch (event.type) {
    case 'participantJoined':
      return activity(envelope, { activityType: 'participantJoined', info: participant(event.participant) })
    case 'participantLeft': {
      const info = { ...participant(event.participant), reason: event.reason }
      return activity(envelope, { activityType: 'participantLeft', info })
    }
    case 'receiptAdvanced':
      return activity(envelope, { activityType: event.state, info: receiptInfo(event) })
    case 'activity':
      return activity(envelope, { activityType: event.name, info: event.info })
    case 'idleWarned':
      return activity(envelope, { activityType: 'idleWarning', info: { endsAt: event.endsAt } })
    case 'conversationEnded':
      return activity(envelope, { activityType: 'endOfConversation', info: { reason: event.reason } })
  }
}

function encodeInternal(event: InternalEvent, envelope: Envelope, setting: Setting): WireMessage {
  const participant = (person: ModelPerson) => ({ participant: encodePerson(person, setting) })
  switch (event.type) {
    case 'whispered':
      return encodeChat(event, envelope, setting)
    case 'internalReceiptAdvanced':
      return activity(envelope, { activityType: event.state, info: receiptInfo(event), tag: 'whisper' })
    case 'internalActivity':
      return activity(envelope, { activityType: event.name, info: event.info, tag: event.tag })
    case 'observerJoined': {
      const info = { ...participant(event.participant), silent: true }
      return activity(envelope, { activityType: 'participantJoined', info, tag: 'whisper' })
    }
    case 'observerLeft': {
      const info = { ...participant(event.participant), reason: event.reason, silent: true }
      return activity(envelope, { activityType: 'participantLeft', info, tag: 'whisper' })
    }
    case 'presenceChanged': {
      const info = { ...participant(event.participant), presence: event.presence }
      return activity(envelope, { activityType: 'participantChanged', info, tag: 'whisper' })
    }
    case 'transcriptMailed': {
      const info = { state: event.state, mailId: event.mailId }
      return activity(envelope, { activityType: 'transcriptMailed', info, tag: 'whisper' })
    }
    case 'conversationErased':
      return activity(envelope, { activityType: 'conversationErased', info: { ...event.counts }, tag: 'whisper' })
  }
}
const receiptInfo = ({ messageId, reason }: { messageId: string; reason?: string }) => ({
  messageId,
  ...(reason && { reason }),
})

export function encodeEphemeral({ conversationId, by, to, at, state, internal }: Ephemeral, setting: Setting) {
  return {
    type: 'ActivityMessage',
    conversationId,
    from: encodePerson(by, setting),
    to: to.map((person) => encodePerson(person, setting)),
    timestamp: at,
    channel: setting.channel,
    activityType: 'typing',
    tag: internal ? 'whisper' : '',
    info: { state },
  } satisfies ActivityMessage
}

export function encodeGreeting(
  place: { conversationId: string; at: string },
  to: Person,
  setting: Setting,
): ActivityMessage {
  return {
    type: 'ActivityMessage',
    conversationId: place.conversationId,
    from: { id: 'system', name: 'System', type: 'System' },
    to: [to],
    timestamp: place.at,
    channel: setting.channel,
    activityType: 'greetings',
    tag: '',
    info: {},
  }
}

/** To a customer who is carried again: everybody else has them as before. Not stored, so without a `seq`. */
export function encodeDeparture(
  place: { conversationId: string; at: string },
  me: Person,
  setting: Setting,
): ActivityMessage {
  const info = { participant: me, reason: 'left' }
  return { ...encodeGreeting(place, me, setting), from: me, to: [], activityType: 'participantLeft', info }
}

type Audience = 'staff' | 'public'
export function encodeConversation(conversation: Conversation, audience: Audience): WireConversation {
  const { id, opening, status, position, publicPosition } = conversation
  const { address, language, subject, at } = opening
  return {
    id,
    conversationId: id,
    channel: address.channel,
    account: address.account,
    language,
    refId: address.refId,
    subject,
    state: status === 'open' ? 'active' : 'ended',
    createdAt: at,
    seq: audience === 'staff' ? position : publicPosition,
    ...(audience === 'staff' && staffOnly(opening)),
  }
}
function staffOnly({ customer, url, comment, channelData }: Opening) {
  const { name, firstName, lastName, email, phone, verified } = customer
  const profile = { name, firstName, lastName, email, phone, verified }
  return { customer: profile, url, comment, channelData: { ...channelData } }
}

/** Who is there, as this reader may know it: silent supervisors are seen by staff only. */
export function encodeMembers({ memberships }: Conversation, audience: Audience, setting: Setting): Person[] {
  const seen = memberships.filter((member) => !member.left && (audience === 'staff' || !member.silent))
  return seen.map((member) => encodePerson(member, setting))
}

export function encodeInfo(picture: {
  conversation: WireConversation
  members: Person[]
  messages: WireMessage[]
  role: ConversationInfo['role']
}): ConversationInfo {
  const { conversation, members, messages, role } = picture
  return { conversation, messages, participants: members, participant: members, role }
}

/** A delivery, as a connector is told it: `refId` is the customer's account on the channel. */
export function encodeDelivery(delivery: Delivery, body: DeliveryBody, show: ShowFile): ChatMessage {
  const { id: deliveryId, to, conversationId, messageId, recipient } = delivery
  const setting = { channel: to.channel, refId: to.refId, self: null, show }
  return {
    ...body.content.extras,
    ...(messageId && { id: messageId }),
    ...(conversationId && { conversationId }),
    ...(body.seq !== null && { seq: body.seq }),
    type: 'ChatMessage',
    messageId: body.messageId ?? messageId ?? deliveryId,
    from: encodePerson(body.from ?? { id: 'system', role: 'system', name: 'System' }, setting),
    to: recipient ? [{ id: recipient, name: '', type: 'Customer' }] : [],
    text: body.content.text,
    tag: '',
    refId: to.refId,
    channel: to.channel,
    account: to.account,
    attachments: encodeAttachments(body.content, show),
    timestamp: body.at,
    deliveryId,
  }
}

/** The joiner, as it finds itself in what arrives. */
export function encodeSelf({ memberships }: Conversation, id: string, setting: Setting): Person | null {
  const member = memberships.find((known) => known.id === id)
  return member ? encodePerson(member, setting) : null
}

/** How a member learns where its utterance stands. */
export function acknowledgementOf(event: Utterance, counts: 'staff' | 'public') {
  return {
    conversationId: event.conversationId,
    id: event.id,
    messageId: event.clientMessageId ?? event.id,
    seq: counts === 'staff' ? event.position : (event.publicPosition ?? event.position),
    timestamp: event.at,
  }
}

/** Who said a line of a transcript: a name and a kind, no id. */
export const encodeSpeaker = ({ name, role }: Pick<Author, 'name' | 'role'>) => ({ name, type: TYPE[role] })
