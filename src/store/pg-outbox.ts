// The outbox's shelf on Postgres: claims of many nodes pass each other by, and each statement finds its rows by an index.
import type { DeliveryId, Tenant } from '../model/ids'
import type { Claim, Share, Supply } from './delivery-store'
import { columns } from './pg-look-ups'
import type { PgPool, Statement } from './pg-pool'
import type { Delivery } from './records'
import type { Shelf } from './sql-delivery-store'
import { toDelivery, type DeliveryRecord } from './sql-rows'

/** `$1` replaces the database's clock in tests. */
const NOW = 'coalesce($1::text, iso_time_1(clock_timestamp()))'
/** Spelled as in the index, or Postgres does not use it. */
const STARTED = "state in ('due', 'leased')"

/** Null: every slice. */
const ours = (slices: string): string => `(${slices}::text is null or substr(${slices}::text, slice + 1, 1) = '1')`
const due = (where: string, state: 'due' | 'leased', limit: string): string =>
  `select seq, ${state === 'leased' ? 0 : 1} as rank, due_at from delivery
   where tenant = $2 and ${where} and ${STARTED} and state = '${state}' and due_at <= (select now from clock)
     ${state === 'due' ? `and (${ours('$8')} or due_at <= (select overdue from clock))` : ''}
   order by due_at, seq limit ${limit} for no key update skip locked`

/** Leases that ran out come first: they are the oldest. What another node is settling or claiming is passed by. */
const claim = (name: string, where: string): Statement => ({
  name,
  text: `with clock as (
      select now, iso_time_1(now::timestamptz - $9::int * interval '1 millisecond') as overdue
      from (select ${NOW} as now) as one
    ),
    lost as (${due(where, 'leased', '$5')}),
    fresh as (${due(where, 'due', '$5 - (select count(*) from lost)')}),
    found as (select * from lost union all select * from fresh),
    taken as (
      update delivery set state = 'leased', lease = $6, attempts = attempts + 1,
        due_at = iso_time_1((select now from clock)::timestamptz + $7::int * interval '1 millisecond')
      where seq in (select seq from found) returning ${columns.delivery}
    )
    select taken.* from taken join found using (seq) order by found.rank, found.due_at, seq`,
})
const first = (where: string, state: 'due' | 'leased', more = ''): string =>
  `(select due_at from delivery where tenant = $2 and ${where} and ${STARTED} and state = '${state}' ${more}
    order by due_at limit 1)`
const nextDue = (name: string, where: string): Statement => ({
  name,
  text: `select ${NOW} as now, ${first(where, 'due', `and ${ours('$5')}`)} as due, ${first(where, 'leased')} as leased,
    case when $5::text is not null then ${first(where, 'due')} end as of_others`,
})
/** By account, or for a claim without one, by channel; both statements have the same parameters. */
const OF_ACCOUNT = 'channel = $3 and account = $4'
const OF_CHANNEL = "channel = $3 and $4::text = ''"
const STATEMENTS = {
  claim: { ofAccount: claim('claim-account', OF_ACCOUNT), ofChannel: claim('claim-channel', OF_CHANNEL) },
  nextDue: { ofAccount: nextDue('next-account', OF_ACCOUNT), ofChannel: nextDue('next-channel', OF_CHANNEL) },
  release: {
    name: 'release',
    text: `with held as (
        select seq from delivery where tenant = $2 and lease = $3 and state = 'leased' order by seq for no key update
      ), freed as (
        update delivery set state = 'due', lease = '', due_at = ${NOW}
        where seq in (select seq from held) and lease = $3 returning seq
      ) select count(*) as count from freed`,
  },
  lockLane: {
    name: 'lock-lane',
    text: `select lock_lanes_1(jsonb_build_object('settle', jsonb_build_array(jsonb_build_object('tenant', $1::text, 'id', $2::text))))`,
  },
  replay: {
    name: 'replay',
    text: `update delivery set attempts = 0, lease = '', reason = '', expires_at = null, due_at = ${NOW},
        state = case when exists (
          select from delivery as other where other.tenant = delivery.tenant and other.channel = delivery.channel
            and other.account = delivery.account and other.ref_id = delivery.ref_id
            and other.state in ('waiting', 'due', 'leased')
        ) then 'waiting' else 'due' end
      where tenant = $2 and id = $3 and state = 'dead'
      returning conversation_id, message_id, recipient, notification_id`,
  },
  /** `failed` is final, unless somebody wants it tried again. */
  reopen: {
    name: 'reopen',
    text: `with receipts as (
        delete from receipt where tenant = $1 and conversation_id = $2 and message_id = $3 and recipient = $4
          and state = 'failed'
      )
      update notification set state = 'waiting', reason = '' where tenant = $1 and id = $5 and state = 'failed'`,
  },
} as const

