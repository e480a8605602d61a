// Requests of every event of the catalog, changed field by field, as the packets that carry them.
import { EVENTS, type EventName } from '../../src/dialects/customer-channel/catalog-events'
import type { Chance } from './chance'
import { junk, MARK, mutated, write, type Fields } from './junk'
import { frame } from './raw-socket'

/** What the sender of a case could truly say. */
export interface Standing {
  readonly conversationId: string
  /** The handle, or whatever stands in its place. */
  readonly id: string
  readonly token: string
  /** The connector's own channel. */
  readonly channel: string
  readonly instance: string
}
export interface EventCase {
  /** For the reader of a fault. */
  readonly name: string
  readonly bytes: Buffer
  /** Null: it asks for no acknowledgement. */
  readonly ack: number | null
}

const ALIASES = ['sessionId', 'messageType', 'queue', 'serviceIdentifier', 'MESSAGEID', 'Text', 'from', 'seq', 'key']
const NAMES = Object.keys(EVENTS) as EventName[]
/** An end of the conversation is one case among many, or nothing would be said. */
const SPOKEN: readonly EventName[] = [
  ...NAMES,
  'sendMessage',
  'sendMessage',
  'sendMessage',
  'sendMessage',
  'joinConversation',
]

const attachment = (chance: Chance): Fields => ({
  type: 'image/png',
  name: MARK,
  contentUrl: chance.pick([
    `https://example.org/${MARK}`,
    `data:image/png;base64,${'A'.repeat(chance.pick([10, 32_746, 32_747]))}`,
    `https://example.org/${'a'.repeat(chance.pick([10, 2_028, 2_029]))}`,
  ]),
})
const SAID: readonly ((standing: Standing, chance: Chance) => Fields)[] = [
  (_standing, chance) => ({ type: 'ChatMessage', text: MARK, messageId: `m${chance.below(1e9)}`, tag: '', to: [] }),
  (_standing, chance) => ({ text: MARK, messageId: chance.pick(['m1', 'm2']), attachments: [attachment(chance)] }),
  (standing, chance) => ({ text: MARK, tag: chance.pick(['whisper', 'WHISPER', 'x']), to: [{ id: standing.id }] }),
  (_standing, chance) => ({ activityType: 'typing', info: { state: chance.pick(['started', 'stopped']) } }),
  (standing, chance) => ({
    type: 'ActivityMessage',
    activityType: chance.pick(['delivered', 'read', 'failed', 'queued', 'expired', 'accepted', 'sent']),
    info: { messageId: `${standing.conversationId}.${chance.below(5)}`, deliveryId: MARK, reason: MARK },
  }),
  (_standing, chance) => ({ activityType: chance.pick(['handOff', 'greetings', 'idleWarning', MARK]), info: { a: 1 } }),
  ({ channel }, chance) => ({
    conversationId: undefined,
    channel,
    refId: `+49${chance.below(20)}`,
    account: '',
    externalMessageId: `x${chance.below(1e9)}`,
    text: MARK,
    firstName: MARK,
  }),
  ({ channel }) => ({ conversationId: undefined, channel, activityType: 'delivered', providerMessageId: MARK }),
]
function sample(name: EventName, standing: Standing, chance: Chance): Fields {
  const { conversationId, id, token, channel, instance } = standing
  switch (name) {
    case 'joinConversation':
      return { conversationId, id, name: MARK, after: chance.below(5), token, silent: chance.oneIn(4) }
    case 'sendMessage':
      return { conversationId, ...chance.pick(SAID)(standing, chance) }
    case 'endConversation':
      return chance.oneIn(10) ? { conversationId, reason: MARK } : { conversationId: `${conversationId}x` }
    case 'leaveConversation':
    case 'requestAgentTransfer':
      return { conversationId, reason: MARK }
    case 'registerConnector':
    case 'registerBot':
      return { id: channel, name: MARK, channel, account: '', instance, acknowledges: true }
  }
}

export function eventCase(standing: Standing, chance: Chance, id: number): EventCase {
  const name = chance.pick(SPOKEN)
  const fields = [...Object.keys(EVENTS[name].request.documented.shape), ...ALIASES]
  const request = mutated(sample(name, standing, chance), fields, chance)
  const ack = chance.oneIn(4) ? null : id
  const said = name === 'joinConversation' && chance.oneIn(4) ? 'joinConveration' : name
  if (chance.oneIn(25)) return withBinary(said, request, { ack, chance })
  const args = chance.oneIn(12) ? [request, junk(chance), junk(chance)] : [request]
  if (chance.oneIn(40)) args.reverse()
  if (chance.oneIn(80)) args.length = 0
  return packet(`42${ack ?? ''}${write([said, ...args])}`, ack)
}
const packet = (text: string, ack: number | null, ...more: readonly Buffer[]): EventCase => ({
  name: text.slice(0, 300),
  bytes: Buffer.concat([frame(text), ...more]),
  ack,
})
/** The request, or a field of it, is bytes. */
function withBinary(
  name: string,
  request: unknown,
  { ack, chance }: { ack: number | null; chance: Chance },
): EventCase {
  const place = { _placeholder: true, num: 0 }
  const field = chance.pick(['text', 'conversationId', 'attachments', 'info', 'to', MARK])
  const body = write(typeof request === 'object' && request !== null ? { ...request, [field]: place } : place)
  // A placeholder for bytes that do not come closes the connection, and is a matter of frames.
  const isWhole = !/"_placeholder":true(?!,"num":0})/.test(body) && chance.oneIn(2)
  const bytes = Buffer.alloc(chance.pick([0, 3, 500, 5_000]), 0x61)
  const text = `451-${ack ?? ''}["${name}",${isWhole ? body : write(place)}]`
  return packet(text, ack, frame(bytes, { opcode: 2 }))
}

/** What a connector might answer to a delivery. */
export const deliveryAnswer = (id: string, chance: Chance): Buffer => {
  const valid = { code: 200, providerMessageId: `p${chance.below(1e9)}`, retryable: false, retryAfter: 1, reason: MARK }
  const answer = mutated(valid, [...Object.keys(valid), 'providerMessageIds'], chance)
  return frame(`43${id}${write(chance.oneIn(10) ? [] : [answer])}`)
}
