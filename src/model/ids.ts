// Identifiers are branded strings: a ParticipantId can never be passed where a ConversationId is wanted.
import { z } from 'zod'

const id = z.string().min(1).max(64)

export const conversationId = id.brand<'ConversationId'>()
export const participantId = id.brand<'ParticipantId'>()

export type ConversationId = z.infer<typeof conversationId>
/** Public: everybody in the conversation may know it, and it opens nothing. */
export type ParticipantId = z.infer<typeof participantId>
/** Names one stored event: `<conversation>.<public position>`, or `<conversation>.i<position>` for an internal one. */
export type EventId = string & { readonly __eventId: unique symbol }
export type Tenant = string & { readonly __tenant: unique symbol }
export type DeliveryId = string & { readonly __deliveryId: unique symbol }
/** A file that somebody sent. Unguessable, and by itself it opens nothing. */
export type FileId = string & { readonly __fileId: unique symbol }
/** The account of a member of the staff, or of a bot. It never leaves the gateway in a conversation. */
export type AccountId = string & { readonly __accountId: unique symbol }

export const DEFAULT_TENANT = 'default' as Tenant

/** Where an event stands, in an id: nobody learns from a public id how many internal events lie before it. */
export function eventId(
  conversation: ConversationId,
  { position, publicPosition }: { position: number; publicPosition: number | null },
): EventId {
  return `${conversation}.${publicPosition === null ? `i${position}` : publicPosition}` as EventId
}

/** One conversation of one tenant. */
export interface Place {
  readonly tenant: Tenant
  readonly conversationId: ConversationId
}

export type EventPlace =
  | { readonly conversationId: ConversationId; readonly publicPosition: number }
  | { readonly conversationId: ConversationId; readonly position: number }

/** Reads an event id back; null when it is not one of ours. */
export function parseEventId(text: string): EventPlace | null {
  const match = /^([A-Za-z0-9_-]{22})\.(i?)([1-9]\d{0,11})$/.exec(text)
  if (!match?.[1] || !match[3]) return null
  const conversation = match[1] as ConversationId
  return match[2]
    ? { conversationId: conversation, position: Number(match[3]) }
    : { conversationId: conversation, publicPosition: Number(match[3]) }
}
