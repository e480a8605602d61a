// What a `sendMessage` asks for, read from its many spellings. Pure.
import { hash } from 'node:crypto'
import type { Saying } from '../../conversation/rules'
import type { Content } from '../../model/content'
import { GatewayError } from '../../model/errors'
import type { ReceiptState } from '../../model/events'
import { parseEventId, type EventId, type ParticipantId, type Place } from '../../model/ids'
import { newId } from '../../model/new-id'
import type { Address } from '../../model/participant'
import { readOpeningFacts, type Attachment as WireAttachment, type SendRequest } from './wire'

export type Speech =
  | { readonly type: 'say'; readonly body: Saying['body'] }
  | { readonly type: 'typing'; readonly state: 'started' | 'stopped' }
  | {
      readonly type: 'receipt'
      readonly state: ReceiptState
      readonly messageId: string | null
      readonly reason: string
    }
  | { readonly type: 'end' }
  | { readonly type: 'handOff' }

const RECEIPTS: ReadonlySet<string> = new Set<ReceiptState>(['accepted', 'sent', 'delivered', 'read', 'failed'])
/** A provider's own words for what we call otherwise. */
const PROVIDER_WORDS: Readonly<Record<string, ReceiptState>> = {
  queued: 'accepted',
  expired: 'failed',
  rejected: 'failed',
  undelivered: 'failed',
}
/** Activities that only the server tells. */
const OURS: ReadonlySet<string> = new Set([
  'greetings',
  'participantAdded',
  'participantRemoved',
  'participantJoined',
  'participantLeft',
  'participantChanged',
  'noAgentAvailable',
  'conversationErased',
  'queued',
  'idleWarning',
  'transcriptMailed',
])

/** @param fromConnector connectors may report all receipts, in their provider's words too. */
export function readSpeech(request: SendRequest, fromConnector: boolean): Speech {
  const { type, activityType, extras, text = '', attachments = [] } = request
  const isActivity = type === undefined ? activityType !== undefined : type === 'ActivityMessage'
  if (isActivity) return readActivity(request, fromConnector)
  if (text === '' && attachments.length === 0 && Object.keys(extras).length === 0)
    throw new GatewayError('invalidRequest', 'Say something: text or attachments.', { details: ['text'] })
  return { type: 'say', body: { type: 'message', content: readContent(request) } }
}

type Words = Pick<SendRequest, 'text'> &
  Partial<Pick<Content, 'extras'>> & { attachments?: readonly WireAttachment[] | undefined }

/** JSON of one message's content, so that a delivery of it finds room in the store. */
const MAX_CONTENT_BYTES = 56 * 1024
/** Below so many characters escaping cannot bring a text over the limit. */
const SURELY_SMALL = 4 * 1024

export function readContent(words: Words): Content {
  const content = contentOf(words)
  const isSmall = content.text.length <= SURELY_SMALL && content.attachments.length === 0
  if (!isSmall && Buffer.byteLength(JSON.stringify(content)) > MAX_CONTENT_BYTES)
    throw new GatewayError('tooLarge', 'Text and `data:` links may hold 56 KB together. Link to large files instead.')
  return content
}
function contentOf({ text = '', attachments = [], extras = {} }: Words): Content {
  return {
    text,
    attachments: attachments.map(({ type, name, contentUrl, thumbnailUrl }) => ({
      type,
      name,
      contentUrl,
      ...(thumbnailUrl !== undefined && { thumbnailUrl }),
    })),
    extras,
  }
}

function readActivity(request: SendRequest, fromConnector: boolean): Speech {
  const { activityType: name = '', info = {} } = request
  if (name === '')
    throw new GatewayError('invalidRequest', 'Name the activity in activityType.', { details: ['activityType'] })
  if (name === 'typing') return { type: 'typing', state: info['state'] === 'stopped' ? 'stopped' : 'started' }
  if (name === 'endOfConversation') return { type: 'end' }
  if (name === 'handOff') return { type: 'handOff' }
  const state = receiptState(name, fromConnector)
  if (state) return readReceipt(request, state)
  if (OURS.has(name)) throw new GatewayError('forbidden', 'Only the gateway tells this activity.')
  return { type: 'say', body: { type: 'activity', name, info } }
}
function receiptState(name: string, fromConnector: boolean): ReceiptState | null {
  if (RECEIPTS.has(name)) {
    if (fromConnector || name === 'delivered' || name === 'read') return name as ReceiptState
    throw new GatewayError('forbidden', 'Only a connector reports this.')
  }
  return fromConnector && Object.hasOwn(PROVIDER_WORDS, name) ? (PROVIDER_WORDS[name] ?? null) : null
}
function readReceipt({ info = {}, messageId }: SendRequest, state: ReceiptState): Speech {
  const named = info['messageId'] ?? messageId
  const reason = info['reason']
  return {
    type: 'receipt',
    state,
    messageId: typeof named === 'string' && named.length <= 128 ? named : null,
    reason: typeof reason === 'string' ? reason.slice(0, 256) : '',
  }
}

/** Who says it. */
interface Speaker {
  readonly from: ParticipantId
  /** Of a connector: that of the customer for whom it speaks. */
  readonly address: Address | null
}
/**
 * The wish of a member to say something. Under a key of the sender's its digest tells a repeat; without one, and under
 * a provider's id, it is like no other.
 */
export function readSaying(request: SendRequest, { from, address }: Speaker, body: Saying['body']): Saying {
  const { messageId: clientMessageId = null, externalMessageId: id, tag = '', to = [] } = request
  const whisper = tag === 'whisper'
  if (id === undefined || !address) {
    const digest = clientMessageId === null ? newId() : digestOf([to, tag, body])
    return { from, clientMessageId, digest, to, whisper, body }
  }
  const { channel, account, refId } = address
  const external = { channel, account, id, digest: broughtDigest(refId, body) }
  return { from, clientMessageId, digest: newId(), to, whisper, external, body }
}

/**
 * Who said what on a channel: the same whether a conversation is named or not, so the facts that a conversation may
 * open with are no part of it.
 */
export function broughtDigest(refId: string, body: Saying['body']): string {
  if (body.type === 'activity') return digestOf([refId, body.name, body.info])
  const { extras } = readOpeningFacts(body.content.extras)
  return digestOf([refId, { ...body.content, extras }])
}

/** 96 bits of SHA-256 over the JSON of what was said. */
export function digestOf(said: unknown): string {
  return hash('sha256', JSON.stringify(said), 'base64url').slice(0, 16)
}

/** The message of this conversation that a receipt names. */
export function eventIdIn({ conversationId }: Place, messageId: string | null): EventId {
  if (messageId !== null && parseEventId(messageId)?.conversationId === conversationId) return messageId as EventId
  throw new GatewayError('invalidRequest', 'messageId names no message for you. Use the id of what arrived.', {
    details: ['info.messageId'],
  })
}
