// What pure rules look at, without a store: drafts in, the picture that they paint and its events out.
import { blank, type Conversation, type Opening } from '../../src/model/conversation'
import { isInternalDraft, type ConversationEvent, type EventDraft } from '../../src/model/events'
import { evolve } from '../../src/model/evolve'
import { DEFAULT_TENANT, eventId } from '../../src/model/ids'
import { newConversationId } from '../../src/model/new-id'
import type { View } from '../../src/store/conversation-store'
import { addressOf, openingAt } from './log-fixtures'

const START = Date.parse('2030-01-01T00:00:00.000Z')

/** When the event at this position was written: a second after the one before it. */
export const timeOf = (position: number): string => new Date(START + position * 1_000).toISOString()

/** The event that the store would make of a draft. */
export function stamped({ tenant, id: conversationId, ...at }: Conversation, draft: EventDraft): ConversationEvent {
  const position = at.position + 1
  const stamp = { tenant, conversationId, at: timeOf(position) }
  if (isInternalDraft(draft)) {
    const place = { position, publicPosition: null }
    return { ...draft, ...stamp, ...place, id: eventId(conversationId, place) }
  }
  const place = { position, publicPosition: at.publicPosition + 1 }
  return { ...draft, ...stamp, ...place, id: eventId(conversationId, place) }
}

/** Goes on from a picture: each draft becomes an event, each event changes the picture. */
export function after(start: Conversation, drafts: readonly EventDraft[]) {
  const events: ConversationEvent[] = []
  let conversation = start
  for (const draft of drafts) {
    const event = stamped(conversation, draft)
    conversation = evolve(conversation, event)
    events.push(event)
  }
  return { conversation, events }
}

export const logOf = (drafts: readonly EventDraft[], more: Partial<Opening> = {}) =>
  after(blank(DEFAULT_TENANT, newConversationId(), openingAt(addressOf('+1'), more)), drafts)

export const viewOf = (conversation: Conversation | null, more: Partial<View> = {}): View => ({
  now: timeOf(1_000),
  conversation,
  once: null,
  event: null,
  receipt: null,
  delivery: null,
  parts: [],
  parked: [],
  notification: null,
  suppressed: false,
  quotaUsed: 0,
  ...more,
})
