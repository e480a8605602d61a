// Erases on Postgres, a step and a short transaction at a time; tables and rows are locked in the order of `commit_batch_1`.
import { DatabaseError } from 'pg'
import { erasedEvent } from '../model/erased'
import { GatewayError } from '../model/errors'
import { hashedAddress } from '../model/hashed-address'
import type { Place, Tenant } from '../model/ids'
import type { Who } from './custody-store'
import type { ErasedAddress, ErasedPage, ErasureStore, Hanging, Scrubbed } from './erasure-store'
import { intArray, textArray } from './pg-array'
import type { PgPool, PgSession, Statement } from './pg-pool'
import type { PgVacuum } from './pg-vacuum'
import { readEvent } from '../model/stored-event'

/** How often the lanes are asked for, each time for no longer than a commit may wait behind it. */
const LANE_ATTEMPTS = 20
const LANE_MS = 50
const LOCK_NOT_AVAILABLE = '55P03'

const PAGE: Statement = {
  name: 'erase-page',
  text: `select position, body from event where tenant = $1 and conversation_id = $2 and position > $3
    order by position limit $4`,
}
const REWRITE: Statement = {
  name: 'erase-rewrite',
  text: `update event set body = fresh.body from unnest($3::int[], $4::text[]) as fresh (at, body)
    where tenant = $1 and conversation_id = $2 and position = fresh.at`,
}

/** The deliveries of these messages or notifications: `$1` the tenant, `$2` whose they are. */
function removal(column: 'message_id' | 'notification_id') {
  const mine = `delivery.tenant = $1 and delivery.${column} = any($2::text[])`
  const name = (step: string) => `erase-${step}-${column}`
  return {
    lanes: {
      name: name('lanes'),
      text: `select from lane where (tenant, channel, account, ref_id) in (
          select tenant, channel, account, ref_id from delivery where ${mine})
        order by tenant, channel, account, ref_id for no key update`,
    },
    rows: { name: name('rows'), text: `select from delivery where ${mine} order by seq for update` },
    parts: {
      name: name('parts'),
      text: `delete from provider_part as part using delivery
        where ${mine} and part.tenant = delivery.tenant and part.delivery_id = delivery.id`,
    },
    deliveries: {
      name: name('deliveries'),
      text: `delete from delivery where ${mine} returning channel, account, ref_id, state`,
    },
  } as const
}
const REMOVAL = { message_id: removal('message_id'), notification_id: removal('notification_id') } as const
/** Who waited behind what was on its way. */
const NEXT: Statement = {
  name: 'erase-next',
  text: `update delivery set state = 'due', due_at = coalesce($5::text, iso_time_1(clock_timestamp())) where seq in (
      select next.seq from unnest($2::text[], $3::text[], $4::text[]) as free (channel, account, ref_id)
      cross join lateral (
        select waiting.seq from delivery as waiting
        where waiting.tenant = $1 and waiting.channel = free.channel and waiting.account = free.account
          and waiting.ref_id = free.ref_id and waiting.state in ('waiting', 'due', 'leased')
          and waiting.state = 'waiting'
        order by waiting.seq limit 1
      ) as next)`,
}
const FORGET_ONCE: Statement = {
  name: 'erase-once',
  text: `delete from once where (tenant, scope, key) in (
      select tenant, scope, key from once
      where tenant = $1 and conversation_id = $2 and expires_at is not null and scope = $3
      limit $4 for update skip locked)`,
}
const AT = 'tenant = $1 and channel = $2 and ref_id = $3 and ($4::text is null or account = $4)'
/** Only who waits for a delivery needs the row; the next one makes it again. */
const FREE = `${AT} and not exists (
    select from delivery where delivery.tenant = lane.tenant and delivery.channel = lane.channel
      and delivery.account = lane.account and delivery.ref_id = lane.ref_id
      and delivery.state in ('waiting', 'due', 'leased'))`
const FREE_LANES: Statement = { name: 'erase-free-lanes', text: `select from lane where ${FREE} limit 1` }
const FORGET_LANES: Statement = { name: 'erase-lanes', text: `delete from lane where ${FREE}` }
const NOTIFICATIONS: Statement = {
  name: 'erase-notifications',
  text: `select id from notification where ${AT} order by id limit $5`,
}
/** What waits is not sent any more. */
const ERASE_NOTIFICATIONS: Statement = {
  name: 'erase-notified',
  text: `update notification set ref_id = 'erased:' || id,
      reason = case when state = 'waiting' then 'erased' else '' end,
      changed_at = case when state = 'waiting' then coalesce($3::text, iso_time_1(clock_timestamp())) else changed_at end,
      state = case when state = 'waiting' then 'failed' else state end
    where tenant = $1 and id = any($2::text[])`,
}
const HASH_SUPPRESSED: Statement = {
  name: 'erase-suppressed',
  text: `with gone as (
      delete from suppression where tenant = $1 and channel = $2 and ref_id = $3 returning account
    ), kept as (
      insert into suppression (tenant, channel, ref_id, account) select $1, $2, $4, account from gone
      on conflict do nothing
    ) select count(*) as count from gone`,
}

export class PgErasureStore implements ErasureStore {
  readonly #pool: PgPool
  readonly #vacuum: PgVacuum
  readonly #now: (() => Date) | undefined

