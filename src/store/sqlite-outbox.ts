// Deliveries on SQLite: in order per recipient, leased with a fence, and never searched longer than an index is deep.
import type { Database } from 'better-sqlite3'
import type { DeliveryId, Tenant } from '../model/ids'
import { sliceOf } from '../model/slice'
import { Conflict } from './conflict'
import type { Claim, Supply } from './delivery-store'
import type { Delivery } from './records'
import { toDelivery, type DeliveryRecord } from './sql-rows'
import { inTransaction } from './sqlite-transaction'
import type { Write } from './writes'

type Text = string
type Lane = Pick<DeliveryRecord, 'channel' | 'account' | 'ref_id'>
/** What a delivery was about. */
type Subject = Pick<DeliveryRecord, 'conversation_id' | 'message_id' | 'recipient' | 'notification_id'>
type Removed = Lane & Pick<DeliveryRecord, 'seq' | 'id' | 'state'>
const REMOVED = 'seq, id, state, channel, account, ref_id'
type NewRow = Omit<DeliveryRecord, 'seq' | 'state' | 'attempts' | 'lease' | 'reason'>
type Deliver = Extract<Write, { kind: 'deliver' }>
type Settle = Extract<Write, { kind: 'settle' }>

/** Spelled as in the index, or SQLite does not use it. */
const LIVE = "state in ('waiting', 'due', 'leased')"
const STARTED = "state in ('due', 'leased')"

interface NextParameters extends Pick<Claim, 'channel' | 'account'> {
  tenant: Text
  state: 'due' | 'leased'
  /** Null: every one. */
  slices: Text | null
}
interface DueParameters extends NextParameters {
  now: Text
  limit: number
  /** When what was due by then is nobody's any more. */
  overdue: Text
}

const OURS = "(@slices is null or substr(@slices, slice + 1, 1) = '1')"
const due = (where: string): string =>
  `select * from delivery where tenant = @tenant and ${where} and ${STARTED} and state = @state and due_at <= @now
     and (${OURS} or due_at <= @overdue)
   order by due_at, seq limit @limit`
const nextDue = (where: string): string =>
  `select due_at from delivery where tenant = @tenant and ${where} and ${STARTED} and state = @state and ${OURS}
   order by due_at limit 1`

function prepare(db: Database) {
  const account = 'tenant = ? and channel = ? and account = ?'
  return {
    insert: db.prepare<NewRow>(
      `insert into delivery (tenant, id, channel, account, ref_id, conversation_id, message_id, recipient,
         notification_id, body, state, attempts, lease, due_at, created_at, expires_at, reason, slice)
       values (@tenant, @id, @channel, @account, @ref_id, @conversation_id, @message_id, @recipient,
         @notification_id, @body,
         case when exists (
           select 1 from delivery where tenant = @tenant and channel = @channel and account = @account
             and ref_id = @ref_id and ${LIVE}
         ) then 'waiting' else 'due' end,
         0, '', @due_at, @created_at, @expires_at, '', @slice)`,
    ),
    settle: db.prepare<[Text, Text, Text, Text, Text, Text], Lane>(
      `update delivery set state = ?, lease = '', due_at = ?, reason = ?
       where tenant = ? and id = ? and state = 'leased' and lease = ? returning channel, account, ref_id`,
    ),
    next: db.prepare<[Text, Text, Text, Text, Text]>(
      `update delivery set state = 'due', due_at = ? where seq = (
         select seq from delivery where ${account} and ref_id = ? and ${LIVE} and state = 'waiting'
         order by seq limit 1)`,
    ),
    /** By account, or for a claim without one, by channel. */
    due: {
      ofAccount: db.prepare<DueParameters, DeliveryRecord>(due('channel = @channel and account = @account')),
      ofChannel: db.prepare<DueParameters, DeliveryRecord>(due('channel = @channel')),
    },
    nextDue: {
      ofAccount: db.prepare<NextParameters, { due_at: string }>(nextDue('channel = @channel and account = @account')),
      ofChannel: db.prepare<NextParameters, { due_at: string }>(nextDue('channel = @channel')),
    },
    lease: db.prepare<[Text, Text, number], DeliveryRecord>(
      `update delivery set state = 'leased', lease = ?, due_at = ?, attempts = attempts + 1
       where seq = ? returning *`,
    ),
    release: db.prepare<[Text, Text, Text]>(
      "update delivery set state = 'due', lease = '', due_at = ? where tenant = ? and lease = ? and state = 'leased'",
    ),
    replay: db.prepare<{ now: Text; tenant: Text; id: Text }, Subject>(
      `update delivery set attempts = 0, lease = '', reason = '', expires_at = null, due_at = @now,
         state = case when exists (
           select 1 from delivery as other where other.tenant = delivery.tenant and other.channel = delivery.channel
             and other.account = delivery.account and other.ref_id = delivery.ref_id
             and other.state in ('waiting', 'due', 'leased')
         ) then 'waiting' else 'due' end
       where tenant = @tenant and id = @id and state = 'dead'
       returning conversation_id, message_id, recipient, notification_id`,
    ),
    /** `failed` is final, unless somebody wants it tried again. */
    reopenReceipt: db.prepare<Subject & { tenant: Text }>(
      `delete from receipt where tenant = @tenant and conversation_id = @conversation_id
         and message_id = @message_id and recipient = @recipient and state = 'failed'`,
    ),
    reopenNotification: db.prepare<Subject & { tenant: Text }>(
      `update notification set state = 'waiting', reason = ''
       where tenant = @tenant and id = @notification_id and state = 'failed'`,
    ),
  }
}

