// Inner port: what group commit asks of a database engine. Plain rows go down, plain rows come up; rules stay above.
import type { Conversation } from '../model/conversation'
import type { Place, Tenant } from '../model/ids'
import type { Needs, View } from './conversation-store'
import type { OnceKey, Once } from './records'
import type { Write } from './writes'

/** Everything in a view but the clock. */
export type Loaded = Omit<View, 'now'>

/** What a call sees that read nothing. */
export const NOTHING: Loaded = {
  conversation: null,
  once: null,
  event: null,
  receipt: null,
  delivery: null,
  parts: [],
  parked: [],
  notification: null,
  suppressed: false,
  quotaUsed: 0,
}

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
  /**
   * Where other nodes write to the same database: reads like `load`, and holds what was read, so that nothing that was
   * decided on it can have changed by the time it is written. `conflict`: others were in the way; try again.
   * @param conversations ids that the batch is about, besides those that the needs lead to
   */
  hold?(needs: readonly Needs[], conversations: readonly Place[]): Promise<Held | 'conflict'>
}

/** Rows held by one batch. One of the two calls must be made, and soon: a holder that is silent for 1 s loses them. */
export interface Held {
  readonly loaded: readonly Loaded[]
  /** Like `Engine.commit`; lets go of the rows, however it ends. */
  commit(batch: Batch): Promise<'written' | 'conflict'>
  /** Lets go without writing. */
  release(): Promise<void>
}

/** A row that the engine refuses for what it is: the batch is split until it stands alone. */
export class EntryError extends Error {
  override readonly name = 'EntryError'
}
