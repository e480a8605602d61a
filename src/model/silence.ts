// What silence leads to, and in which conversations: the same question for every store.
import type { Conversation } from './conversation'

/** Each time ISO 8601; empty: never. */
export interface Silence {
  /** Who was last active before, and has not been warned since, is warned. */
  readonly warnBefore: string
  /** Who was last active before is ended. */
  readonly endBefore: string
  /** A conversation that nobody ever joined is ended when it opened before. */
  readonly unjoinedBefore: string
}

/**
 * Is something to be done about this silence? What has been warned already is not, before it is to be ended, and where
 * nobody ever joined nobody is there to warn.
 */
export function isDue(conversation: Conversation, { warnBefore, endBefore, unjoinedBefore }: Silence): boolean {
  const { status, activeAt, idleWarned, position } = conversation
  if (status !== 'open') return false
  if (position === 0) return activeAt < unjoinedBefore
  return activeAt < endBefore || (activeAt < warnBefore && !idleWarned)
}