function prepareRemoval(db: Database) {
  return {
    ofMessage: db.prepare<[Text, Text], Removed>(`select ${REMOVED} from delivery where tenant = ? and message_id = ?`),
    ofNotification: db.prepare<[Text, Text], Removed>(
      `select ${REMOVED} from delivery where tenant = ? and notification_id = ?`,
    ),
    removeParts: db.prepare<[Text, Text]>('delete from provider_part where tenant = ? and delivery_id = ?'),
    remove: db.prepare<[number]>('delete from delivery where seq = ?'),
  }
}

export class SqliteOutbox {
  readonly #db: Database
  readonly #statements: ReturnType<typeof prepare>
  readonly #removal: ReturnType<typeof prepareRemoval>

  constructor(db: Database) {
    this.#db = db
    this.#statements = prepare(db)
    this.#removal = prepareRemoval(db)
  }

  /** Within the transaction of a commit. */
  enqueue(tenant: Tenant, { delivery }: Deliver, times: { now: string; createdAt: string }): void {
    const { id, to, conversationId, recipient, notificationId, body, expiresAt } = delivery
    this.#statements.insert.run({
      tenant,
      id,
      channel: to.channel,
      account: to.account,
      ref_id: to.refId,
      conversation_id: conversationId,
      message_id: delivery.messageId === 'first' ? null : delivery.messageId,
      recipient,
      notification_id: notificationId,
      body,
      due_at: times.now,
      created_at: times.createdAt,
      expires_at: expiresAt,
      slice: sliceOf(to),
    })
  }
  /** Within the transaction of a commit. */
  settle(tenant: Tenant, { deliveryId, lease, outcome }: Settle, now: string): void {
    const dueAt = outcome.state === 'due' ? outcome.at : now
    const reason = outcome.state === 'done' ? '' : outcome.reason
    const lane = this.#statements.settle.get(outcome.state, dueAt, reason, tenant, deliveryId, lease)
    if (!lane) throw new Conflict('The lease is stale')
    if (outcome.state !== 'due') this.#letNextGo(tenant, lane, now)
  }

  /**
   * Within a transaction: deletes the deliveries of a message or of a notification, and lets go who waited behind them.
   * Answers how many.
   */
  remove(tenant: Tenant, about: { readonly message: string } | { readonly notification: string }, now: string): number {
    const { ofMessage, ofNotification, removeParts, remove } = this.#removal
    const found =
      'message' in about ? ofMessage.all(tenant, about.message) : ofNotification.all(tenant, about.notification)
    for (const { id, seq, state, ...lane } of found) {
      removeParts.run(tenant, id)
      remove.run(seq)
      if (state === 'due' || state === 'leased') this.#letNextGo(tenant, lane, now)
    }
    return found.length
  }

  claim(tenant: Tenant, claim: Claim, now: string): Delivery[] {
    return inTransaction(this.#db, 'immediate', () => {
      const until = new Date(Date.parse(now) + claim.leaseMs).toISOString()
      const rows = this.#candidates(tenant, claim, { now, limit: claim.limit })
      return rows.flatMap(({ seq }) => {
        const taken = this.#statements.lease.get(claim.lease, until, seq)
        return taken ? [toDelivery(taken)] : []
      })
    })
  }
  /** Leases that ran out come first: they are the oldest. */
  #candidates(tenant: Tenant, { channel, account, share }: Claim, { now, limit }: { now: string; limit: number }) {
    const due = account === '' ? this.#statements.due.ofChannel : this.#statements.due.ofAccount
    const overdue = new Date(Date.parse(now) - (share?.patienceMs ?? 0)).toISOString()
    const asked = { tenant, channel, account, now, overdue }
    const lost = due.all({ ...asked, state: 'leased', limit, slices: null })
    const ours = { state: 'due', limit: limit - lost.length, slices: share?.slices ?? null } as const
    return [...lost, ...due.all({ ...asked, ...ours })]
  }
  #letNextGo(tenant: Tenant, { channel, account, ref_id: refId }: Lane, now: string): void {
    this.#statements.next.run(now, tenant, channel, account, refId)
  }

  release(tenant: Tenant, lease: string, now: string): number {
    return this.#statements.release.run(now, tenant, lease).changes
  }
  replay(tenant: Tenant, id: DeliveryId, now: string): boolean {
    const { replay, reopenReceipt, reopenNotification } = this.#statements
    return inTransaction(this.#db, 'immediate', () => {
      const subject = replay.get({ now, tenant, id })
      if (!subject) return false
      reopenReceipt.run({ tenant, ...subject })
      reopenNotification.run({ tenant, ...subject })
      return true
    })
  }
  nextDueIn(tenant: Tenant, { channel, account, share }: Supply, now: string): number | null {
    const next = account === '' ? this.#statements.nextDue.ofChannel : this.#statements.nextDue.ofAccount
    const first = (state: 'due' | 'leased', slices: string | null, patience = 0) => {
      const row = next.get({ tenant, channel, account, state, slices })
      return row ? [Date.parse(row.due_at) + patience] : []
    }
    const times = [...first('leased', null), ...first('due', share?.slices ?? null)]
    if (share) times.push(...first('due', null, share.patienceMs))
    return times.length > 0 ? Math.max(0, Math.min(...times) - Date.parse(now)) : null
  }
}
