// What one commit amounts to, for whoever counts.
import type { Conversation } from '../model/conversation'
import type { ConversationEvent } from '../model/events'

/** One commit, for whoever counts. */
export interface CommitFigures {
  /** Calls that shared it. */
  readonly decisions: number
  readonly events: number
  /** From the first decision to the disk. */
  readonly seconds: number
  /** Messages by channel. */
  readonly messages: ReadonlyMap<string, number>
}
interface Decided {
  readonly conversation: Conversation | null
  readonly events: readonly ConversationEvent[]
}
export function figuresOf(made: readonly Decided[], ms: number): CommitFigures {
  const messages = new Map<string, number>()
  let events = 0
  for (const one of made) {
    events += one.events.length
    const channel = one.conversation?.opening.address.channel
    if (channel === undefined) continue
    const said = one.events.filter(({ type }) => type === 'messageSent' || type === 'whispered').length
    if (said > 0) messages.set(channel, (messages.get(channel) ?? 0) + said)
  }
  return { decisions: made.length, events, seconds: ms / 1_000, messages }
}
