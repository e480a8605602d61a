// How SQLite means to find what our statements ask for: along an index to the row, never through all that a tenant has.
import BetterSqlite, { type Database } from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { newConversationId, newFileId } from '../../src/model/new-id'
import { migrate } from '../../src/store/migrate'
import { SqlFileStore } from '../../src/store/sql-file-store'
import { SqlCustodyStore } from '../../src/store/sql-custody-store'
import { SqlNotificationStore } from '../../src/store/sql-notification-store'
import type { Tables } from '../../src/store/sql-schema'
import { SQLITE } from '../../src/store/sql-spelling'
import { SqliteErasure } from '../../src/store/sqlite-erasure'
import { SqliteEvents } from '../../src/store/sqlite-events'
import { SqliteOnce } from '../../src/store/sqlite-once'
import { SqliteOutbox } from '../../src/store/sqlite-outbox'
import { SqliteReader } from '../../src/store/sqlite-reader'
import { SqliteWriter } from '../../src/store/sqlite-writer'
import { tenant } from '../support/log-fixtures'

describe('the plans of SQLite', () => {
  let db: Database
  /** What was prepared, but for what tells of the plans themselves. */
  const prepared: string[] = []
  beforeAll(async () => {
    db = new BetterSqlite(':memory:')
    db.pragma('foreign_keys = ON')
    await migrate(new Kysely({ dialect: new SqliteDialect({ database: db }) }), 'sqlite')
    const prepare = db.prepare.bind(db)
    db.prepare = (sql: string) => {
      prepared.push(sql)
      return prepare(sql)
    }
  })
  afterAll(() => db.close())
  beforeEach(() => prepared.splice(0))

  /** Each look into a table: whole (SCAN), or which columns lead to the rows. What a foreign key looks for is among them. */
  const looks = () =>
    prepared.splice(0).flatMap((sql) => {
      const marks = new Set(sql.match(/@\w+/g))
      const values = marks.size > 0 ? [Object.fromEntries([...marks].map((mark) => [mark.slice(1), '']))] : null
      const count = sql.match(/\?/g)?.length ?? 0
      const plan = db.prepare<unknown[], { detail: string }>(`explain query plan ${sql}`)
      return plan.all(...(values ?? Array.from({ length: count }, () => ''))).map(({ detail }) => detail)
    })
  const isWide = (look: string) =>
    /^SCAN (?!CONSTANT|\d+-ROW|once_recent|event_recent)|\(tenant=\?( AND \w+[<>]\?)*\)$/.test(look)

  it('lead every statement of a commit and of its readings to its rows', () => {
    const events = new SqliteEvents(db)
    const once = new SqliteOnce(db)
    new SqliteReader(db, { events, once })
    new SqliteWriter(db, { events, once, outbox: new SqliteOutbox(db) })
    const found = looks()
    expect(found.length).toBeGreaterThan(20)
    expect(found.filter(isWide)).toEqual([])
  })
  it('lead every step of an erasure to its rows', async () => {
    const [events, outbox] = [new SqliteEvents(db), new SqliteOutbox(db)]
    new SqliteErasure(db, { events, outbox })
    const kysely = new Kysely<Tables>({ dialect: new SqliteDialect({ database: db }) })
    const custody = new SqlCustodyStore({ db: kysely, spelling: SQLITE, now: undefined })
    const place = { tenant, conversationId: newConversationId() }
    const address = { channel: 'sms', account: '', refId: '+1' }
    await custody.conversationsOf(tenant, { ...address, account: null }, '', 10)
    await custody.hold(place, address, null)
    await custody.begin(place, address)
    await custody.claim(tenant, () => '2030-01-01', { limit: 10, claimMs: 1 })
    await custody.due(tenant, () => '2030-01-01')
    await custody.erasedSince(tenant, '', 10)
    await custody.erased(place)
    const found = looks()
    expect(found).toContainEqual(expect.stringContaining('custody_by_end'))
    // What is under way, held, or was erased since: a few, each list in an index of its own.
    const few = /INDEX custody_(under_way|held|erased|by_end) |^SEARCH erasing |USING PRIMARY KEY \(tenant=\?\)$/
    expect(found.filter((look) => isWide(look) && !few.test(look))).toEqual([])
  })
  it('lead the broom to what is old', async () => {
    const kysely = new Kysely<Tables>({ dialect: new SqliteDialect({ database: db }) })
    await new SqlNotificationStore({ db: kysely, spelling: SQLITE, now: () => new Date() }).sweep(tenant)
    const found = looks()
    expect(found).toContainEqual(expect.stringContaining('provider_part_of_delivery (tenant=? AND delivery_id=?)'))
    // By time, oldest first. Quotas are two days of a few keys.
    const byTime = /\(tenant=\? AND (expires_at|changed_at)<\?\)$|^SEARCH quota /
    expect(found.filter((look) => isWide(look) && !byTime.test(look))).toEqual([])
  })
  it('lead what is asked of files to those of one conversation, and to what is not finished', async () => {
    const kysely = new Kysely<Tables>({ dialect: new SqliteDialect({ database: db }) })
    const files = new SqlFileStore(kysely, SQLITE)
    const conversation = newConversationId()
    await files.usage(tenant, conversation)
    await files.ofConversation(tenant, conversation)
    await files.erase(tenant, conversation)
    await files.find(tenant, newFileId())
    await files.unfinished(tenant, '', 10)
    const found = looks()
    expect(found).toContain('SEARCH file USING INDEX file_unfinished (tenant=? AND created_at<?)')
    expect(found.filter((look) => isWide(look) && !look.includes('file_unfinished'))).toEqual([])
  })
})
