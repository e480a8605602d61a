// Conversations on SQL: written by group commit, read as each engine reads its logs.
import { sql, type Kysely } from 'kysely'
import type { Conversation, Status } from '../model/conversation'
import type { ConversationEvent, PublicEvent } from '../model/events'
import type { ConversationId, Tenant } from '../model/ids'
import { isDue, type Silence } from '../model/silence'
import type { Committed, ConversationStore, Decision, IdleClaim, LogPage, Needs, View } from './conversation-store'
import type { GroupCommit } from './group-commit'
import type { LogReading } from './log-reading'
import type { ConversationRecord } from './sql-rows'
import type { Tables } from './sql-schema'
import type { SqlSpelling } from './sql-spelling'
import { readEvent, readPublicEvent } from '../model/stored-event'

export class SqlConversationStore implements ConversationStore {
  readonly #db: Kysely<Tables>
  readonly #log: LogReading
  readonly #writing: GroupCommit
  readonly #spelling: SqlSpelling
  readonly #now: (() => Date) | undefined

  /** @param deps `now` replaces the database's clock, where it has one */
  constructor(deps: {
    db: Kysely<Tables>
    log: LogReading
    writing: GroupCommit
    spelling: SqlSpelling
    now?: (() => Date) | undefined
  }) {
    this.#spelling = deps.spelling
    this.#now = deps.now
    this.#db = deps.db
    this.#log = deps.log
    this.#writing = deps.writing
  }

  update<D extends Decision>(needs: Needs, decide: (view: View) => D): Promise<Committed<D>> {
    return this.#writing.update(needs, decide)
  }
  onCommitted(listener: Parameters<ConversationStore['onCommitted']>[0]): void {
    this.#writing.onCommitted(listener)
  }
  heard(events: readonly ConversationEvent[]): void {
    this.#writing.heard(events)
  }
  forget(id: ConversationId): void {
    this.#writing.forget(id)
  }

  async find(tenant: Tenant, id: ConversationId): Promise<Conversation | null> {
    return this.#writing.atHand(tenant, id) ?? this.#log.find(tenant, id)
  }
  async events(tenant: Tenant, id: ConversationId, after: number, limit: number): Promise<ConversationEvent[]> {
    return (await this.#log.page({ tenant, id, audience: 'staff', after, limit })).map(readEvent)
  }
  async publicEvents(tenant: Tenant, id: ConversationId, after: number, limit: number): Promise<PublicEvent[]> {
    return (await this.#log.page({ tenant, id, audience: 'public', after, limit })).map(readPublicEvent)
  }
  storedEvents(page: LogPage): Promise<string[]> {
    return this.#log.page(page)
  }
  positions(tenant: Tenant, ids: readonly ConversationId[]): Promise<ReadonlyMap<ConversationId, number>> {
    return this.#log.positions(tenant, ids)
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
    return this.#log.replayed(rows)
  }
  async claimIdle(tenant: Tenant, silence: Silence, { limit, claimMs }: IdleClaim): Promise<Conversation[]> {
    const { warnBefore, endBefore, unjoinedBefore } = silence
    const shortest = [warnBefore, endBefore, unjoinedBefore].reduce((a, b) => (a > b ? a : b))
    const at = (ms: number) => this.#spelling.instant(this.#now, ms)
    const { rows } = await sql<ConversationRecord>`
      with found as materialized (
        select tenant, id from conversation
        where tenant = ${tenant} and status = 'open' and active_at < ${shortest} and claimed_until <= ${at(0)}
          and (active_at < ${endBefore} or (active_at < ${warnBefore} and idle_warned = 0)
            or (active_at < ${unjoinedBefore} and position = 0))
        order by active_at limit ${limit} ${this.#spelling.passLocked}
      )
      update conversation set claimed_until = ${at(claimMs)} from found
      where conversation.tenant = found.tenant and conversation.id = found.id returning *`.execute(this.#db)
    // The snapshot may be a minute older than the last word.
    const due = (await this.#log.replayed(rows)).filter((conversation) => isDue(conversation, silence))
    return due.sort((a, b) => (a.activeAt < b.activeAt ? -1 : 1))
  }
}
