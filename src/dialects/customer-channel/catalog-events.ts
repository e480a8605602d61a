// Every event of the Customer Channel API, once: the documents and the isolation test are made from it.
import type { z } from 'zod'
import type { Audience, Request } from './catalog'
import * as wire from './wire'

export interface EventEntry {
  readonly summary: string
  readonly who: readonly Audience[]
  readonly request: Request
  readonly reply: z.ZodType
  /** Does its request name a conversation? Then it answers 404 alike for all that is not the caller's. */
  readonly ofConversation: boolean
}
/** From client to server. */
export const EVENTS = {
  joinConversation: {
    summary: 'Takes a seat in a conversation, and resumes after a position of the reader’s own count',
    who: ['customer', 'staff', 'connector'],
    request: wire.joinRequest,
    reply: wire.joinReply,
    ofConversation: true,
  },
  sendMessage: {
    summary: 'Says something, reports a receipt, or tells an activity',
    who: ['customer', 'staff', 'connector'],
    request: wire.sendRequest,
    reply: wire.sendReply,
    ofConversation: true,
  },
  endConversation: {
    summary: 'Ends the conversation for all',
    who: ['customer', 'staff', 'connector'],
    request: wire.conversationRequest,
    reply: wire.emptyReply,
    ofConversation: true,
  },
  leaveConversation: {
    summary: 'Gives the seat up at once, without the grace that a lost connection has',
    who: ['customer', 'staff', 'connector'],
    request: wire.conversationRequest,
    reply: wire.emptyReply,
    ofConversation: true,
  },
  registerConnector: {
    summary: 'Registers this socket as the connector of a channel; sent again after every reconnect',
    who: ['connector'],
    request: wire.registerConnectorRequest,
    reply: wire.registerConnectorReply,
    ofConversation: false,
  },
  registerBot: {
    summary: 'Not there yet: answers 501',
    who: ['bot'],
    request: wire.registerConnectorRequest,
    reply: wire.emptyReply,
    ofConversation: false,
  },
  requestAgentTransfer: {
    summary: 'Not there yet: answers 501',
    who: ['customer', 'bot'],
    request: wire.conversationRequest,
    reply: wire.emptyReply,
    ofConversation: true,
  },
} as const satisfies Record<string, EventEntry>
export type EventName = keyof typeof EVENTS

/** From server to client. */
export const SERVER_EVENTS = {
  conversationInfo: { summary: 'The picture of the conversation, after every join', payload: wire.conversationInfo },
  messageArrived: { summary: 'A message or an activity; to a connector, a delivery', payload: wire.wireMessage },
  initConversation: { summary: 'To staff: a conversation has begun', payload: wire.initConversation },
  error: {
    summary:
      'A failure that nobody waited for: the request had no acknowledgement, or the token that a seat was taken with has run out',
    payload: wire.failureReply,
  },
} as const
