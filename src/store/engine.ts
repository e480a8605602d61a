// Inner port: what group commit asks of a database engine. Plain rows go down, plain rows come up; rules stay above.
import type { Conversation } from '../model/conversation'
import type { Tenant } from '../model/ids'
import type { Needs, View } from './conversation-store'
import type { OnceKey, Once } from './records'
import type { Write } from './writes'

/** Everything in a view but the clock. */
export type Loaded = Omit<View, 'now'>

export interface ConversationRow {
  readonly conversation: Conversation
  /** The position this change was decided on; null for a conversation that is opened here. */
  readonly expected: number | null
  /**
   * False when only messages were added: the log says it all, and who reads the conversation replays what lies behind
   * its snapshot.
   */
  readonly snapshotDue: boolean
}
export interface EventRow {
  readonly tenant: Tenant
  readonly conversationId: string
  readonly position: number
  readonly publicPosition: number | null
  /** The whole event as JSON. */
  readonly body: string
}
export interface OnceRow extends Once, OnceKey {
  readonly tenant: Tenant
}
export interface WriteRow {
  readonly tenant: Tenant
  /** `'first'` has been replaced by the id of the event. */
  readonly write: Write
}

/** One transaction. */
export interface Batch {
  readonly now: string
  /** Each conversation once, as it stands after the batch. */
  readonly conversations: readonly ConversationRow[]
  readonly events: readonly EventRow[]
  readonly once: readonly OnceRow[]
  readonly writes: readonly WriteRow[]
}

export interface Engine {
  /** Whether a commit waits for a disk: then it is worth a moment to share it. */
  readonly syncs: boolean
  /** Reads what each call needs, all in one read transaction. */
  load(needs: readonly Needs[]): Promise<Loaded[]>
  /**
   * Writes everything or nothing. `conflict`: something was not as assumed (a position has moved, an idempotency key
   * or the live conversation of an address is there already, a lease is stale) and nothing was written.
   * Rejects with `EntryError` when a row of the batch cannot be written, with anything else when nothing can.
   */
  commit(batch: Batch): Promise<'written' | 'conflict'>
}

/** A row that the engine refuses for what it is: the batch is split until it stands alone. */
export class EntryError extends Error {
  override readonly name = 'EntryError'
}
