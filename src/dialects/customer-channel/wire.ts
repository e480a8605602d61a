// The Customer Channel API as it looks on the socket. Tolerant in what it reads, single-spelled in what it says.
import { z } from 'zod'
import type { JsonObject } from '../../model/content'
import { ERROR_CODES } from '../../model/errors'
import { channel, freeObject, line, lineOrNumber, parse, request, textUpTo, token } from './tolerant'

export const MAX_TEXT_BYTES = 16 * 1024
export const MAX_DATA_LINK = 32 * 1024
const MAX_LINK = 2048
const MAX_ATTACHMENTS = 10
const MAX_ADDRESSEES = 50
export const MAX_NAME = 64

/** Public ids, handles and conversation ids: opaque to clients. */
const id = z.string().min(1).max(128)

// ---------------------------------------------------------------------------------------------------------- what we say

export const person = z.object({
  id: z.string(),
  name: z.string(),
  type: z.enum(['Customer', 'Agent', 'Bot', 'System']),
})
export type Person = z.infer<typeof person>

const attachmentShape = {
  type: line(128).default(''),
  name: line(256).default(''),
  contentUrl: z
    .string()
    .refine(isAllowedLink, 'Send an http: or https: link, or a data: link')
    .refine(isSmallLink, { error: 'The link is too long', params: { tooLarge: true } }),
  thumbnailUrl: z
    .string()
    .refine(isAllowedLink, 'Send an http: or https: link, or a data: link')
    .refine(isSmallLink, { error: 'The link is too long', params: { tooLarge: true } })
    .optional(),
  /** Bytes, as the gateway counted them: in what it says, of files that it keeps. */
  size: z.int().nonnegative().optional(),
}
const attachmentRequest = request(attachmentShape, {
  aliases: { contentType: 'type', mimeType: 'type', _contentUrl: 'contentUrl', _thumbnailUrl: 'thumbnailUrl' },
})
export const attachment = attachmentRequest.documented
export type Attachment = z.infer<typeof attachment>

function isAllowedLink(link: string): boolean {
  return /^(https?:\/\/|data:)/i.test(link)
}
function isSmallLink(link: string): boolean {
  return link.length <= (/^data:/i.test(link) ? MAX_DATA_LINK : MAX_LINK)
}

const envelope = {
  /** Made by the server, unique. */
  id: z.string().optional(),
  /** The sender's own key, or `id`; absent, as that is, from what is not stored. */
  messageId: z.string().optional(),
  conversationId: z.string().optional(),
  /** The reader's own count: public events for customers and connectors, all for staff. 1…n without gaps. */
  seq: z.int().positive().optional(),
  from: person,
  to: z.array(person),
  timestamp: z.iso.datetime(),
  channel: z.string(),
}
export const chatMessage = z.looseObject({
  ...envelope,
  type: z.literal('ChatMessage'),
  messageId: z.string(),
  text: z.string(),
  tag: z.enum(['', 'whisper']),
  refId: z.string(),
  account: z.string().optional(),
  attachments: z.array(attachment),
  /** Outbound to a connector only. The same message comes again with the same one. */
  deliveryId: z.string().optional(),
})
export const activityMessage = z.object({
  ...envelope,
  type: z.literal('ActivityMessage'),
  activityType: z.string(),
  tag: z.enum(['', 'whisper']),
  info: z.record(z.string(), z.unknown()),
})
export type ChatMessage = z.infer<typeof chatMessage>
export type ActivityMessage = z.infer<typeof activityMessage>
export type WireMessage = ChatMessage | ActivityMessage
export const wireMessage = z.discriminatedUnion('type', [chatMessage, activityMessage])

export const role = z.enum(['customer', 'agent', 'supervisor', 'bot', 'connector'])
export const conversation = z.object({
  id: z.string(),
  conversationId: z.string(),
  channel: z.string(),
  account: z.string(),
  language: z.string(),
  refId: z.string(),
  subject: z.string(),
  state: z.enum(['active', 'ended']),
  createdAt: z.iso.datetime(),
  /** Where the log stood for this reader when the picture was taken. */
  seq: z.int().nonnegative(),
  /** Staff only, as are the three that follow. */
  customer: z
    .object({
      name: z.string(),
      firstName: z.string(),
      lastName: z.string(),
      email: z.string(),
      phone: z.string(),
      verified: z.boolean(),
    })
    .optional(),
  url: z.string().optional(),
  comment: z.string().optional(),
  channelData: z.record(z.string(), z.unknown()).optional(),
})
export type WireConversation = z.infer<typeof conversation>
export const conversationInfo = z.object({
  conversation,
  messages: z.array(wireMessage),
  participants: z.array(person),
  participant: z.array(person),
  role,
})
export type ConversationInfo = z.infer<typeof conversationInfo>

export const initConversation = z.object({ conversation })

export const failure = z.object({
  code: z.enum(ERROR_CODES),
  message: z.string(),
  /** The same call with the same `messageId` may succeed later. */
  retryable: z.boolean(),
  /** Paths of the fields at fault, never their values. */
  details: z.array(z.string()).optional(),
  retryAfter: z.number().optional(),
})
export const failureReply = z.object({
  code: z.int().min(400).max(599),
  error: failure,
  /** Of the event `error`: the conversation whose seat has ended, with the token that it was taken with. */
  conversationId: z.string().optional(),
})
export type Failure = z.infer<typeof failureReply>
const success = { code: z.literal(200) }
export type Reply<T = object> = ({ code: 200 } & T) | Failure
/** Acknowledgements are optional: half of the clients in the field never ask for one. */
export type Ack<T = object> = (reply: Reply<T>) => void

