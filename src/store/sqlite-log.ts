// Logs on SQLite, as the file's own thread reads them.
import { sql, type Kysely } from 'kysely'
import type { Conversation } from '../model/conversation'
import type { ConversationId, Tenant } from '../model/ids'
import type { LogPage } from './conversation-store'
import type { LogReading } from './log-reading'
import { toConversation, type ConversationRecord } from './sql-rows'
import type { Tables } from './sql-schema'
import { SQLITE } from './sql-spelling'
import type { SqliteThread } from './sqlite-thread'
import { readLoaded } from './stored-json'

export class SqliteLog implements LogReading {
  readonly #db: Kysely<Tables>
  readonly #thread: SqliteThread

  constructor(deps: { db: Kysely<Tables>; thread: SqliteThread }) {
    this.#db = deps.db
    this.#thread = deps.thread
  }

  async find(tenant: Tenant, conversationId: ConversationId): Promise<Conversation | null> {
    const [found] = readLoaded(await this.#thread.consult<'load'>({ do: 'load', needs: [{ tenant, conversationId }] }))
    return found?.conversation ?? null
  }
  page(page: LogPage): Promise<string[]> {
    return this.#thread.consult<'page'>({ do: 'page', page })
  }
  async replayed(rows: readonly ConversationRecord[]): Promise<Conversation[]> {
    const of = rows.map(({ tenant, id, position }) => ({ tenant, id, after: position }))
    const tails = await this.#thread.consult<'tails'>({ do: 'tails', of })
    return rows.map((row, i) => toConversation(row, tails[i] ?? []))
  }
  async positions(tenant: Tenant, ids: readonly ConversationId[]): Promise<ReadonlyMap<ConversationId, number>> {
    const known = await this.#db
      .selectFrom('conversation')
      .select('id')
      .where('tenant', '=', tenant)
      .where(sql<boolean>`id in (${SQLITE.members(ids)})`)
      .execute()
    const found = known.map(({ id }) => id)
    const ends = await this.#thread.consult<'ends'>({ do: 'ends', tenant, ids: found })
    return new Map(found.map((id, i) => [id, ends[i] ?? 0]))
  }
}
