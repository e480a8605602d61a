// Attendance on SQL. Rows are written in the order of their key, so that nodes do not wait for each other in a circle.
import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { Tenant } from '../model/ids'
import type { AttendanceStore, Attendee } from './attendance-store'
import { byKey, keyOfAttendee } from './attendees'
import type { AttendanceTable, Tables } from './sql-schema'
import type { SqlSpelling } from './sql-spelling'

/** Rows of one statement. */
const AT_ONCE = 500
const NEVER = ''

type Claim = Parameters<AttendanceStore['claimGone']>[1]
type Row = Pick<AttendanceTable, 'tenant' | 'conversation_id' | 'participant_id'>

export class SqlAttendanceStore implements AttendanceStore {
  readonly #db: Kysely<Tables>
  readonly #spelling: SqlSpelling
  readonly #now: (() => Date) | undefined

  /** @param deps.now replaces the database's clock */
  constructor(deps: { db: Kysely<Tables>; spelling: SqlSpelling; now: (() => Date) | undefined }) {
    this.#db = deps.db
    this.#spelling = deps.spelling
    this.#now = deps.now
  }

  async beat(node: string, { aliveMs, graceMs }: { aliveMs: number; graceMs: number }): Promise<boolean> {
    const alive_until = this.#in(aliveMs)
    const { numUpdatedRows: known } = await this.#db
      .updateTable('node')
      .set({ alive_until })
      .where('id', '=', node)
      .executeTakeFirst()
    if (known === 0n)
      await this.#db
        .insertInto('node')
        .values({ id: node, alive_until })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ alive_until }))
        .execute()
    await this.#bury(node, graceMs)
    return known > 0n
  }
  /** A node is struck off when its own are away: it will not be asked for again. */
  async #bury(self: string, graceMs: number): Promise<void> {
    const dead = await this.#db
      .selectFrom('node')
      .select('id')
      .where('id', '<>', self)
      .where(sql<boolean>`alive_until <= ${this.#in(0)}`)
      .execute()
    for (const { id } of dead) await this.close(id, graceMs)
  }
  async close(node: string, graceMs: number): Promise<void> {
    // Locked in order: the same rows may be claimed, or somebody may come back, at this moment.
    await sql`
      update attendance set away_at = ${this.#in(graceMs)}
      where (tenant, conversation_id, participant_id, node) in (
        select tenant, conversation_id, participant_id, node from attendance
        where node = ${node} and away_at is null
        order by tenant, conversation_id, participant_id ${this.#spelling.locked})`.execute(this.#db)
    await this.#db.deleteFrom('node').where('id', '=', node).execute()
  }

  async arrive(node: string, attendees: readonly Attendee[]): Promise<void> {
    await this.#put(node, attendees, null)
  }
  async depart(node: string, attendees: readonly Attendee[], graceMs: number): Promise<void> {
    await this.#put(node, attendees, this.#in(graceMs))
  }
  async #put(node: string, attendees: readonly Attendee[], away_at: RawBuilder<string> | null): Promise<void> {
    const keys = [...attendees].sort(byKey).map((one) => [one.tenant, one.conversationId, one.participantId])
    // One text whatever their number: it is written for each coming and going, and not to be put together anew.
    for (let at = 0; at < keys.length; at += AT_ONCE)
      await sql`
        insert into attendance (tenant, conversation_id, participant_id, node, away_at, claimed_until)
        select value ->> 0, value ->> 1, value ->> 2, ${node}, ${away_at}, ${NEVER}
        from ${this.#spelling.elements(keys.slice(at, at + AT_ONCE))} where true
        on conflict (tenant, conversation_id, participant_id, node)
        do update set away_at = excluded.away_at, claimed_until = excluded.claimed_until`.execute(this.#db)
  }

  async claimGone(tenant: Tenant, claim: Claim): Promise<Attendee[]> {
    for (;;) {
      const { gone, isAll } = await this.#claimPage(tenant, claim)
      if (gone.length > 0 || isAll) return gone
    }
  }
  async #claimPage(tenant: Tenant, { limit, claimMs }: Claim): Promise<{ gone: Attendee[]; isAll: boolean }> {
    const now = this.#in(0)
    const { rows: claimed } = await sql<Row>`
      update attendance set claimed_until = ${this.#in(claimMs)}
      where (tenant, conversation_id, participant_id, node) in (
        select tenant, conversation_id, participant_id, node from attendance
        where tenant = ${tenant} and away_at is not null and away_at <= ${now} and claimed_until <= ${now}
        order by away_at limit ${limit} ${this.#spelling.skipLocked})
      returning tenant, conversation_id, participant_id`.execute(this.#db)
    const gone = new Map(claimed.map((row) => [keyOfAttendee(attendeeOf(row)), attendeeOf(row)]))
    if (gone.size === 0) return { gone: [], isAll: true }
    const here = await this.#db
      .selectFrom('attendance')
      .select(['tenant', 'conversation_id', 'participant_id'])
      .where(this.#among([...gone.values()]))
      .where(sql<boolean>`(away_at is null or away_at > ${now})`)
      .execute()
    const elsewhere = new Map(here.map((row) => [keyOfAttendee(attendeeOf(row)), attendeeOf(row)]))
    if (elsewhere.size > 0) await this.forget([...elsewhere.values()])
    return {
      gone: [...gone].flatMap(([key, attendee]) => (elsewhere.has(key) ? [] : [attendee])),
      isAll: claimed.length < limit,
    }
  }
  async forget(attendees: readonly Attendee[]): Promise<void> {
    for (let at = 0; at < attendees.length; at += AT_ONCE)
      await this.#db
        .deleteFrom('attendance')
        .where(this.#among([...attendees.slice(at, at + AT_ONCE)].sort(byKey)))
        .where(sql<boolean>`away_at is not null and away_at <= ${this.#in(0)}`)
        .execute()
  }
  #among(attendees: readonly Attendee[]) {
    const names = attendees.map(({ tenant, conversationId, participantId }) => {
      return sql`(${tenant}, ${conversationId}, ${participantId})`
    })
    return sql<boolean>`(tenant, conversation_id, participant_id) in (values ${sql.join(names)})`
  }

  async nextGoneIn(tenant: Tenant): Promise<number | null> {
    const { rows } = await sql<{ next: string | null; now: string }>`
      select ${this.#in(0)} as now, (
        select away_at from attendance where tenant = ${tenant} and away_at is not null order by away_at limit 1
      ) as next`.execute(this.#db)
    const [row] = rows
    return row?.next ? Math.max(0, Date.parse(row.next) - Date.parse(row.now)) : null
  }

  #in(ms: number): RawBuilder<string> {
    return this.#spelling.instant(this.#now, ms)
  }
}

const attendeeOf = (row: Row): Attendee => ({
  tenant: row.tenant,
  conversationId: row.conversation_id,
  participantId: row.participant_id,
})