// --------------------------------------------------------------------------------------------------------- what we read

export const joinRequest = request(
  {
    conversationId: id,
    /** The handle from init. Ignored for staff, bots and keyed connectors that join for nobody. */
    id: id.optional(),
    name: line(MAX_NAME).optional(),
    /** Resume after this `seq` of the reader's own count. */
    after: z.coerce.number().int().min(0).max(1e12).optional(),
    token: z.string().max(4096).optional(),
    /** Supervisors only: be seen by staff alone. */
    silent: z.boolean().optional(),
  },
  { aliases: { sessionId: 'conversationId' } },
)
export type JoinRequest = z.output<typeof joinRequest.schema>
export const joinReply = z.object({
  ...success,
  conversationId: z.string(),
  role,
  /** Who you are in this conversation: what you say comes back under this id. */
  participant: person,
  /** For customers: valid for 24 h, `POST /api/customer/token` renews it. */
  token: z.string().optional(),
})
export type JoinReply = z.infer<typeof joinReply>

const addressee = z
  .union([id, z.looseObject({ id })])
  .transform((entry) => (typeof entry === 'string' ? entry : entry.id))
/** An array, one object, one text, or absent. */
const addressees = z.preprocess(
  (raw): unknown => (raw === '' ? [] : Array.isArray(raw) ? raw : [raw]),
  z.array(addressee).max(MAX_ADDRESSEES),
)
const tag = z
  .string()
  .max(32)
  .transform((text) => text.trim().toLowerCase())

/** Names that only the server writes into a message. */
const RESERVED = ['id', 'seq', 'timestamp', 'from', 'key', 'token', 'code', 'error', 'extras', 'participant']

const sent = request(
  {
    conversationId: id.optional(),
    type: z.enum(['ChatMessage', 'ActivityMessage']).optional(),
    /** The sender's own key: the same key is said once. */
    messageId: token(128).optional(),
    to: addressees.optional(),
    text: textUpTo(MAX_TEXT_BYTES).optional(),
    tag: tag.optional(),
    attachments: z.array(attachmentRequest.schema).max(MAX_ATTACHMENTS).optional(),
    activityType: line(MAX_NAME).optional(),
    info: freeObject.optional(),
    /** Connectors: the customer's account on the channel; instead of a conversation id, with what follows. */
    refId: lineOrNumber(128).optional(),
    channel: channel.optional(),
    account: lineOrNumber(128).optional(),
    externalMessageId: token(256).optional(),
    deliveryId: token(64).optional(),
    providerMessageId: token(256).optional(),
  },
  {
    aliases: { sessionId: 'conversationId', messageType: 'type', serviceIdentifier: 'account' },
    reserved: RESERVED,
    emptyIsAbsent: ['tag', 'refId', 'to', 'attachments', 'channel', 'account'],
  },
)
const openingShape = {
  firstName: line(MAX_NAME).optional(),
  lastName: line(MAX_NAME).optional(),
  language: line(35).optional(),
  subject: line(128).optional(),
}
const openingFacts = request(openingShape, { aliases: { queue: 'subject' } })
/** What came along with a message that opens a conversation; in any other these are keys of the client's own. */
export const readOpeningFacts = (extras: JsonObject) => parse(openingFacts.schema, extras)
export const sendRequest = { schema: sent.schema, documented: sent.documented.extend(openingShape) }
export type SendRequest = z.output<typeof sendRequest.schema>
export const sendReply = z.object({
  ...success,
  conversationId: z.string().optional(),
  id: z.string().optional(),
  messageId: z.string().optional(),
  seq: z.int().optional(),
  timestamp: z.iso.datetime().optional(),
})
export type SendReply = z.infer<typeof sendReply>

export const conversationRequest = request(
  { conversationId: id, reason: line(128).optional() },
  { aliases: { sessionId: 'conversationId' } },
)
export const emptyReply = z.object({ ...success, conversationId: z.string().optional() })

export const registerConnectorRequest = request({
  id: line(MAX_NAME).optional(),
  name: line(MAX_NAME).optional(),
  channel: channel.optional(),
  account: lineOrNumber(128).default(''),
  /** Tells two processes of one connector apart, so that they share the work instead of fencing each other. */
  instance: line(MAX_NAME).default(''),
  acknowledges: z.boolean().default(false),
  key: z.string().max(512).optional(),
})
export const registerConnectorReply = z.object({
  ...success,
  id: z.string(),
  channel: z.string(),
  account: z.string(),
  instance: z.string(),
  warning: z.string().optional(),
})
/** What a connector answers to a delivery. */
export const deliveryReply = request({
  code: z.coerce.number().int().min(100).max(599),
  providerMessageId: token(256).optional(),
  providerMessageIds: z.array(token(256)).max(255).optional(),
  retryable: z.boolean().optional(),
  retryAfter: z.coerce.number().min(0).max(86_400).optional(),
  reason: line(256).optional(),
})
export type DeliveryReply = z.input<typeof deliveryReply.documented>

export interface ClientToServerEvents {
  joinConversation(request: unknown, ack?: Ack<JoinReply>): void
  sendMessage(request: unknown, ack?: Ack<SendReply>): void
  endConversation(request: unknown, ack?: Ack): void
  leaveConversation(request: unknown, ack?: Ack): void
  registerConnector(request: unknown, ack?: Ack<z.infer<typeof registerConnectorReply>>): void
}
export interface ServerToClientEvents {
  conversationInfo(info: ConversationInfo): void
  messageArrived(message: WireMessage, ack?: (reply: DeliveryReply) => void): void
  initConversation(info: { conversation: WireConversation }): void
  error(failure: Failure): void
}
