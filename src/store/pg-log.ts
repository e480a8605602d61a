// Logs on Postgres: cold queries.
import { sql, type Kysely } from 'kysely'
import type { Conversation } from '../model/conversation'
import type { ConversationId, Tenant } from '../model/ids'
import type { LogPage } from './conversation-store'
import type { LogReading } from './log-reading'
import { TAIL, toConversation, toReplayed, type ConversationRecord } from './sql-rows'
import type { Tables } from './sql-schema'
import { POSTGRES } from './sql-spelling'

export class PgLog implements LogReading {
  constructor(private readonly db: Kysely<Tables>) {}

  async find(tenant: Tenant, id: ConversationId): Promise<Conversation | null> {
    const row = await this.db
      .selectFrom('conversation')
      .selectAll()
      .select(sql.raw<string>(TAIL).as('tail'))
      .where('tenant', '=', tenant)
      .where('id', '=', id)
      .executeTakeFirst()
    return row ? toReplayed(row) : null
  }

  async page({ tenant, id, audience, after, limit }: LogPage): Promise<string[]> {
    const all = this.db
      .selectFrom('event')
      .select('body')
      .where('tenant', '=', tenant)
      .where('conversation_id', '=', id)
      // A public position is never beyond its position in the log.
      .where('position', '>', after)
    const heard = audience === 'public' ? all.where('public_position', '>', after) : all
    const rows = await heard.orderBy('position').limit(limit).execute()
    return rows.map(({ body }) => body)
  }

  async replayed(rows: readonly ConversationRecord[]): Promise<Conversation[]> {
    const known = JSON.stringify(rows.map(({ tenant, id, position }) => ({ tenant, id, position })))
    const { rows: events } = await sql<{ id: string; body: string }>`
      select event.conversation_id as id, event.body
      from json_to_recordset(${known}::json) as known (tenant text, id text, position int)
      join event on event.tenant = known.tenant and event.conversation_id = known.id
        and event.position > known.position
      order by event.conversation_id, event.position`.execute(this.db)
    const tails = new Map<string, string[]>(rows.map(({ id }) => [id, []]))
    for (const { id, body } of events) tails.get(id)?.push(body)
    return rows.map((row) => toConversation(row, tails.get(row.id) ?? []))
  }

  /** From the key of the log alone, and no further than its last entry. */
  async positions(tenant: Tenant, ids: readonly ConversationId[]): Promise<ReadonlyMap<ConversationId, number>> {
    const rows = await this.db
      .selectFrom('conversation')
      .select('id')
      .select(
        sql<number>`coalesce((select max(event.position) from event
          where event.tenant = conversation.tenant and event.conversation_id = conversation.id), 0)`.as('last'),
      )
      .where('tenant', '=', tenant)
      .where(sql<boolean>`id in (${POSTGRES.members(ids)})`)
      .execute()
    return new Map(rows.map(({ id, last }) => [id, last]))
  }
}
