// The REST requests and answers of the Customer Channel API.
import { z } from 'zod'
import { channel, line, lineOrNumber, request, textUpTo, token } from './tolerant'
import { attachment, conversation, failure, MAX_NAME, MAX_TEXT_BYTES } from './wire'

const id = z.string().min(1).max(128)
const channelNamed = channel.pipe(z.string().min(1))
const emailAddress = line(254)

export const errorAnswer = z.object({ error: failure })

export const initRequest = request(
  {
    channel: channelNamed,
    refId: lineOrNumber(128).optional(),
    account: lineOrNumber(128).optional(),
    firstName: line(MAX_NAME).optional(),
    lastName: line(MAX_NAME).optional(),
    email: emailAddress.optional(),
    phone: lineOrNumber(64).optional(),
    language: line(35).optional(),
    url: line(2048).optional(),
    comment: line(1024).optional(),
    /** The skill group. An unknown one is the default queue, never an error. */
    subject: line(128).optional(),
    /** Idempotency key; made when absent. */
    requestId: token(128).optional(),
    timestamp: z.preprocess(readTimestamp, z.iso.datetime({ offset: true })).optional(),
    key: z.string().max(512).optional(),
    token: z.string().max(4096).optional(),
  },
  {
    aliases: { serviceIdentifier: 'account', queue: 'subject', reqestId: 'requestId' },
    reserved: ['conversationId', 'participant'],
  },
)
export type InitRequest = z.output<typeof initRequest.schema>

/** Also `YYYY-MM-DD HH:mm:ss`, as UTC. */
function readTimestamp(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw
  return /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(raw) ? `${raw.replace(' ', 'T')}Z` : raw
}

const handle = z.object({ id: z.string(), name: z.string() })
export const initAnswer = z.object({
  conversationId: z.string(),
  /** `id` is the handle: a secret that joins as this customer. */
  participant: handle,
  requestId: z.string(),
  timestamp: z.iso.datetime(),
  token: z.string(),
  Participant: handle,
  Timestamp: z.iso.datetime(),
})

export const tokenRequest = request(
  { conversationId: id, id, token: z.string().max(4096).optional() },
  { aliases: { sessionId: 'conversationId' } },
)
export const tokenAnswer = z.object({ token: z.string(), expiresAt: z.iso.datetime() })

export const loginRequest = request({ username: z.string().min(1).max(128), password: z.string().min(1).max(1024) })
const staffRole = z.enum(['agent', 'supervisor'])
export const loginAnswer = z.object({
  token: z.string(),
  agent: z.object({ id: z.string(), name: z.string(), role: staffRole }),
})

const password = z.string().min(12, 'Use at least 12 characters').max(1024)
export const agent = z.object({
  id: z.string(),
  username: z.string(),
  name: z.string(),
  role: staffRole,
  disabled: z.boolean(),
  createdAt: z.iso.datetime(),
})
export const agentAnswer = z.object({ agent })
export const agentsAnswer = z.object({ agents: z.array(agent) })
export const createAgentRequest = request({
  username: line(MAX_NAME).pipe(z.string().min(1)),
  password,
  name: line(MAX_NAME).optional(),
  role: staffRole.default('agent'),
})
export const changeAgentRequest = request({
  name: line(MAX_NAME).optional(),
  role: staffRole.optional(),
  password: password.optional(),
  disabled: z.boolean().optional(),
})

const keyKind = z.enum(['connector', 'thirdParty', 'bot'])
export const createKeyRequest = request({
  name: line(MAX_NAME).pipe(z.string().min(1)),
  kind: keyKind,
  channel: channelNamed,
  account: lineOrNumber(128).default(''),
  /** Outbound notifications a day (UTC). */
  dailyQuota: z.int().min(0).max(1e9).optional(),
  /** E.164 prefixes, such as `+49`, that outbound notifications may go to; none: any. */
  prefixes: z
    .array(z.string().regex(/^\+\d{1,14}$/, 'Write it as +49'))
    .max(250)
    .default([]),
})
export const key = z.object({
  id: z.string(),
  name: z.string(),
  kind: keyKind,
  channel: z.string(),
  account: z.string(),
  dailyQuota: z.int().nullable(),
  prefixes: z.array(z.string()),
  createdAt: z.iso.datetime(),
})
export const createdKeyAnswer = z.object({ key: key.extend({ secret: z.string().describe('Told once, here') }) })
export const keysAnswer = z.object({ keys: z.array(key) })

