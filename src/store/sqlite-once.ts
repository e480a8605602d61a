// Idempotency keys on SQLite: new ones in a short list that is known by heart, the others in the index.
// A long list goes into the index in one go and in its order: a page is written for many keys, not for each.
import type { Database } from 'better-sqlite3'
import type { Selectable } from 'kysely'
import type { Tenant } from '../model/ids'
import { Conflict } from './conflict'
import type { OnceKey } from './records'
import type { OnceTable } from './sql-schema'
import type { Cell } from './sqlite-protocol'
import { inTransaction } from './sqlite-transaction'

type Text = string
type OnceRecord = Selectable<OnceTable>

/** Keys in the list before they go into the index. */
const LONG = 2_048
const COLUMNS = 'tenant, scope, key, conversation_id, position, note, expires_at'

function prepare(db: Database) {
  return {
    recent: db.prepare<[], OnceRecord>(`select ${COLUMNS} from once_recent order by id`),
    indexed: db.prepare<[Text, Text, Text], OnceRecord>(
      `select ${COLUMNS} from once where tenant = ? and scope = ? and key = ?`,
    ),
    append: db.prepare<Cell[]>(`insert into once_recent (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?)`),
    // A key that had outlived its time may stand there still, or twice in the list: the last one counts.
    index: db.prepare<[]>(
      `insert into once (${COLUMNS}) select ${COLUMNS} from once_recent where true order by tenant, scope, key, id
       on conflict do update set conversation_id = excluded.conversation_id, position = excluded.position,
         note = excluded.note, expires_at = excluded.expires_at`,
    ),
    forget: db.prepare<[Text, Text, Text, number]>(
      `delete from once where (tenant, scope, key) in (
         select tenant, scope, key from once
         where tenant = ? and conversation_id = ? and expires_at is not null and scope = ? limit ?)`,
    ),
    forgetRecent: db.prepare<[Text, Text, Text]>(
      'delete from once_recent where tenant = ? and conversation_id = ? and scope = ?',
    ),
    clear: db.prepare<[]>('delete from once_recent'),
  }
}

export class SqliteOnce {
  readonly #db: Database
  readonly #statements: ReturnType<typeof prepare>
  /** What the list holds, the rows of the transaction under way included. */
  readonly #recent = new Map<string, OnceRecord>()
  /** What the transaction under way has changed: as it was before. */
  readonly #before = new Map<string, OnceRecord | undefined>()

  constructor(db: Database) {
    this.#db = db
    this.#statements = prepare(db)
    for (const row of this.#statements.recent.all()) this.#recent.set(nameOf(row), row)
  }

  /** The record of a key, unless it has outlived its time. */
  find(tenant: Tenant, { scope, key }: OnceKey, now: string): OnceRecord | null {
    const row = this.#recent.get(nameOf({ tenant, scope, key })) ?? this.#statements.indexed.get(tenant, scope, key)
    return row && isAlive(row, now) ? row : null
  }

  /** @throws Conflict when the key is there already. */
  add(row: OnceRecord, now: string): void {
    const { tenant, scope, key, conversation_id, position, note, expires_at } = row
    if (this.find(tenant, row, now)) throw new Conflict('The idempotency key is there already')
    this.#statements.append.run(tenant, scope, key, conversation_id, position, note, expires_at)
    const name = nameOf(row)
    if (!this.#before.has(name)) this.#before.set(name, this.#recent.get(name))
    this.#recent.set(name, row)
  }
  committed(): void {
    this.#before.clear()
  }
  rolledBack(): void {
    for (const [name, row] of this.#before)
      if (row) this.#recent.set(name, row)
      else this.#recent.delete(name)
    this.#before.clear()
  }

  /** Forgets keys of a scope that a conversation came with, at most `limit` of them beside those in the list. */
  forget(tenant: Tenant, of: { readonly conversationId: string; readonly scope: string }, limit: number): number {
    const { conversationId, scope } = of
    return inTransaction(this.#db, 'immediate', () => {
      const recent = this.#statements.forgetRecent.run(tenant, conversationId, scope).changes
      const kept = this.#statements.forget.run(tenant, conversationId, scope, limit).changes
      for (const [name, row] of this.#recent)
        if (row.tenant === tenant && row.conversation_id === conversationId && row.scope === scope)
          this.#recent.delete(name)
      return recent + kept
    })
  }

  /** Between two commits: brings a long list into the index. What fails is tried again after the next commit. */
  tidy(): void {
    if (this.#recent.size < LONG) return
    inTransaction(this.#db, 'immediate', () => {
      this.#statements.index.run()
      this.#statements.clear.run()
    })
    this.#recent.clear()
  }
}

const nameOf = ({ tenant, scope, key }: Pick<OnceRecord, 'tenant' | 'scope' | 'key'>): string =>
  `${tenant}\n${scope}\n${key}`
const isAlive = ({ expires_at }: OnceRecord, now: string): boolean => expires_at === null || expires_at > now
