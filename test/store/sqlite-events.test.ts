// The log on SQLite across its two homes: the list of what is new, and the table.
import BetterSqlite, { type Database } from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import type { ConversationId } from '../../src/model/ids'
import { migrate } from '../../src/store/migrate'
import { SqliteEvents } from '../../src/store/sqlite-events'
import { tenant } from '../support/log-fixtures'

const [ANN, BO] = ['ann', 'bo'] as ConversationId[]
/** Every third event is internal. */
const publicOf = (position: number) => (position % 3 === 0 ? null : position - Math.floor(position / 3))
const row = (id: ConversationId, position: number) => [tenant, id, position, publicOf(position), `${id} ${position}`]

describe('the log on SQLite', () => {
  let db: Database
  let events: SqliteEvents
  beforeEach(async () => {
    db = new BetterSqlite(':memory:')
    await migrate(new Kysely({ dialect: new SqliteDialect({ database: db }) }), 'sqlite')
    events = new SqliteEvents(db)
  })
  afterEach(() => db.close())

  const write = (id: ConversationId, from: number, to: number) => {
    events.append(Array.from({ length: to - from + 1 }, (_, i) => row(id, from + i)).flat())
    events.committed()
    events.tidy()
  }
  const page = (id: ConversationId, audience: 'staff' | 'public', after: number, limit: number) =>
    events.page({ tenant, id, audience, after, limit })
  const listed = () => db.prepare('select count(*) from event_recent').pluck().get()
  const bodies = (id: ConversationId, from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => `${id} ${from + i}`)

  it('keeps what is new in a list that goes into the table when it is long, and reads both as one', () => {
    write(ANN!, 1, 1_000)
    write(BO!, 1, 1_000)
    expect(listed()).toBe(2_000)
    write(ANN!, 1_001, 1_060)
    expect(listed()).toBe(0)
    write(ANN!, 1_061, 1_070)
    expect(listed()).toBe(10)
    expect(page(ANN!, 'staff', 1_055, 10)).toEqual(bodies(ANN!, 1_056, 1_065))
    expect(page(ANN!, 'staff', 0, 5_000)).toEqual(bodies(ANN!, 1, 1_070))
    const heard = bodies(ANN!, 1, 1_070).filter((_, i) => (i + 1) % 3 !== 0)
    expect(page(ANN!, 'public', 0, 5_000)).toEqual(heard)
    expect(page(ANN!, 'public', 700, 10)).toEqual(heard.slice(700, 710))
    expect(events.tail({ tenant, id: ANN!, after: 1_068 })).toEqual(bodies(ANN!, 1_069, 1_070))
    for (const position of [1_060, 1_061]) {
      expect(events.at(tenant, { conversationId: ANN!, position })).toBe(`ann ${position}`)
      const publicPosition = publicOf(position)
      if (publicPosition !== null)
        expect(events.at(tenant, { conversationId: ANN!, publicPosition })).toBe(`ann ${position}`)
    }
    expect([events.end(tenant, ANN!), events.end(tenant, BO!)]).toEqual([1_070, 1_000])
  })
  it('goes into the table by its size, too', () => {
    events.append([tenant, ANN!, 1, 1, 'x'.repeat(4 * 1024 * 1024)])
    events.committed()
    events.tidy()
    expect(listed()).toBe(0)
  })
  it('knows the list again when the file is opened again', () => {
    write(ANN!, 1, 20)
    events = new SqliteEvents(db)
    expect(page(ANN!, 'staff', 0, 100)).toEqual(bodies(ANN!, 1, 20))
    write(ANN!, 21, 21)
    expect(events.end(tenant, ANN!)).toBe(21)
  })
  it('takes only the next of a log, and forgets what was rolled back', () => {
    write(ANN!, 1, 3)
    for (const position of [3, 5]) {
      expect(() => events.append(row(ANN!, position))).toThrow('A position has moved')
      events.rolledBack()
    }
    db.exec('begin')
    events.append([...row(ANN!, 4), ...row(BO!, 1)])
    db.exec('rollback')
    events.rolledBack()
    expect([events.end(tenant, ANN!), events.end(tenant, BO!)]).toEqual([3, 0])
    write(ANN!, 4, 4)
    expect(page(ANN!, 'staff', 0, 10)).toEqual(bodies(ANN!, 1, 4))
  })
})
