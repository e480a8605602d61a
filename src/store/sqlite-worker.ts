// The thread that owns the one connection of a SQLite file: a slow disk holds this thread up, never the sockets.
import BetterSqlite, { type Database } from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { migrate } from './migrate'
import { RecentMap } from '../model/recent-map'
import { resolveNeeds } from './resolve-needs'
import { toFault } from './sqlite-fault'
import { SqliteErasure } from './sqlite-erasure'
import { SqliteEvents } from './sqlite-events'
import { SqliteOnce } from './sqlite-once'
import { SqliteOutbox } from './sqlite-outbox'
import {
  FOLDER_TAKEN,
  OPENING,
  type Answers,
  type Ask,
  type Question,
  type Reply,
  type WorkerData,
} from './sqlite-protocol'
import { SqliteReader } from './sqlite-reader'
import { inTransaction } from './sqlite-transaction'
import { SqliteWriter } from './sqlite-writer'

/** Longer than a checkpoint, shorter than a caller's patience. */
const BUSY_MS = 250
const MAX_PREPARED_QUERIES = 200
/** 32 MB of log between checkpoints: a page that a thousand commits touch is copied back once, not each time. */
const CHECKPOINT_PAGES = 8_000
const CACHE_KB = 64 * 1024

/**
 * Keeps a second gateway out of the folder. The lock is the kernel's, on a file of its own: it ends with the process,
 * however that ends, and no process id that was given away again can be mistaken for its holder.
 */
function guardFolder(file: string): Database {
  const guard = new BetterSqlite(file, { timeout: 0 })
  try {
    guard.exec('begin exclusive')
    return guard
  } catch (cause) {
    guard.close()
    throw cause instanceof BetterSqlite.SqliteError && cause.code.startsWith('SQLITE_BUSY')
      ? Object.assign(new Error('Another gateway serves this data folder'), { code: FOLDER_TAKEN })
      : cause
  }
}

async function openFile(file: string): Promise<Database> {
  const db = new BetterSqlite(file, { timeout: BUSY_MS })
  try {
    db.pragma('journal_mode = WAL')
    // On every open: a WAL file that is opened again falls back to NORMAL, and an acknowledgement would promise too much.
    db.pragma('synchronous = FULL')
    db.pragma('foreign_keys = ON')
    // What is deleted or replaced is overwritten where it stood: it must not be found in the file when it was erased.
    db.pragma('secure_delete = ON')
    db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    db.pragma(`cache_size = -${CACHE_KB}`)
    // What a statement keeps to undo itself is a page for each it changes: not worth a file.
    db.pragma('temp_store = memory')
    // Kysely does not migrate SQLite in a transaction of its own: a crash must not leave half a schema.
    const isOlder = wasWrittenCarelessly(db)
    db.exec('begin immediate')
    await migrate(new Kysely({ dialect: new SqliteDialect({ database: db }) }), 'sqlite')
    db.exec('commit')
    if (isOlder) db.exec('vacuum')
    // Whoever died amid an erasure may have left in the log of writing what is no longer in the file.
    db.pragma('wal_checkpoint(TRUNCATE)')
    return db
  } catch (cause) {
    db.close()
    throw cause
  }
}

/** By a program that left the bytes of what it deleted: they are cleared away once, at the first start with this one. */
function wasWrittenCarelessly(db: Database): boolean {
  const has = db.prepare<[string]>("select 1 from sqlite_master where type = 'table' and name = ?")
  return has.get('conversation') !== undefined && has.get('custody') === undefined
}

class SqliteFile {
  readonly #db: Database
  readonly #events: SqliteEvents
  readonly #once: SqliteOnce
  readonly #reader: SqliteReader
  readonly #outbox: SqliteOutbox
  readonly #erasure: SqliteErasure
  readonly #writer: SqliteWriter
  readonly #queries = new RecentMap<string, BetterSqlite.Statement>(MAX_PREPARED_QUERIES)
  #probes = 0

  constructor(db: Database) {
    this.#db = db
    const events = new SqliteEvents(db)
    const once = new SqliteOnce(db)
    const outbox = new SqliteOutbox(db)
    this.#events = events
    this.#once = once
    this.#outbox = outbox
    this.#erasure = new SqliteErasure(db, { events, outbox })
    this.#reader = new SqliteReader(db, { events, once })
    this.#writer = new SqliteWriter(db, { events, once, outbox })
  }

