// The log on SQLite: new events in a short list that is known by heart, the others in the table.
// A long list goes into the table in one go and in its order: a page of the index is written for many events, not for each.
import type { Database } from 'better-sqlite3'
import type { ConversationId, EventPlace, Tenant } from '../model/ids'
import { Conflict } from './conflict'
import type { LogPage } from './conversation-store'
import { RecentMap } from '../model/recent-map'
import { WIDTH, type Cell } from './sqlite-protocol'
import { inTransaction } from './sqlite-transaction'

type Text = string
interface EventRecord {
  readonly position: number
  readonly publicPosition: number | null
  readonly body: string
}
type SettledEvent = Pick<EventRecord, 'position' | 'body'>
interface StoredRow {
  readonly tenant: Tenant
  readonly conversation_id: ConversationId
  readonly position: number
  readonly public_position: number | null
  readonly body: string
}
/** Events in the list, and characters of them, before they go into the table. */
const LONG = 2_048
const LARGE = 4 * 1024 * 1024
/** Conversations whose last position is kept at hand. */
const MAX_ENDS = 20_000
/** Rows of one statement: most of what a small insert costs is the calling. */
const AT_ONCE = 16
const COLUMNS = 'tenant, conversation_id, position, public_position, body'

const insert = (count: number): string =>
  `insert into event_recent (${COLUMNS}) values ${Array.from({ length: count }, () => '(?, ?, ?, ?, ?)').join(', ')}`

function prepare(db: Database) {
  const log = 'tenant = ? and conversation_id = ?'
  const publicOnly = 'position > ? and public_position > ?'
  return {
    recent: db.prepare<[], StoredRow>(`select ${COLUMNS} from event_recent order by id`),
    append: db.prepare<Cell[]>(insert(1)),
    appendMany: db.prepare<Cell[]>(insert(AT_ONCE)),
    end: db
      .prepare<[Text, Text], number>(`select position from event where ${log} order by position desc limit 1`)
      .pluck(),
    page: db
      .prepare<[Text, Text, number, number], string>(
        `select body from event where ${log} and position > ? order by position limit ?`,
      )
      .pluck(),
    settled: db.prepare<[Text, Text, number, number], SettledEvent>(
      `select position, body from event where ${log} and position > ? order by position limit ?`,
    ),
    rewrite: db.prepare<[Text, Text, Text, number]>(`update event set body = ? where ${log} and position = ?`),
    // A public position is never beyond its position in the log.
    publicPage: db
      .prepare<[Text, Text, number, number, number], string>(
        `select body from event where ${log} and ${publicOnly} order by position limit ?`,
      )
      .pluck(),
    at: db.prepare<[Text, Text, number], string>(`select body from event where ${log} and position = ?`).pluck(),
    publicAt: db
      .prepare<[Text, Text, number, number], string>(
        `select body from event where ${log} and position >= ? and public_position = ? order by position limit 1`,
      )
      .pluck(),
    index: db.prepare<[]>(
      `insert into event (${COLUMNS}) select ${COLUMNS} from event_recent order by tenant, conversation_id, position`,
    ),
    clear: db.prepare<[]>('delete from event_recent'),
  }
}

export class SqliteEvents {
  readonly #db: Database
  readonly #statements: ReturnType<typeof prepare>
  /** What the list holds, by conversation and in order, the rows of the transaction under way included. */
  readonly #recent = new Map<string, EventRecord[]>()
  #count = 0
  #size = 0
  /** Last positions, from the list or from the table. */
  readonly #ends = new RecentMap<string, number>(MAX_ENDS)
  /** Logs to which the transaction under way has appended, once for each event. */
  #appended: string[] = []

