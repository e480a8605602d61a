// What each database reads of its logs in a way of its own.
import type { Conversation } from '../model/conversation'
import type { ConversationId, Tenant } from '../model/ids'
import type { LogPage } from './conversation-store'
import type { ConversationRecord } from './sql-rows'

export interface LogReading {
  find(tenant: Tenant, id: ConversationId): Promise<Conversation | null>
  /** Bodies of events, oldest first. */
  page(page: LogPage): Promise<string[]>
  /** Snapshots with what their logs say behind them: what was written since they were read, too, for a log only grows. */
  replayed(rows: readonly ConversationRecord[]): Promise<Conversation[]>
  /** The last position of each conversation that there is. */
  positions(tenant: Tenant, ids: readonly ConversationId[]): Promise<ReadonlyMap<ConversationId, number>>
}
