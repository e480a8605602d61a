// Appends what was decided to a conversation's log: each draft gets its stamp.
import type { Conversation } from '../model/conversation'
import { isInternalDraft, type ConversationEvent, type EventDraft } from '../model/events'
import { evolve } from '../model/evolve'
import { eventId } from '../model/ids'

export function append(start: Conversation | null, drafts: readonly EventDraft[], at: string) {
  const events: ConversationEvent[] = []
  let conversation = start
  if (!conversation) {
    if (drafts.length > 0) throw new Error('A decision without a conversation cannot have events')
    return { conversation, events }
  }
  for (const draft of drafts) {
    const event = stamp(conversation, draft, at)
    conversation = evolve(conversation, event)
    events.push(event)
  }
  return { conversation, events }
}

/** The stamp stands first: V8 adds keys behind a spread thirty times slower than it spreads behind keys. */
function stamp(conversation: Conversation, draft: EventDraft, at: string): ConversationEvent {
  const { tenant, id: conversationId } = conversation
  const position = conversation.position + 1
  if (isInternalDraft(draft)) {
    const id = eventId(conversationId, { position, publicPosition: null })
    return { tenant, conversationId, position, publicPosition: null, id, at, ...draft }
  }
  const publicPosition = conversation.publicPosition + 1
  const id = eventId(conversationId, { position, publicPosition })
  return { tenant, conversationId, position, publicPosition, id, at, ...draft }
}