  constructor(db: Database) {
    this.#db = db
    this.#statements = prepare(db)
    for (const row of this.#statements.recent.all())
      this.#remember(nameOf(row.tenant, row.conversation_id), {
        position: row.position,
        publicPosition: row.public_position,
        body: row.body,
      })
  }

  /**
   * Within the transaction of a commit: appends rows of `WIDTH.events` cells.
   * @throws Conflict when one is not the next of its log: whoever decided on an older position finds it taken
   */
  append(cells: readonly Cell[]): void {
    const width = WIDTH.events
    for (let at = 0; at < cells.length; at += width) this.#take(cells.slice(at, at + width))
    const block = width * AT_ONCE
    const whole = cells.length - (cells.length % block)
    for (let at = 0; at < whole; at += block) this.#statements.appendMany.run(...cells.slice(at, at + block))
    for (let at = whole; at < cells.length; at += width) this.#statements.append.run(...cells.slice(at, at + width))
  }
  #take([tenant, id, position, publicPosition, body]: readonly Cell[]): void {
    const name = nameOf(tenant as Tenant, id as ConversationId)
    const end = this.#ends.get(name) ?? this.end(tenant as Tenant, id as ConversationId)
    if (position !== end + 1) throw new Conflict('A position has moved')
    this.#remember(name, { position, publicPosition: publicPosition as number | null, body: body as string })
    this.#appended.push(name)
  }
  /** The last position of a log; 0 of an empty one. */
  end(tenant: Tenant, id: ConversationId): number {
    const name = nameOf(tenant, id)
    return this.#recent.get(name)?.at(-1)?.position ?? this.#statements.end.get(tenant, id) ?? 0
  }
  #remember(name: string, event: EventRecord): void {
    const log = this.#recent.get(name)
    if (log) log.push(event)
    else this.#recent.set(name, [event])
    this.#ends.set(name, event.position)
    this.#count += 1
    this.#size += event.body.length
  }

  committed(): void {
    this.#appended = []
  }
  rolledBack(): void {
    for (const name of this.#appended) {
      const log = this.#recent.get(name)
      const last = log?.pop()
      if (log?.length === 0) this.#recent.delete(name)
      this.#ends.delete(name)
      this.#count -= 1
      this.#size -= last?.body.length ?? 0
    }
    this.#appended = []
  }

  /** Between two commits: brings a long list into the table. What fails is tried again after the next commit. */
  tidy(): void {
    if (this.#count >= LONG || this.#size >= LARGE) this.#settle()
  }
  #settle(): void {
    inTransaction(this.#db, 'immediate', () => {
      this.#statements.index.run()
      this.#statements.clear.run()
    })
    this.#recent.clear()
    this.#count = 0
    this.#size = 0
  }

  /** Events of a log that are in the table, after bringing in there what is not yet: nowhere else are they from here on. */
  settled(tenant: Tenant, id: ConversationId, after: number, limit: number): SettledEvent[] {
    if (this.#recent.has(nameOf(tenant, id))) this.#settle()
    return this.#statements.settled.all(tenant, id, after, limit)
  }
  /** Within a transaction: what is said there from now on. */
  rewrite(tenant: Tenant, id: ConversationId, { position, body }: SettledEvent): void {
    this.#statements.rewrite.run(body, tenant, id, position)
  }

  /** Bodies, oldest first. */
  page({ tenant, id, audience, after, limit }: LogPage): string[] {
    const { page, publicPage } = this.#statements
    const bodies =
      audience === 'staff' ? page.all(tenant, id, after, limit) : publicPage.all(tenant, id, after, after, limit)
    for (const event of this.#recent.get(nameOf(tenant, id)) ?? []) {
      if (bodies.length >= limit) break
      const count = audience === 'staff' ? event.position : event.publicPosition
      if (count !== null && count > after) bodies.push(event.body)
    }
    return bodies
  }
  /** All that lies behind a position: what a snapshot does not know yet. */
  tail(log: Omit<LogPage, 'audience' | 'limit'>): string[] {
    return this.page({ ...log, audience: 'staff', limit: Number.MAX_SAFE_INTEGER })
  }
  /** The body of one event. */
  at(tenant: Tenant, place: EventPlace): string | undefined {
    const { at, publicAt } = this.#statements
    const id = place.conversationId
    const recent = this.#recent.get(nameOf(tenant, id)) ?? []
    if ('position' in place)
      return recent.find(({ position }) => position === place.position)?.body ?? at.get(tenant, id, place.position)
    const { publicPosition } = place
    return (
      recent.find((event) => event.publicPosition === publicPosition)?.body ??
      publicAt.get(tenant, id, publicPosition, publicPosition)
    )
  }
}

const nameOf = (tenant: Tenant, id: ConversationId): string => `${tenant}\n${id}`
