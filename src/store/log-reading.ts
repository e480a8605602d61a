// What each database reads of its logs in a way of its own.
import type { Conversation } from '../model/conversation'
import type { ConversationId, Tenant } from '../model/ids'
import type { ConversationRecord } from './sql-rows'

/** A reading of one log: everything, or what the public may hear, behind a position of its own count. */
export interface LogPage {
  readonly tenant: Tenant
  readonly id: ConversationId
  readonly audience: 'staff' | 'public'
  readonly after: number
  readonly limit: number
}

export interface LogReading {
  find(tenant: Tenant, id: ConversationId): Promise<Conversation | null>
  /** Bodies of events, oldest first. */
  page(page: LogPage): Promise<string[]>
  /** Snapshots with what their logs say behind them: what was written since they were read, too, for a log only grows. */
  replayed(rows: readonly ConversationRecord[]): Promise<Conversation[]>
  /** The last position of each conversation that there is. */
  positions(tenant: Tenant, ids: readonly ConversationId[]): Promise<ReadonlyMap<ConversationId, number>>
}
