// What the documents say in words: errors and what to do about them, fields, credentials, and the examples.
import type { ErrorCode } from '../../model/errors'
import type { RouteName } from './catalog'
import type { EventName } from './catalog-events'

/** Where the documented gateway is. */
export interface DocumentPlace {
  /** Origin as clients see it, such as `https://chat.example.com`, without a slash at its end. Empty: unknown. */
  readonly url: string
  /** Such as `/chat`; empty: the root. */
  readonly basePath: string
  readonly version: string
}

interface ErrorText {
  readonly status: number
  readonly meaning: string
  /** What a caller can do. */
  readonly remedy: string
}
/** The closed list of error codes, as the wire shows them. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorText>> = {
  invalidRequest: {
    status: 400,
    meaning: 'The request has not the shape that is documented; `details` names the fields.',
    remedy: 'Mend the fields. A repeat gets the same answer.',
  },
  unauthorized: {
    status: 401,
    meaning: 'The credential is missing, wrong, expired or revoked, or two that differ were sent.',
    remedy: 'Sign in again, renew the token, or check the key.',
  },
  forbidden: {
    status: 403,
    meaning: 'You are known, and this is not among your rights.',
    remedy: 'Use a credential that has the right.',
  },
  notFound: {
    status: 404,
    meaning: 'There is nothing here for you. Unknown, foreign and erased look alike.',
    remedy: 'Check the id and the credential; start a new conversation if need be.',
  },
  timeout: {
    status: 408,
    meaning: 'The request took too long to arrive. Nothing of it was kept.',
    remedy: 'Send it again, over a faster connection if you can.',
  },
  conflict: {
    status: 409,
    meaning: 'The key was used for something else, or somebody was faster.',
    remedy: 'Use a new key for a new request; read again what you wanted to change.',
  },
  conversationEnded: {
    status: 410,
    meaning: 'The conversation has ended; nothing can be added to it.',
    remedy: 'Start a new one.',
  },
  tooLarge: {
    status: 413,
    meaning: 'The text, the link or the body is too large.',
    remedy: 'Send less; put files behind a link.',
  },
  unsupportedMediaType: {
    status: 415,
    meaning: 'The body is not JSON.',
    remedy: 'Send `Content-Type: application/json`.',
  },
  tooManyRequests: {
    status: 429,
    meaning: 'Too much, from this address or with this credential.',
    remedy: 'Wait `retryAfter` seconds, then repeat with the same key.',
  },
  internal: {
    status: 500,
    meaning: 'Something went wrong on our side; the log has the details.',
    remedy: 'Repeat with the same key.',
  },
  notImplemented: { status: 501, meaning: 'This gateway does not do that.', remedy: 'Do without it.' },
  unavailable: {
    status: 503,
    meaning: 'The gateway cannot write now, or is overloaded. Nothing was acknowledged.',
    remedy: 'Wait `retryAfter` seconds, then repeat with the same key.',
  },
  storageFull: {
    status: 507,
    meaning: 'There is no room for this file now. Nothing of it was kept.',
    remedy: 'Send it again later, and tell whoever runs the gateway.',
  },
}

export const INTRODUCTION = `One durable conversation between a customer and whoever answers.

- **Errors** are \`{"error": {"code", "message", "retryable", "details"}}\`, everywhere. \`code\` is one of the list below,
  \`details\` names fields and never values. Whoever was told \`retryable\` may repeat the same call with the same key.
- **Acknowledged means written.** A repeat with the same \`messageId\`, \`requestId\`, \`externalMessageId\` or
  \`idempotencyKey\` is taken once and answered the same.
- **\`null\` is absent**, keys may be written in any case, and keys that are not listed are kept: at most 16, 4 KB together.
- **New keys may come** in what the gateway sends; skip those that you do not know.`

export const errorTable = (): string =>
  [
    '| code | status | meaning | what to do |',
    '|---|---|---|---|',
    ...Object.entries(ERRORS).map(
      ([code, { status, meaning, remedy }]) => `| \`${code}\` | ${status} | ${meaning} | ${remedy} |`,
    ),
  ].join('\n')

export const CREDENTIALS = {
  staffToken: {
    scheme: 'JWT',
    text: 'Agents and supervisors: the signed token from `POST /api/agent/login`. On the socket: `auth.token`.',
  },
  customerToken: {
    scheme: 'token',
    text: 'Customers: the `token` from init or from the acknowledgement of joinConversation, valid for 24 h. On the socket: `auth.token`, or `token` in joinConversation.',
  },
  apiKey: {
    scheme: 'key',
    text: 'Connectors, bots and third parties: an API key. On the socket: `auth.token`; a connector that cannot send one gives `key` in registerConnector and init.',
  },
} as const
export type Credential = keyof typeof CREDENTIALS

/** What a field means, by its name, or by the name of its schema and its own where they differ. */
export const FIELDS: Readonly<Record<string, string>> = {
  conversationId: 'Opaque; from init or from the first event.',
  channel: '`web`, or the name of a connector’s channel.',
  account: 'Ours of several numbers or pages on the channel; empty where there is only one.',
  refId: 'The customer’s account on the channel, such as a phone number.',
  subject: 'The skill group. An unknown one is the default queue, never an error.',
  requestId: 'Idempotency key of the request; made when absent.',
  messageId: 'The sender’s own key. The same key is said once, and answered the same.',
  externalMessageId:
    'The provider’s id: a repeat is taken once, with or without a conversation, also after the end. Kept for 7 days. It wins over `messageId`.',
  providerMessageId: 'How the provider names the message, within one channel and account.',
  providerMessageIds: 'The provider’s ids where the message left in segments, in order.',
  deliveryId: 'Stable: the same message comes again with the same one.',
  seq: 'The reader’s own count, 1…n without gaps: public events for customers and connectors, all events for staff.',
  text: 'Plain text, at most 16 KB of UTF-8.',
  tag: '`whisper`: for staff only.',
  to: 'Whom it is addressed to; empty: everybody. Only staff named: internal.',
  from: 'From the membership of the sender, never from the request.',
  attachments: 'At most 10.',
  contentUrl: '`http:`, `https:`, or a `data:` link of at most 32 KB. The gateway never fetches it.',
  thumbnailUrl: 'A small picture of it, under the same rules.',
  activityType: 'Such as `typing`, `delivered`, `read`, `participantJoined`, `endOfConversation`.',
  info: 'What belongs to the activity, such as `state` or `messageId`.',
  timestamp: 'ISO 8601.',
  after: 'Continues after this place.',
  silent: 'Supervisors only: be seen by staff alone.',
  instance: 'Tells two processes of one connector apart, so that they share the work instead of fencing each other.',
  acknowledges: 'True: deliveries are leased, and repeated until they are answered. False: each is sent once.',
  key: 'An API key, for clients that can put it nowhere else. It is never logged or passed on.',
  token: 'A credential.',
  language: 'A language tag, such as `en`.',
  retryable: 'The same call with the same key may succeed later.',
  retryAfter: 'Seconds to wait before a repeat.',
  details: 'Paths of the fields at fault, never their values.',
  idempotencyKey: 'The same key is sent once; another body under it is a conflict.',
  expiresAt: 'Not valid, or not tried, after this time.',
  dailyQuota: 'Outbound notifications a day (UTC).',
  prefixes: 'E.164 prefixes that outbound notifications may go to; none: any.',
  participants: 'Everybody who is a member now.',
  state: 'Where it stands.',
  verified: 'True only when a connector or a signed identity vouches for the identifiers.',
  channelData: 'What else init brought. Staff only.',
  'NotificationRequest.to': 'The customer’s address on the channel, such as a phone number.',
  'InitRequest.url': 'The page that the customer came from.',
  'JoinRequest.id': 'The handle from init. Ignored for staff.',
  'TokenRequest.id': 'The handle from init.',
  'RegisterConnectorRequest.id': 'The name of the channel.',
  'ConversationInfo.participant': 'The same list under its older name.',
  'ChatMessage.id': 'Made by the server, unique. Receipts name it.',
}

