// Erases on SQLite, a step at a time, in the file's own thread: commits come in between.
import type { Database } from 'better-sqlite3'
import { erasedEvent } from '../model/erased'
import { hashedAddress } from '../model/hashed-address'
import type { Tenant } from '../model/ids'
import type { Who } from './custody-store'
import type { ErasedAddress, ErasedPage } from './erasure-store'
import type { SqliteEvents } from './sqlite-events'
import type { SqliteOutbox } from './sqlite-outbox'
import type { Ask } from './sqlite-protocol'
import { inTransaction } from './sqlite-transaction'
import { readEvent } from '../model/stored-event'

type Step<K extends Ask['do']> = Extract<Ask, { readonly do: K }>
interface At {
  tenant: string
  channel: string
  refId: string
  /** Null: every one. */
  account: string | null
}

function prepare(db: Database) {
  const at = 'tenant = @tenant and channel = @channel and ref_id = @refId and (@account is null or account = @account)'
  return {
    notifications: db.prepare<At & { limit: number }, { id: string }>(
      `select id from notification where ${at} limit @limit`,
    ),
    // What waits is not sent any more.
    erase: db.prepare<{ tenant: string; id: string; now: string }>(
      `update notification set ref_id = 'erased:' || id,
         reason = case when state = 'waiting' then 'erased' else '' end,
         changed_at = case when state = 'waiting' then @now else changed_at end,
         state = case when state = 'waiting' then 'failed' else state end
       where tenant = @tenant and id = @id`,
    ),
    suppressed: db.prepare<[string, string, string], { account: string }>(
      'select account from suppression where tenant = ? and channel = ? and ref_id = ?',
    ),
    suppress: db.prepare<[string, string, string, string]>(
      'insert into suppression (tenant, channel, account, ref_id) values (?, ?, ?, ?) on conflict do nothing',
    ),
    unlist: db.prepare<[string, string, string]>(
      'delete from suppression where tenant = ? and channel = ? and ref_id = ?',
    ),
  }
}

export class SqliteErasure {
  readonly #db: Database
  readonly #events: SqliteEvents
  readonly #outbox: SqliteOutbox
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Database, { events, outbox }: { events: SqliteEvents; outbox: SqliteOutbox }) {
    this.#db = db
    this.#events = events
    this.#outbox = outbox
    this.#statements = prepare(db)
  }

  eraseEvents({ place, after, limit }: Step<'eraseEvents'>, now: string): ErasedPage {
    const { tenant, conversationId } = place
    const page = this.#events.settled(tenant, conversationId, after, limit)
    return inTransaction(this.#db, 'immediate', () => {
      let [events, deliveries] = [0, 0]
      for (const { position, body } of page) {
        const event = readEvent(body)
        if (event.type === 'messageSent') deliveries += this.#outbox.remove(tenant, { message: event.id }, now)
        const erased = JSON.stringify(erasedEvent(event))
        if (erased === body) continue
        this.#events.rewrite(tenant, conversationId, { position, body: erased })
        events += 1
      }
      return { last: page.at(-1)?.position ?? after, events, deliveries }
    })
  }

  eraseAddress({ tenant, who, limit }: Step<'eraseAddress'>, now: string): ErasedAddress {
    const { notifications, erase } = this.#statements
    return inTransaction(this.#db, 'immediate', () => {
      const found = notifications.all({ tenant, ...who, limit })
      let deliveries = 0
      for (const { id } of found) {
        erase.run({ tenant, id, now })
        deliveries += this.#outbox.remove(tenant, { notification: id }, now)
      }
      return { notifications: found.length, deliveries, suppressed: this.#hashSuppressed(tenant, who) }
    })
  }
  #hashSuppressed(tenant: Tenant, { channel, refId }: Who): boolean {
    const { suppressed, suppress, unlist } = this.#statements
    const listed = suppressed.all(tenant, channel, refId)
    for (const { account } of listed)
      suppress.run(tenant, channel, account, hashedAddress({ channel, account, refId }).refId)
    unlist.run(tenant, channel, refId)
    return listed.length > 0
  }
}