export class PgOutbox implements Shelf {
  readonly #pool: PgPool
  readonly #now: (() => Date) | undefined

  /** @param deps.now replaces the database's clock */
  constructor(deps: { pool: PgPool; now?: (() => Date) | undefined }) {
    this.#pool = deps.pool
    this.#now = deps.now
  }

  claim(tenant: Tenant, { channel, account, lease, limit, leaseMs, share }: Claim): Promise<Delivery[]> {
    const { ofAccount, ofChannel } = STATEMENTS.claim
    return this.#pool.consult(async (session) => {
      const asked = [this.#at(), tenant, channel, account, limit, lease, leaseMs]
      const parameters = [...asked, share?.slices ?? null, share?.patienceMs ?? 0]
      const rows = await session.ask<DeliveryRecord>(account === '' ? ofChannel : ofAccount, parameters)
      return rows.map(toDelivery)
    })
  }
  release(tenant: Tenant, lease: string): Promise<number> {
    return this.#pool.consult(async (session) => {
      const [row] = await session.ask<{ count: number }>(STATEMENTS.release, [this.#at(), tenant, lease])
      return row?.count ?? 0
    })
  }
  /** Its lane is locked first: whether another one is on its way must not change before this one is put in its place. */
  replay(tenant: Tenant, id: DeliveryId): Promise<boolean> {
    return this.#pool.consultTransaction(async (session) => {
      await session.ask(STATEMENTS.lockLane, [tenant, id])
      const [subject] = await session.ask<Subject>(STATEMENTS.replay, [this.#at(), tenant, id])
      if (!subject) return false
      const { conversation_id, message_id, recipient, notification_id } = subject
      await session.ask(STATEMENTS.reopen, [tenant, conversation_id, message_id, recipient, notification_id])
      return true
    })
  }
  nextDueIn(tenant: Tenant, { channel, account, share }: Supply): Promise<number | null> {
    const { ofAccount, ofChannel } = STATEMENTS.nextDue
    return this.#pool.consult(async (session) => {
      const statement = account === '' ? ofChannel : ofAccount
      const parameters = [this.#at(), tenant, channel, account, share?.slices ?? null]
      const [row] = await session.ask<NextRow>(statement, parameters)
      return row ? waitOf(row, share) : null
    })
  }

  #at(): string | null {
    return this.#now?.().toISOString() ?? null
  }
}
type Subject = Pick<DeliveryRecord, 'conversation_id' | 'message_id' | 'recipient' | 'notification_id'>
interface NextRow {
  now: string
  due: string | null
  leased: string | null
  of_others: string | null
}
/** Milliseconds. What is due for others is taken over in the end. */
function waitOf({ now, due, leased, of_others: ofOthers }: NextRow, share: Share | undefined): number | null {
  const times = [due, leased].flatMap((time) => (time ? [Date.parse(time)] : []))
  if (share && ofOthers) times.push(Date.parse(ofOthers) + share.patienceMs)
  return times.length > 0 ? Math.max(0, Math.min(...times) - Date.parse(now)) : null
}