const person = { id: '4pXr0q5m0Xk2u8YbJ3cN9w', name: 'Nadia', type: 'Customer' }
const conversationId = 'V7mJw2cQ8kT0e5YhR3nLxA'
const timestamp = '2026-11-20T10:15:30.412Z'
const handle = { id: 'h1.k9Qd2vWm7rT3xZ0bYf5LsA', name: 'Nadia' }

/** Examples by the name of their schema. Each is parsed by a test. */
export const EXAMPLES: Readonly<Record<string, unknown>> = {
  InitRequest: {
    firstName: 'Nadia',
    channel: 'web',
    language: 'en',
    phone: '+923001234567',
    refId: '+923001234567',
    subject: 'support',
    requestId: '0b1f6c1e-5f0e-4a6a-9d7e-0a1b2c3d4e5f',
    timestamp: '2026-11-20T10:15:30.000Z',
  },
  InitAnswer: {
    conversationId,
    participant: handle,
    requestId: '0b1f6c1e-5f0e-4a6a-9d7e-0a1b2c3d4e5f',
    timestamp,
    token: 'eyJhbGciOiJIUzI1NiJ9.…',
    Participant: handle,
    Timestamp: timestamp,
  },
  JoinRequest: { conversationId, id: handle.id, name: 'Nadia', after: 41 },
  JoinReply: {
    code: 200,
    conversationId,
    role: 'customer',
    participant: { id: 'JqXgVbT0vCkKgZ1C8h5oRzQ0m2t7WnPd', name: 'Nadia', type: 'Customer' },
    token: 'eyJhbGciOiJIUzI1NiJ9.…',
  },
  SendRequest: {
    conversationId,
    type: 'ChatMessage',
    messageId: 'm-1',
    to: [],
    text: 'Hello',
    tag: '',
    attachments: [],
  },
  SendReply: { code: 200, conversationId, id: `${conversationId}.3`, messageId: 'm-1', seq: 3, timestamp },
  ConversationRequest: { conversationId },
  EmptyReply: { code: 200, conversationId },
  RegisterConnectorRequest: { id: 'sms', name: 'SMS connector', channel: 'sms', acknowledges: true },
  RegisterConnectorReply: { code: 200, id: 'sms', channel: 'sms', account: '', instance: '' },
  DeliveryReply: { code: 200, providerMessageId: '7f3a91' },
  ChatMessage: {
    type: 'ChatMessage',
    conversationId,
    id: `${conversationId}.3`,
    messageId: 'm-1',
    seq: 3,
    from: person,
    to: [],
    text: 'Hello',
    tag: '',
    refId: '+923001234567',
    channel: 'web',
    timestamp,
    attachments: [],
  },
  ActivityMessage: {
    type: 'ActivityMessage',
    conversationId,
    from: person,
    to: [],
    activityType: 'typing',
    tag: '',
    info: { state: 'started' },
    channel: 'web',
    timestamp,
  },
  FailureReply: {
    code: 404,
    error: {
      code: 'notFound',
      message: 'There is nothing here for you. Check the conversation id and your credential.',
      retryable: false,
    },
  },
  NotificationRequest: { to: '+4915112345678', text: 'Your parcel arrives today.', idempotencyKey: 'parcel-1842' },
  LoginRequest: { username: 'amira', password: 'a long enough password' },
  EraseRequest: { channel: 'sms', refId: '+923001234567' },
  HoldRequest: { hold: true, reason: 'Case 2026-117' },
  CreateKeyRequest: { name: 'SMS in the north', kind: 'connector', channel: 'sms' },
  CreateAgentRequest: { username: 'amira', password: 'a long enough password', name: 'Amira', role: 'agent' },
}