  answer(ask: Ask, now: string): Answers[keyof Answers] {
    switch (ask.do) {
      case 'load':
        return this.#load(ask, now)
      case 'commit':
        return this.#writer.commit(ask.batch, now)
      case 'page':
        return this.#events.page(ask.page)
      case 'tails':
        return ask.of.map((log) => this.#events.tail(log))
      case 'ends':
        return ask.ids.map((id) => this.#events.end(ask.tenant, id))
      case 'claim':
        return this.#outbox.claim(ask.tenant, ask.claim, now)
      case 'release':
        return this.#outbox.release(ask.tenant, ask.lease, now)
      case 'replay':
        return this.#outbox.replay(ask.tenant, ask.id, now)
      case 'nextDueIn':
        return this.#outbox.nextDueIn(ask.tenant, ask.at, now)
      case 'query':
        return this.#query(ask)
      case 'eraseEvents':
        return this.#erasure.eraseEvents(ask, now)
      case 'eraseRest':
        return this.#once.forget(ask.place.tenant, { ...ask.place, scope: ask.scope }, ask.limit)
      case 'eraseAddress':
        return this.#erasure.eraseAddress(ask, now)
      case 'checkpoint':
        return this.#checkpoint()
      case 'probe':
        return this.#probe()
      case 'close':
        return this.#close()
    }
  }

  /** When an answer has gone: what nobody waits for. */
  tidy(): void {
    try {
      this.#events.tidy()
      this.#once.tidy()
    } catch {
      // A full or locked disk: the lists are as good as the tables, and the next commit tries again.
    }
  }

  #load({ needs }: Extract<Ask, { do: 'load' }>, now: string): Answers['load'] {
    const loaded = inTransaction(this.#db, 'deferred', () => needs.map((need) => resolveNeeds(need, this.#reader, now)))
    return JSON.stringify(loaded)
  }
  #query({ sql, parameters }: Extract<Ask, { do: 'query' }>): Answers['query'] {
    const statement = this.#queries.get(sql) ?? this.#db.prepare(sql)
    this.#queries.set(sql, statement)
    if (statement.reader) return { rows: statement.all(...parameters), changes: 0 }
    return { rows: [], changes: statement.run(...parameters).changes }
  }
  /** A real write, down to the disk: a lock that could be taken says nothing about a full one. */
  #probe(): Answers['probe'] {
    this.#probes = (this.#probes + 1) % 1_000
    inTransaction(this.#db, 'immediate', () => this.#db.pragma(`user_version = ${this.#probes}`))
    return null
  }
  #checkpoint(): Answers['checkpoint'] {
    const [found] = this.#db.pragma('wal_checkpoint(TRUNCATE)') as readonly { readonly busy: number }[]
    return found?.busy === 0
  }
  #close(): Answers['close'] {
    this.#db.close()
    return null
  }
}

async function serve(port: MessagePort, { file, guard: guardFile }: WorkerData): Promise<void> {
  const guard = guardFolder(guardFile)
  const served = await openFile(file).then(
    (db) => new SqliteFile(db),
    (cause: unknown) => {
      // Let go at once: the thread that tries again must not find its predecessor in the way.
      guard.close()
      throw cause
    },
  )
  port.on('message', ({ id, at, ask }: Question) => {
    port.postMessage(answerOrFault(served, { id, ask, at: at ?? new Date().toISOString() }))
    if (ask.do === 'commit') served.tidy()
    if (ask.do !== 'close') return
    guard.close()
    port.close()
  })
}

function answerOrFault(served: SqliteFile, { id, ask, at }: Question & { readonly at: string }): Reply {
  try {
    return { id, value: served.answer(ask, at) }
  } catch (cause) {
    return { id, fault: toFault(cause) }
  }
}

if (parentPort) {
  const port = parentPort
  serve(port, workerData as WorkerData).catch((cause: unknown) => {
    port.postMessage({ id: OPENING, fault: toFault(cause) } satisfies Reply)
    port.close()
  })
}
