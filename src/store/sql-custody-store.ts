// Custody on SQL: cold queries, each of which finds its rows along an index.
import { sql, type Kysely, type RawBuilder, type Selectable } from 'kysely'
import type { ConversationId, Place, Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import { IN_HAND_MS, MAX_COUNTED, type Custody, type CustodyStore, type Due, type EndedBefore } from './custody-store'
import type { Claimed, Hold, Who } from './custody-store'
import type { CustodyTable, ErasingTable, Tables } from './sql-schema'
import type { SqlSpelling } from './sql-spelling'

/** Spelled as in the index, or SQLite does not use it. */
const FREE = sql`erasure = '' and held = 0 and ended_at > ''`

export class SqlCustodyStore implements CustodyStore {
  readonly #db: Kysely<Tables>
  readonly #spelling: SqlSpelling
  readonly #now: (() => Date) | undefined

  /** @param deps.now replaces the database's clock */
  constructor(deps: { db: Kysely<Tables>; spelling: SqlSpelling; now: (() => Date) | undefined }) {
    this.#db = deps.db
    this.#spelling = deps.spelling
    this.#now = deps.now
  }

  async find(place: Place): Promise<Custody | null> {
    const row = await this.#row(place)
    return row ? toCustody(row) : null
  }
  #row({ tenant, conversationId }: Place): Promise<Selectable<CustodyTable> | undefined> {
    const found = this.#db.selectFrom('custody').selectAll().where('tenant', '=', tenant)
    return found.where('conversation_id', '=', conversationId).executeTakeFirst()
  }

  /** Also a living one that nobody entered, because an older node had opened it. */
  async conversationsOf(tenant: Tenant, who: Who, after: string, limit: number): Promise<ConversationId[]> {
    // Joined to nothing, the id leads no engine along a key of its own, through all that a tenant has.
    const at = sql`tenant = ${tenant} and ${addressed(who)} and conversation_id || '' > ${after}`
    const { rows } = await sql<{ conversation_id: ConversationId }>`
      select conversation_id from custody where ${at} and erasure <> 'done'
      union select conversation_id from live_address where ${at}
      order by conversation_id limit ${limit}`.execute(this.#db)
    return rows.map(({ conversation_id: id }) => id)
  }

  async hold(place: Place, address: Address, hold: Hold | null): Promise<boolean> {
    await this.#enter(place, address)
    const { numUpdatedRows } = await this.#db
      .updateTable('custody')
      .set({
        held: hold ? 1 : 0,
        hold_reason: hold?.reason ?? '',
        held_at: hold ? sql<string>`case when held = 1 then held_at else ${this.#in(0)} end` : '',
      })
      .where('tenant', '=', place.tenant)
      .where('conversation_id', '=', place.conversationId)
      .where('erasure', '=', '')
      .executeTakeFirstOrThrow()
    return numUpdatedRows === 1n
  }
  async begin(place: Place, address: Address): Promise<'due' | 'held' | 'done'> {
    await this.#enter(place, address)
    await this.#db
      .updateTable('custody')
      .set({ erasure: 'due', claimed_until: this.#in(IN_HAND_MS) })
      .where('tenant', '=', place.tenant)
      .where('conversation_id', '=', place.conversationId)
      .where('held', '=', 0)
      .where('erasure', '<>', 'done')
      .execute()
    const erasure = (await this.#row(place))?.erasure
    return erasure === 'due' || erasure === 'done' ? erasure : 'held'
  }
  async #enter(
    { tenant, conversationId: conversation_id }: Place,
    { channel, account, refId }: Address,
  ): Promise<void> {
    const ended_at = sql<string>`coalesce(
      (select ended_at from conversation where tenant = ${tenant} and id = ${conversation_id}), '')`
    await this.#db
      .insertInto('custody')
      .values({ tenant, conversation_id, channel, account, ref_id: refId, ended_at })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
  }
  async erased({ tenant, conversationId }: Place): Promise<void> {
    await this.#db
      .updateTable('custody')
      .set({ erasure: 'done', erased_at: this.#in(0), ref_id: '', claimed_until: '' })
      .where('tenant', '=', tenant)
      .where('conversation_id', '=', conversationId)
      .where('erasure', '=', 'due')
      .execute()
  }

  async intend(tenant: Tenant, who: Who, since: string): Promise<void> {
    const claimed_until = this.#in(IN_HAND_MS)
    await this.#db
      .insertInto('erasing')
      .values({ ...toErasing(tenant, who), since, claimed_until })
      .onConflict((conflict) =>
        conflict
          .columns(['tenant', 'channel', 'ref_id', 'account', 'every_account'])
          .doUpdateSet({ since, claimed_until }),
      )
      .execute()
  }
  async fulfilled(tenant: Tenant, who: Who): Promise<void> {
    const { channel, account, ref_id, every_account } = toErasing(tenant, who)
    await this.#db
      .deleteFrom('erasing')
      .where('tenant', '=', tenant)
      .where('channel', '=', channel)
      .where('ref_id', '=', ref_id)
      .where('account', '=', account)
      .where('every_account', '=', every_account)
      .execute()
  }

  async claim(tenant: Tenant, endedBefore: EndedBefore, claim: { limit: number; claimMs: number }): Promise<Claimed> {
    const conversations = await this.#claimWhere(tenant, sql`erasure = 'due'`, { ...claim, order: sql`claimed_until` })
    for (const channel of await this.#channels(tenant)) {
      const before = endedBefore(channel)
      const limit = claim.limit - conversations.length
      if (before === null || limit <= 0) continue
      const due = sql`channel = ${channel} and ${FREE} and ended_at < ${before}`
      conversations.push(...(await this.#claimWhere(tenant, due, { ...claim, limit, order: sql`ended_at` })))
    }
    return { conversations, customers: await this.#claimCustomers(tenant, claim) }
  }
  async #claimWhere(
    tenant: Tenant,
    which: RawBuilder<unknown>,
    { limit, claimMs, order }: { limit: number; claimMs: number; order: RawBuilder<unknown> },
  ): Promise<ConversationId[]> {
    const { rows } = await sql<{ conversation_id: ConversationId }>`
      update custody set claimed_until = ${this.#in(claimMs)} where (tenant, conversation_id) in (
        select tenant, conversation_id from custody
        where tenant = ${tenant} and ${which} and claimed_until <= ${this.#in(0)}
        order by ${order} limit ${limit} ${this.#spelling.passLocked})
      returning conversation_id`.execute(this.#db)
    return rows.map(({ conversation_id: id }) => id)
  }
  async #claimCustomers(tenant: Tenant, { limit, claimMs }: { limit: number; claimMs: number }) {
    const key = sql`tenant, channel, ref_id, account, every_account`
    const { rows } = await sql<ErasingTable>`
      update erasing set claimed_until = ${this.#in(claimMs)} where (${key}) in (
        select ${key} from erasing where tenant = ${tenant} and claimed_until <= ${this.#in(0)}
        limit ${limit} ${this.#spelling.passLocked})
      returning ${key}, since`.execute(this.#db)
    return rows.map(({ channel, account, ref_id: refId, every_account, since }) => ({
      ...{ channel, refId, since },
      account: every_account === 1 ? null : account,
    }))
  }
  /** From one to the next along the index, however many conversations each of them has. */
  async #channels(tenant: Tenant): Promise<string[]> {
    const channels: string[] = []
    for (;;) {
      const { rows } = await sql<{ channel: string }>`
        select channel from custody where tenant = ${tenant} and channel > ${channels.at(-1) ?? ''} and ${FREE}
        order by channel limit 1`.execute(this.#db)
      const [next] = rows
      if (!next) return channels
      channels.push(next.channel)
    }
  }

  async due(tenant: Tenant, endedBefore: EndedBefore): Promise<Due[]> {
    const { rows: held } = await sql<{ channel: string; held: number }>`
      select channel, count(*) as held from custody where tenant = ${tenant} and held = 1
      group by channel`.execute(this.#db)
    const found = new Map(held.map(({ channel, held }) => [channel, { channel, due: 0, held }]))
    for (const channel of await this.#channels(tenant)) {
      const before = endedBefore(channel)
      if (before === null) continue
      const { rows } = await sql<{ due: number }>`
        select count(*) as due from (
          select 1 as one from custody where tenant = ${tenant} and channel = ${channel} and ${FREE}
            and ended_at < ${before} limit ${MAX_COUNTED}
        ) as counted`.execute(this.#db)
      const due = rows[0]?.due ?? 0
      if (due > 0) found.set(channel, { channel, held: found.get(channel)?.held ?? 0, due })
    }
    return [...found.values()].sort((a, b) => (a.channel < b.channel ? -1 : 1))
  }
  async erasedSince(tenant: Tenant, since: string, limit: number): Promise<{ id: ConversationId; at: string }[]> {
    const { rows } = await sql<{ id: ConversationId; at: string }>`
      select conversation_id as id, erased_at as at from custody
      where tenant = ${tenant} and erasure = 'done' and erased_at >= ${since}
      order by erased_at limit ${limit}`.execute(this.#db)
    return rows
  }

  #in(ms: number): RawBuilder<string> {
    return this.#spelling.instant(this.#now, ms)
  }
}

const addressed = ({ channel, refId, account }: Who): RawBuilder<unknown> =>
  account === null
    ? sql`channel = ${channel} and ref_id = ${refId}`
    : sql`channel = ${channel} and ref_id = ${refId} and account = ${account}`

const toErasing = (tenant: Tenant, { channel, account, refId }: Who) => ({
  ...{ tenant, channel, account: account ?? '', ref_id: refId },
  every_account: account === null ? (1 as const) : (0 as const),
})

function toCustody(row: Selectable<CustodyTable>): Custody {
  const { conversation_id: conversationId, channel, account, ref_id: refId, ended_at: endedAt } = row
  const { held, hold_reason: reason, held_at: since, erasure } = row
  return {
    conversationId,
    address: { channel, account, refId },
    endedAt,
    hold: held === 1 ? { reason, since } : null,
    erasure: erasure === '' ? 'none' : erasure,
  }
}
