// The rules of erasing, as pure functions: nobody speaks in it any more, and its end says that it was erased.
import { isErased } from '../model/erased'
import type { ErasureCounts } from '../model/events'
import type { AccountId } from '../model/ids'
import { SYSTEM, type Author } from '../model/participant'
import type { Decision, View } from '../store/conversation-store'
import { requireConversation } from './rules'

/** Who has it erased: a supervisor, or the gateway because its time is over. */
export interface Eraser {
  readonly by: Author
  readonly account?: AccountId
}
export const GATEWAY: Eraser = { by: SYSTEM }

/** Whoever speaks in it from now on is told that it has ended. */
export function endForErasure(view: View): Decision {
  const { status } = requireConversation(view)
  return { events: status === 'ended' ? [] : [{ type: 'conversationEnded', reason: 'system', by: SYSTEM }] }
}

/** A decision to close an erasure, which others may have been faster than. */
export interface Recorded extends Decision {
  /** False: something was written behind what was erased, and must be erased first. */
  readonly isComplete: boolean
}
/** The record of it: from here on nothing that is written there knows a name. */
export function recordErasure(
  view: View,
  { upTo, counts, eraser }: { upTo: number; counts: ErasureCounts; eraser: Eraser },
): Recorded {
  const conversation = requireConversation(view)
  if (isErased(conversation)) return { events: [], isComplete: true }
  if (conversation.position !== upTo) return { events: [], isComplete: false }
  const { by, account } = eraser
  return { events: [{ type: 'conversationErased', counts, by, ...(account && { account }) }], isComplete: true }
}