export const pageQuery = request({
  after: z.string().max(128).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})
export const conversationsQuery = request({
  state: z.enum(['active', 'ended']).default('active'),
  after: z.string().max(128).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})
const next = z.string().nullable().describe('Give it as `after` for the next page; null on the last')
export const conversationsAnswer = z.object({ conversations: z.array(conversation), next })

export const deadLetter = z.object({
  id: z.string(),
  channel: z.string(),
  account: z.string(),
  refId: z.string(),
  conversationId: z.string().nullable(),
  messageId: z.string().nullable(),
  attempts: z.int(),
  reason: z.string(),
  createdAt: z.iso.datetime(),
})
export const deadLettersAnswer = z.object({ deadLetters: z.array(deadLetter), next })

export const notificationRequest = request({
  to: lineOrNumber(128).pipe(z.string().min(1)),
  account: lineOrNumber(128).optional(),
  text: textUpTo(MAX_TEXT_BYTES).default(''),
  attachments: z.array(attachment).max(10).default([]),
  idempotencyKey: token(256).optional(),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
})
export const notification = z.object({
  id: z.string(),
  channel: z.string(),
  account: z.string(),
  to: z.string(),
  state: z.enum(['waiting', 'accepted', 'sent', 'delivered', 'read', 'failed']),
  reason: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
})
export const acceptedNotification = z.object({ id: z.string(), state: notification.shape.state })

const speaker = z.object({ name: z.string(), role: z.string() })
const documentQuery = {
  /** IANA, such as `Europe/Berlin`. UTC when absent. */
  timeZone: line(64).optional(),
  /** For labels and times; the conversation's when absent. */
  language: line(35).optional(),
}
export const transcriptQuery = request(documentQuery)
export const staffTranscriptQuery = request({
  ...documentQuery,
  audience: z.enum(['staff', 'customer']).default('staff'),
})

const moment = { seq: z.int(), at: z.iso.datetime() }
const transcriptLine = z.object({
  ...moment,
  from: speaker.extend({ type: z.string() }),
  text: z.string(),
  attachments: z.array(attachment),
  state: z.enum(['accepted', 'sent', 'delivered', 'read', 'failed']).nullable(),
})
const move = z.object({
  ...moment,
  kind: z.enum(['joined', 'left', 'ended']),
  from: speaker,
  reason: z.string().optional(),
})
export const eraseRequest = request({
  conversationId: id.optional(),
  channel: channelNamed.optional(),
  account: lineOrNumber(128).optional(),
  refId: lineOrNumber(128).pipe(z.string().min(1)).optional(),
})
export type EraseRequest = z.output<typeof eraseRequest.schema>
const count = z.int().min(0)
export const erasure = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  conversations: count,
  events: count.describe('Those that said something or named somebody; places, times, types, roles and ids are kept'),
  deliveries: count,
  notifications: count.describe('Those whose address was removed'),
  files: count,
  suppression: z
    .enum(['none', 'keptAsHash'])
    .describe('keptAsHash: an opt-out is kept, and of the address only a hash'),
  storage: z
    .enum(['overwritten', 'freed'])
    .describe('freed: the database overwrites the bytes when it needs the room, not at once'),
})
export const erasureAnswer = z.object({ erasure })

export const holdRequest = request({ hold: z.boolean(), reason: line(256).optional() })
export const holdAnswer = z.object({
  conversationId: z.string(),
  hold: z.boolean(),
  reason: z.string().optional(),
  since: z.iso.datetime().optional(),
})
export const retentionAnswer = z.object({
  rules: z.array(z.object({ channel: z.string(), days: z.int() })).describe('None for a channel: it is kept'),
  channels: z.array(z.object({ channel: z.string(), due: count, held: count })),
})

export const transcriptJson = z.object({
  conversationId: z.string(),
  channel: z.string(),
  account: z.string(),
  subject: z.string(),
  language: z.string(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  audience: z.literal('customer'),
  people: z.array(speaker),
  lines: z.array(transcriptLine),
  events: z.array(move),
  hash: z.string(),
})
export const staffTranscriptJson = transcriptJson.extend({
  endedAt: z.iso.datetime().nullable(),
  audience: z.enum(['staff', 'customer']),
  lines: z.array(transcriptLine.extend({ whisper: z.literal(true).optional() })),
  events: z.array(move.extend({ kind: z.enum(['joined', 'left', 'ended', 'observerJoined', 'observerLeft']) })),
})
