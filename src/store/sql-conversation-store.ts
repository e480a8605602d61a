// Conversations on SQL: written by group commit, read by cold queries.
import { sql, type Kysely } from 'kysely'
import type { Conversation, Status } from '../model/conversation'
import type { ConversationEvent, PublicEvent } from '../model/events'
import type { ConversationId, Tenant } from '../model/ids'
import type { Committed, ConversationStore, Decision, Needs, View } from './conversation-store'
import type { GroupCommit } from './group-commit'
import { isDue, type Silence } from '../model/silence'
import { TAIL, toConversation } from './sql-rows'
import type { Tables } from './sql-schema'
import { readEvent, readPublicEvent } from './stored-json'

export class SqlConversationStore implements ConversationStore {
  readonly #db: Kysely<Tables>
  readonly #writing: GroupCommit

  constructor(deps: { db: Kysely<Tables>; writing: GroupCommit }) {
    this.#db = deps.db
    this.#writing = deps.writing
  }

  update<D extends Decision>(needs: Needs, decide: (view: View) => D): Promise<Committed<D>> {
    return this.#writing.update(needs, decide)
  }
  onCommitted(listener: Parameters<ConversationStore['onCommitted']>[0]): void {
    this.#writing.onCommitted(listener)
  }

  async find(tenant: Tenant, id: ConversationId): Promise<Conversation | null> {
    const row = await this.#conversations(tenant).where('id', '=', id).executeTakeFirst()
    return row ? toConversation(row) : null
  }
  async events(tenant: Tenant, id: ConversationId, after: number, limit: number): Promise<ConversationEvent[]> {
    const rows = await this.#eventsOf(tenant, id)
      .where('position', '>', after)
      .orderBy('position')
      .limit(limit)
      .execute()
    return rows.map(({ body }) => readEvent(body))
  }
  async publicEvents(tenant: Tenant, id: ConversationId, after: number, limit: number): Promise<PublicEvent[]> {
    const rows = await this.#eventsOf(tenant, id)
      // A public position is never beyond its position in the log.
      .where('position', '>', after)
      .where('public_position', '>', after)
      .orderBy('position')
      .limit(limit)
      .execute()
    return rows.map(({ body }) => readPublicEvent(body))
  }
  #eventsOf(tenant: Tenant, id: ConversationId) {
    return this.#db.selectFrom('event').select('body').where('tenant', '=', tenant).where('conversation_id', '=', id)
  }

  #conversations(tenant: Tenant) {
    return this.#db
      .selectFrom('conversation')
      .selectAll()
      .select(sql.raw<string>(TAIL).as('tail'))
      .where('tenant', '=', tenant)
  }

  async list(tenant: Tenant, status: Status, after: string, limit: number): Promise<Conversation[]> {
    const rows = await this.#conversations(tenant)
      .where('status', '=', status)
      .where(sql<boolean>`id > ${after}`)
      .orderBy('id')
      .limit(limit)
      .execute()
    return rows.map(toConversation)
  }
  async idleSince(tenant: Tenant, silence: Silence, limit: number): Promise<Conversation[]> {
    const { warnBefore, endBefore, unjoinedBefore } = silence
    const shortest = [warnBefore, endBefore, unjoinedBefore].reduce((a, b) => (a > b ? a : b))
    const rows = await this.#conversations(tenant)
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
    return rows.map(toConversation).filter((conversation) => isDue(conversation, silence))
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
