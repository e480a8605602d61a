// An event as it is kept: JSON that we wrote ourselves, and take at its word.
import type { ConversationEvent, PublicEvent } from './events'

export const readEvent = (json: string): ConversationEvent => JSON.parse(json) as ConversationEvent
/** Only for one that has a public position. */
export const readPublicEvent = (json: string): PublicEvent => JSON.parse(json) as PublicEvent
