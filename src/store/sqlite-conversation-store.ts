// Conversations on SQLite: written by group commit, read in the file's own thread.
import { sql, type Kysely } from 'kysely'
import type { Conversation, Status } from '../model/conversation'
import type { ConversationEvent, PublicEvent } from '../model/events'
import type { ConversationId, Tenant } from '../model/ids'
import type { Committed, ConversationStore, Decision, Needs, View } from './conversation-store'
import type { GroupCommit } from './group-commit'
import { isDue, type Silence } from '../model/silence'
import { toConversation, type ConversationRecord } from './sql-rows'
import type { Tables } from './sql-schema'
import type { LogPage } from './sqlite-events'
import type { SqliteThread } from './sqlite-thread'
import { readEvent, readLoaded, readPublicEvent } from './stored-json'

export class SqliteConversationStore implements ConversationStore {
  readonly #db: Kysely<Tables>
  readonly #thread: SqliteThread
  readonly #writing: GroupCommit

  constructor(deps: { db: Kysely<Tables>; thread: SqliteThread; writing: GroupCommit }) {
    this.#db = deps.db
    this.#thread = deps.thread
    this.#writing = deps.writing
  }

  update<D extends Decision>(needs: Needs, decide: (view: View) => D): Promise<Committed<D>> {
    return this.#writing.update(needs, decide)
  }
  onCommitted(listener: Parameters<ConversationStore['onCommitted']>[0]): void {
    this.#writing.onCommitted(listener)
  }

  async find(tenant: Tenant, conversationId: ConversationId): Promise<Conversation | null> {
    const [found] = readLoaded(await this.#thread.consult<'load'>({ do: 'load', needs: [{ tenant, conversationId }] }))
    return found?.conversation ?? null
  }
  async events(tenant: Tenant, id: ConversationId, after: number, limit: number): Promise<ConversationEvent[]> {
    return (await this.#page({ tenant, id, audience: 'staff', after, limit })).map(readEvent)
  }
  async publicEvents(tenant: Tenant, id: ConversationId, after: number, limit: number): Promise<PublicEvent[]> {
    return (await this.#page({ tenant, id, audience: 'public', after, limit })).map(readPublicEvent)
  }
  #page(page: LogPage): Promise<string[]> {
    return this.#thread.consult<'page'>({ do: 'page', page })
  }

  async list(tenant: Tenant, status: Status, after: string, limit: number): Promise<Conversation[]> {
    const rows = await this.#db
      .selectFrom('conversation')
      .selectAll()
      .where('tenant', '=', tenant)
      .where('status', '=', status)
      .where(sql<boolean>`id > ${after}`)
      .orderBy('id')
      .limit(limit)
      .execute()
    return this.#replayed(rows)
  }
  async idleSince(tenant: Tenant, silence: Silence, limit: number): Promise<Conversation[]> {
    const { warnBefore, endBefore, unjoinedBefore } = silence
    const shortest = [warnBefore, endBefore, unjoinedBefore].reduce((a, b) => (a > b ? a : b))
    const rows = await this.#db
      .selectFrom('conversation')
      .selectAll()
      .where('tenant', '=', tenant)
      .where(sql<boolean>`status = 'open'`)
      .where('active_at', '<', shortest)
      .where(
        sql<boolean>`(active_at < ${endBefore} or (active_at < ${warnBefore} and idle_warned = 0)
          or (active_at < ${unjoinedBefore} and position = 0))`,
      )
      .orderBy('active_at')
      .limit(limit)
      .execute()
    // The snapshot may be a minute older than the last word.
    return (await this.#replayed(rows)).filter((conversation) => isDue(conversation, silence))
  }

  /** What was written since a row was read is replayed, too: a log only grows. */
  async #replayed(rows: readonly ConversationRecord[]): Promise<Conversation[]> {
    const of = rows.map(({ tenant, id, position }) => ({ tenant, id, after: position }))
    const tails = await this.#thread.consult<'tails'>({ do: 'tails', of })
    return rows.map((row, i) => toConversation(row, tails[i] ?? []))
  }
  /** From the events, for a snapshot may be older; each is one look at the end of an index. */
  async positions(tenant: Tenant, ids: readonly ConversationId[]): Promise<Map<ConversationId, number>> {
    if (ids.length === 0) return new Map()
    const rows = await this.#db
      .selectFrom('conversation')
      .select('id')
      .select((from) =>
        from
          .selectFrom('event')
          .select((event) => event.fn.max('position').as('last'))
          .whereRef('event.tenant', '=', 'conversation.tenant')
          .whereRef('event.conversation_id', '=', 'conversation.id')
          .as('last'),
      )
      .where('tenant', '=', tenant)
      .where('id', 'in', ids)
      .execute()
    return new Map(rows.flatMap(({ id, last }) => (last === null ? [] : [[id, last] as const])))
  }
}
