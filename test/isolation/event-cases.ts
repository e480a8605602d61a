// One case or more for every event of the catalog: the requests a stranger would try on somebody else's conversation.
import { EVENTS, type EventName } from '../../src/dialects/customer-channel/catalog-events'
import type { Lure } from './strangers'

type Body = Record<string, unknown>
export interface Attempt {
  readonly body: Body
  /** What it is answered with everywhere; 404 where not said. */
  readonly code?: number
}
/** What is known of the conversation, true or made up. */
export interface Target {
  readonly conversationId: string
  readonly messageId: string
  readonly memberId: string
}
/** A record without one of the events does not compile, and the test counts them besides. */
type Cases = Readonly<Record<EventName, (target: Target, lure: Lure) => readonly Attempt[]>>

const all = (...bodies: Body[]): Attempt[] => bodies.map((body) => ({ body }))

export const EVENT_CASES: Cases = {
  joinConversation: ({ conversationId, messageId }, lure) =>
    all(
      { conversationId, ...lure },
      { conversationId, ...lure, name: 'Ann', after: 0 },
      { sessionId: conversationId, ...lure, after: 1_000_000, silent: false },
      { conversationId, ...lure, from: { id: lure.id }, messageId, role: 'agent' },
    ),
  sendMessage: ({ conversationId, messageId, memberId }, lure) => {
    const about = { conversationId, ...lure, from: { id: lure.id ?? memberId, type: 'Agent' } }
    const activity = (activityType: string, more: Body = {}) => ({
      ...about,
      type: 'ActivityMessage',
      activityType,
      ...more,
    })
    return all(
      { ...about, type: 'ChatMessage', text: 'let me in' },
      { ...about, text: 'let me in', messageId: 'a key', externalMessageId: 'x', refId: '+4915112345678' },
      { ...about, text: 'let me in', to: [{ id: memberId }] },
      { ...about, text: 'let me in', tag: 'whisper' },
      { ...about, text: '' },
      activity('typing', { info: { state: 'started' } }),
      activity('typing', { info: { state: 'stopped' }, tag: 'whisper', to: memberId }),
      activity('delivered', { info: { messageId } }),
      activity('read', { info: { messageId } }),
      activity('wave', { info: { high: true } }),
      activity('greetings'),
      activity('endOfConversation'),
      activity('handOff'),
    )
  },
  endConversation: ({ conversationId }, lure) =>
    all({ conversationId, ...lure }, { sessionId: conversationId, ...lure }),
  leaveConversation: ({ conversationId }, lure) =>
    all({ conversationId, ...lure }, { sessionId: conversationId, reason: 'bored', ...lure }),
  registerConnector: ({ conversationId }, lure) =>
    // A channel's own registration is tried in `connectors.test.ts`.
    [{ body: { id: 'web', channel: 'web', conversationId, ...lure }, code: 400 }],
  registerBot: ({ conversationId }, lure) => [{ body: { id: 'web', conversationId, ...lure }, code: 501 }],
  requestAgentTransfer: ({ conversationId }, lure) => [{ body: { conversationId, ...lure }, code: 501 }],
}
export const EVENT_NAMES = Object.keys(EVENTS) as EventName[]
