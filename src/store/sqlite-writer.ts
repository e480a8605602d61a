// Writes a batch on SQLite: one transaction, statements prepared once.
import type { Database } from 'better-sqlite3'
import type { Selectable } from 'kysely'
import type { ConversationId, Tenant } from '../model/ids'
import { Conflict } from './conflict'
import type { SqliteEvents } from './sqlite-events'
import type { SqliteOnce } from './sqlite-once'
import type { SqliteOutbox } from './sqlite-outbox'
import type { OnceTable } from './sql-schema'
import { WIDTH, type Cell, type FlatBatch } from './sqlite-protocol'
import { inTransaction } from './sqlite-transaction'
import { isDeliveryWrite, isReceiptWrite, type NotifiedWrite, type ReceiptWrite } from './write-groups'
import type { Write } from './writes'

type Text = string
/** What the database's clock says, and what the gateway's said when the batch was decided. */
interface Times {
  readonly now: string
  readonly createdAt: string
}

function prepareLog(db: Database) {
  return {
    opened: db.prepare<Cell[]>(
      `insert into conversation (tenant, id, status, position, public_position, active_at, idle_warned, ended_at, picture)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
    ),
    named: db.prepare<Cell[]>(
      `insert into custody (tenant, conversation_id, channel, account, ref_id, ended_at) values (?, ?, ?, ?, ?, ?)
       on conflict do nothing`,
    ),
    changed: db.prepare<Cell[]>(
      `update conversation set status = ?, position = ?, public_position = ?, active_at = ?, idle_warned = ?,
         ended_at = ?, picture = ? where tenant = ? and id = ?`,
    ),
    freed: db.prepare<Cell[]>(
      `delete from live_address
       where tenant = ? and channel = ? and account = ? and ref_id = ? and conversation_id = ?`,
    ),
    taken: db.prepare<Cell[]>(
      `insert into live_address (tenant, channel, account, ref_id, conversation_id)
       values (?, ?, ?, ?, ?) on conflict do nothing`,
    ),
  }
}

function prepareWrites(db: Database) {
  const provider = 'tenant = ? and channel = ? and account = ? and provider_id = ?'
  return {
    // A provider may use its ids again: the newest delivery owns them.
    part: db.prepare<[Text, Text, Text, Text, Text]>(
      `insert into provider_part (tenant, channel, account, provider_id, delivery_id, delivered) values (?, ?, ?, ?, ?, 0)
       on conflict do update set delivery_id = excluded.delivery_id, delivered = 0
       where delivery_id <> excluded.delivery_id`,
    ),
    partDelivered: db.prepare<[Text, Text, Text, Text]>(`update provider_part set delivered = 1 where ${provider}`),
    receipt: db.prepare<[Text, Text, Text, Text, Text]>(
      `insert into receipt (tenant, conversation_id, message_id, recipient, state) values (?, ?, ?, ?, ?)
       on conflict do update set state = excluded.state`,
    ),
    park: db.prepare<[Text, Text, Text, Text, Text, Text, Text]>(
      `insert into parked_receipt (tenant, channel, account, provider_id, state, reason, expires_at)
       values (?, ?, ?, ?, ?, ?, ?)
       on conflict do update set reason = excluded.reason, expires_at = excluded.expires_at`,
    ),
    unpark: db.prepare<[Text, Text, Text, Text]>(`delete from parked_receipt where ${provider}`),
    notification: db.prepare<Cell[]>(
      `insert into notification (tenant, id, key_id, channel, account, ref_id, state, reason, created_at, expires_at,
         changed_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       on conflict do update set state = excluded.state, reason = excluded.reason, expires_at = excluded.expires_at,
         changed_at = excluded.changed_at`,
    ),
    suppress: db.prepare<[Text, Text, Text, Text]>(
      'insert into suppression (tenant, channel, account, ref_id) values (?, ?, ?, ?) on conflict do nothing',
    ),
    unsuppress: db.prepare<[Text, Text, Text, Text]>(
      'delete from suppression where tenant = ? and channel = ? and account = ? and ref_id = ?',
    ),
    countQuota: db.prepare<[Text, Text, Text]>(
      `insert into quota (tenant, key_id, day, used) values (?, ?, ?, 1) on conflict do update set used = used + 1`,
    ),
  }
}

export class SqliteWriter {
  readonly #db: Database
  readonly #outbox: SqliteOutbox
  readonly #events: SqliteEvents
  readonly #once: SqliteOnce
  readonly #log: ReturnType<typeof prepareLog>
  readonly #statements: ReturnType<typeof prepareWrites>

  constructor(db: Database, parts: { outbox: SqliteOutbox; events: SqliteEvents; once: SqliteOnce }) {
    const { outbox, events, once } = parts
    this.#db = db
    this.#outbox = outbox
    this.#events = events
    this.#once = once
    this.#log = prepareLog(db)
    this.#statements = prepareWrites(db)
  }

  commit(batch: FlatBatch, now: string): 'written' | 'conflict' {
    try {
      inTransaction(this.#db, 'immediate', () => {
        this.#writeLog(batch, now)
        for (const { tenant, write } of batch.writes) this.#write(tenant, write, { now, createdAt: batch.now })
      })
      this.#events.committed()
      this.#once.committed()
      return 'written'
    } catch (cause) {
      this.#events.rolledBack()
      this.#once.rolledBack()
      if (cause instanceof Conflict) return 'conflict'
      throw cause
    }
  }

  #writeLog(batch: FlatBatch, now: string): void {
    const log = this.#log
    this.#events.append(batch.events)
    for (const row of rows(batch.changed, WIDTH.changed)) log.changed.run(...row)
    for (const row of rows(batch.opened, WIDTH.opened))
      mustChange(log.opened.run(...row).changes, 'The conversation is there already')
    for (const row of rows(batch.named, WIDTH.named)) log.named.run(...row)
    // Before they are taken: the next conversation of an address may open in the batch that ends the last.
    for (const row of rows(batch.freed, WIDTH.freed)) log.freed.run(...row)
    for (const row of rows(batch.taken, WIDTH.taken))
      mustChange(log.taken.run(...row).changes, 'The address has a live conversation')
    for (const row of rows(batch.once, WIDTH.once)) this.#once.add(toOnceRecord(row), now)
  }

  #write(tenant: Tenant, write: Write, times: Times): void {
    if (isDeliveryWrite(write)) {
      if (write.kind === 'deliver') this.#outbox.enqueue(tenant, write, times)
      else this.#outbox.settle(tenant, write, times.now)
    } else if (isReceiptWrite(write)) this.#writeReceipt(tenant, write)
    else this.#writeNotified(tenant, write, times.now)
  }

  #writeReceipt(tenant: Tenant, write: ReceiptWrite): void {
    const { part, partDelivered, park, unpark, receipt } = this.#statements
    if (write.kind === 'receipt') {
      receipt.run(tenant, write.conversationId, write.messageId, write.recipient, write.state)
      return
    }
    if (write.kind === 'parts') {
      for (const { channel, account, providerId } of write.keys)
        part.run(tenant, channel, account, providerId, write.deliveryId)
      return
    }
    const { channel, account, providerId } = write.key
    if (write.kind === 'partDelivered') partDelivered.run(tenant, channel, account, providerId)
    else if (write.kind === 'unpark') unpark.run(tenant, channel, account, providerId)
    else park.run(tenant, channel, account, providerId, write.receipt.state, write.receipt.reason, write.expiresAt)
  }

  #writeNotified(tenant: Tenant, write: NotifiedWrite, now: string): void {
    const { notification, suppress, unsuppress, countQuota } = this.#statements
    if (write.kind === 'notification') {
      const { id, keyId, to, state, reason, createdAt, expiresAt } = write.notification
      notification.run(tenant, id, keyId, to.channel, to.account, to.refId, state, reason, createdAt, expiresAt, now)
    } else if (write.kind === 'countQuota') {
      countQuota.run(tenant, write.keyId, write.day)
    } else {
      const { channel, account, refId } = write.address
      const statement = write.kind === 'suppress' ? suppress : unsuppress
      statement.run(tenant, channel, account, refId)
    }
  }
}

function mustChange(changes: number, sentence: string): void {
  if (changes === 0) throw new Conflict(sentence)
}

/** Cells as `flattenBatch` has laid them out. */
function toOnceRecord(cells: readonly Cell[]): Selectable<OnceTable> {
  const [tenant, scope, key, conversation_id, position, note, expires_at] = cells as [
    ...[tenant: Tenant, scope: string, key: string, conversationId: ConversationId | '', position: number],
    ...[note: string, expiresAt: string | null],
  ]
  return { tenant, scope, key, conversation_id, position, note, expires_at }
}

function* rows(cells: readonly Cell[], width: number): Generator<Cell[]> {
  for (let at = 0; at < cells.length; at += width) yield cells.slice(at, at + width)
}