  /** @param deps.now replaces the database's clock */
  constructor(deps: { pool: PgPool; vacuum: PgVacuum; now: (() => Date) | undefined }) {
    this.#pool = deps.pool
    this.#vacuum = deps.vacuum
    this.#now = deps.now
  }

  eraseEvents({ tenant, conversationId }: Place, after: number, limit: number): Promise<ErasedPage> {
    return this.#pool.consultTransaction(async (session) => {
      const page = await session.ask<{ position: number; body: string }>(PAGE, [tenant, conversationId, after, limit])
      const found = page.map(({ position, body }) => ({ position, body, event: readEvent(body) }))
      const erased = found
        .map(({ position, body, event }) => ({ position, before: body, body: JSON.stringify(erasedEvent(event)) }))
        .filter(({ before, body }) => before !== body)
      const messages = found.flatMap(({ event }) => (event.type === 'messageSent' ? [event.id] : []))
      const texts = [intArray(erased.map((one) => one.position)), textArray(erased.map((one) => one.body))]
      if (erased.length > 0) await session.ask(REWRITE, [tenant, conversationId, ...texts])
      const deliveries = await this.#remove(session, tenant, { column: 'message_id', of: messages })
      return { last: found.at(-1)?.position ?? after, events: erased.length, deliveries }
    })
  }
  /** Their lanes are locked first: who is next must not change before these are out of the way. */
  async #remove(
    session: PgSession,
    tenant: Tenant,
    { column, of }: { column: keyof typeof REMOVAL; of: readonly string[] },
  ): Promise<number> {
    if (of.length === 0) return 0
    const { lanes, rows, parts, deliveries } = REMOVAL[column]
    const mine = [tenant, textArray(of)]
    await session.ask(lanes, mine)
    await session.ask(rows, mine)
    await session.ask(parts, mine)
    const gone = await session.ask<{ channel: string; account: string; ref_id: string; state: string }>(
      deliveries,
      mine,
    )
    const free = gone.filter(({ state }) => state === 'due' || state === 'leased')
    if (free.length > 0) {
      const column = (cell: (one: (typeof free)[number]) => string) => textArray(free.map(cell))
      const lanes = [column((one) => one.channel), column((one) => one.account), column((one) => one.ref_id)]
      await session.ask(NEXT, [tenant, ...lanes, this.#at()])
    }
    return gone.length
  }

  async eraseRest({ tenant, conversationId }: Place, { address, scope }: Hanging, limit: number): Promise<number> {
    const keys = await this.#pool.consult(async (session) => {
      const { rowCount } = await session.run(FORGET_ONCE.text, [tenant, conversationId, scope, limit])
      return rowCount ?? 0
    })
    return keys > 0 ? keys : this.#forgetLanes(tenant, address)
  }
  /**
   * Nobody may have found the row and not locked it yet: for the moment of its deletion nobody else is at the table.
   * Whoever waits behind that waits no longer than `LANE_MS`; then this one lets them pass, and asks again.
   */
  async #forgetLanes(tenant: Tenant, { channel, account, refId }: Who): Promise<number> {
    const at = [tenant, channel, refId, account]
    const free = await this.#pool.consult((session) => session.ask(FREE_LANES, at))
    if (free.length === 0) return 0
    for (let attempt = 0; attempt < LANE_ATTEMPTS; attempt++) {
      try {
        return await this.#pool.transaction('isolation level read committed', async (session) => {
          await session.run(`set local lock_timeout = ${LANE_MS}`)
          await session.run('lock table lane in exclusive mode')
          const { rowCount } = await session.run(FORGET_LANES.text, at)
          return rowCount ?? 0
        })
      } catch (cause) {
        if (!(cause instanceof DatabaseError) || cause.code !== LOCK_NOT_AVAILABLE) throw unavailable(cause)
      }
    }
    throw unavailable()
  }

  async eraseAddress(tenant: Tenant, who: Who, limit: number): Promise<ErasedAddress> {
    const { channel, account, refId } = who
    const erased = await this.#pool.consultTransaction(async (session) => {
      const found = await session.ask<{ id: string }>(NOTIFICATIONS, [tenant, channel, refId, account, limit])
      const ids = found.map(({ id }) => id)
      const deliveries = await this.#remove(session, tenant, { column: 'notification_id', of: ids })
      if (ids.length > 0) await session.ask(ERASE_NOTIFICATIONS, [tenant, textArray(ids), this.#at()])
      const hashed = hashedAddress({ channel, account: '', refId }).refId
      const [listed] = await session.ask<{ count: number }>(HASH_SUPPRESSED, [tenant, channel, refId, hashed])
      return { notifications: ids.length, deliveries, suppressed: (listed?.count ?? 0) > 0 }
    })
    if (erased.notifications < limit) await this.#forgetLanes(tenant, who)
    return erased
  }

  async scrub(): Promise<Scrubbed> {
    this.#vacuum.begin()
    return 'freed'
  }

  #at(): string | null {
    return this.#now?.().toISOString() ?? null
  }
}

const unavailable = (cause?: unknown): GatewayError =>
  new GatewayError('unavailable', 'The store is too busy to erase this now. Try again in a moment.', {
    cause,
    retryAfter: 1,
  })