/** Routes that answer 409, with the reason. */
export const CONFLICTS: Partial<Readonly<Record<RouteName, string>>> = {
  init: 'The `requestId` was used with other identifiers. The answer holds no ids.',
  createAgent: 'The username is taken.',
  changeAgent: 'Somebody else changed the account at the same time. Read it again.',
  createKey: 'This kind, channel and account has two keys already. Revoke one.',
  erase: 'A legal hold keeps it from being erased; of a customer, nothing was begun then.',
  holdConversation: 'It is being erased, or was.',
  sendNotification: 'The `idempotencyKey` was used with another body.',
}

/** What happens besides the answer. */
export const EVENT_NOTES: Partial<Readonly<Record<EventName, string>>> = {
  joinConversation:
    'After the acknowledgement come `conversationInfo`, what follows it as `messageArrived`, and the activity `greetings`. A rejoin is a full recovery.',
  sendMessage:
    'The acknowledgement is sent only when the message is durable, and stands in its place: everything with a smaller `seq` has been emitted before it. The sending socket gets no echo.',
  endConversation:
    'Every member gets the activity `endOfConversation`. Ending twice is a success; sending afterwards answers 410.',
  registerConnector:
    'A second registration of the same id, account and instance fences the first: it is told so (409) and disconnected.',
}
