// Opens a database: a SQLite file in a data folder, a Postgres server, or tables in memory.
import { Kysely, sql } from 'kysely'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { GatewayError } from '../model/errors'
import type { Database } from './database'
import type { CommitFigures } from './commit-figures'
import { GroupCommit } from './group-commit'
import { MemoryAttendanceStore } from './memory-attendance-store'
import { MemoryAccountStore } from './memory-account-store'
import { MemoryCarrierStore } from './memory-carrier-store'
import { MemoryConversationStore } from './memory-conversation-store'
import { MemoryCustodyStore } from './memory-custody-store'
import { MemoryDeliveryStore } from './memory-delivery-store'
import { MemoryEngine } from './memory-engine'
import { MemoryFileStore } from './memory-file-store'
import { MemoryErasureStore } from './memory-erasure-store'
import { MemoryNotificationStore } from './memory-notification-store'
import { MemoryOutbox } from './memory-outbox'
import { MemoryTables } from './memory-tables'
import { PgCarriers } from './pg-carriers'
import { PgDialect, type PgConnection } from './pg-dialect'
import { PgEngine } from './pg-engine'
import { PgErasureStore } from './pg-erasure-store'
import { PgLog } from './pg-log'
import { PgOutbox } from './pg-outbox'
import { PgPool, refuse } from './pg-pool'
import { preparePostgres } from './pg-server'
import { PgVacuum } from './pg-vacuum'
import { SqlAttendanceStore } from './sql-attendance-store'
import { SqlAccountStore } from './sql-account-store'
import { SqlConversationStore } from './sql-conversation-store'
import { SqlCustodyStore } from './sql-custody-store'
import { SqlDeliveryStore } from './sql-delivery-store'
import { SqlFileStore } from './sql-file-store'
import { SqlNotificationStore } from './sql-notification-store'
import type { Tables } from './sql-schema'
import { POSTGRES, SQLITE } from './sql-spelling'
import { SqliteThreadDialect } from './sqlite-dialect'
import { SqliteEngine } from './sqlite-engine'
import { SqliteErasureStore } from './sqlite-erasure-store'
import { SqliteFault } from './sqlite-fault'
import { FOLDER_TAKEN } from './sqlite-protocol'
import { SqliteLog } from './sqlite-log'
import { SqliteShelf } from './sqlite-shelf'
import { SqliteThread } from './sqlite-thread'

export interface DatabaseDeps {
  /** Replaces every clock, the database's too. For tests. */
  readonly now?: (() => Date) | undefined
  /** Hears what a listener of commits throws. */
  readonly onFault?: ((cause: unknown) => void) | undefined
  /** Hears of every commit, for whoever counts. */
  readonly onCommit?: ((figures: CommitFigures) => void) | undefined
}

/** A write path that hangs must not hold the process. */
const DRAIN_MS = 5_000

export async function openSqlite({
  dataDir,
  now,
  onFault,
  onCommit,
}: DatabaseDeps & { readonly dataDir: string }): Promise<Database> {
  await mkdir(dataDir, { recursive: true })
  const files = { file: join(dataDir, 'fairlead.db'), guard: join(dataDir, 'fairlead.lock') }
  const thread = new SqliteThread({ files, now })
  try {
    await thread.ask<'probe'>({ do: 'probe' })
  } catch (cause) {
    await thread.close()
    throw refusal(dataDir, cause)
  }
  const db = new Kysely<Tables>({ dialect: new SqliteThreadDialect(thread) })
  await buryOthers(db, (now ?? systemClock)())
  const writing = new GroupCommit({
    engine: new SqliteEngine(thread),
    ...(now && { now }),
    ...(onFault && { onFault }),
    ...(onCommit && { onCommit }),
  })
  return {
    conversations: new SqlConversationStore({ db, log: new SqliteLog({ db, thread }), writing, spelling: SQLITE, now }),
    deliveries: new SqlDeliveryStore({ db, shelf: new SqliteShelf(thread) }),
    carriers: new MemoryCarrierStore({ now: now ?? systemClock }),
    accounts: new SqlAccountStore(db, SQLITE),
    attendance: new SqlAttendanceStore({ db, spelling: SQLITE, now }),
    notifications: new SqlNotificationStore({ db, spelling: SQLITE, now: now ?? systemClock }),
    files: new SqlFileStore(db, SQLITE),
    custody: new SqlCustodyStore({ db, spelling: SQLITE, now }),
    erasures: new SqliteErasureStore(thread),
    ready: async () => {
      await thread.consult<'probe'>({ do: 'probe' })
    },
    close: async () => {
      await drain(writing)
      await thread.close()
    },
  }
}

/**
 * Several nodes may open one database, at the same time too.
 * @param deps.size connections at most
 * @throws GatewayError with a sentence when the server is away, unfit, or newer than this program
 */
export async function openPostgres({
  url,
  size,
  now,
  onFault,
  onCommit,
}: DatabaseDeps & { readonly url: string; readonly size: number }): Promise<Database> {
  await preparePostgres(url)
  const pool = new PgPool({ url, size })
  const vacuum = new PgVacuum({ url, onFault: onFault ?? (() => undefined) })
  const db = new Kysely<Tables>({ dialect: new PgDialect(() => coldConnection(pool)) })
  const writing = new GroupCommit({
    engine: new PgEngine({ pool, now }),
    ...(now && { now }),
    ...(onFault && { onFault }),
    ...(onCommit && { onCommit }),
  })
  return {
    conversations: new SqlConversationStore({ db, log: new PgLog(db), writing, spelling: POSTGRES, now }),
    deliveries: new SqlDeliveryStore({ db, shelf: new PgOutbox({ pool, now }) }),
    carriers: new PgCarriers({ pool, now }),
    accounts: new SqlAccountStore(db, POSTGRES),
    attendance: new SqlAttendanceStore({ db, spelling: POSTGRES, now }),
    notifications: new SqlNotificationStore({ db, spelling: POSTGRES, now: now ?? systemClock }),
    files: new SqlFileStore(db, POSTGRES),
    custody: new SqlCustodyStore({ db, spelling: POSTGRES, now }),
    erasures: new PgErasureStore({ pool, vacuum, now }),
    ready: () => pool.probe(),
    close: async () => {
      vacuum.close()
      await drain(writing)
      await patiently(pool.close())
    },
  }
}
async function coldConnection(pool: PgPool): Promise<PgConnection> {
  const session = await pool.session().catch(refuse)
  return { run: (text, parameters) => session.run(text, parameters).catch(refuse), close: () => session.close() }
}

export async function openMemory({ now = systemClock, onFault, onCommit }: DatabaseDeps = {}): Promise<Database> {
  const tables = new MemoryTables()
  const outbox = new MemoryOutbox(tables)
  const engine = new MemoryEngine({ tables, outbox, now })
  const writing = new GroupCommit({ engine, now, ...(onFault && { onFault }), ...(onCommit && { onCommit }) })
  return {
    conversations: new MemoryConversationStore({ tables, writing, now }),
    deliveries: new MemoryDeliveryStore({ tables, outbox, now }),
    carriers: new MemoryCarrierStore({ now }),
    accounts: new MemoryAccountStore(),
    attendance: new MemoryAttendanceStore({ now }),
    files: new MemoryFileStore(),
    notifications: new MemoryNotificationStore({ tables, outbox, now }),
    custody: new MemoryCustodyStore({ tables, now }),
    erasures: new MemoryErasureStore({ tables, outbox, now }),
    ready: async () => undefined,
    close: () => drain(writing),
  }
}

const systemClock = (): Date => new Date()

/** Nobody else serves this folder: every node that it knows is dead, and what they had in hand is due at once. */
async function buryOthers(db: Kysely<Tables>, now: Date): Promise<void> {
  await db.updateTable('node').set({ alive_until: '' }).execute()
  await db
    .updateTable('custody')
    .set({ claimed_until: '' })
    .where(sql<boolean>`erasure = 'due'`)
    .execute()
  await db.updateTable('erasing').set({ claimed_until: '' }).execute()
  await db
    .updateTable('delivery')
    .set({ state: 'due', lease: '', due_at: now.toISOString() })
    .where(sql<boolean>`state = 'leased'`) // spelled as in the index
    .execute()
}

function refusal(dataDir: string, cause: unknown): GatewayError {
  if (cause instanceof SqliteFault && cause.code === FOLDER_TAKEN)
    return new GatewayError(
      'conflict',
      `Another gateway serves the data folder ${dataDir}. Stop it first, or give this one a folder of its own.`,
      { cause },
    )
  const why = cause instanceof Error ? cause.message : String(cause)
  return new GatewayError('unavailable', `The database in ${dataDir} cannot be opened (${why}).`, { cause })
}

async function drain(writing: GroupCommit): Promise<void> {
  await patiently(writing.close())
}
/** Waits for it, but not for ever. */
async function patiently(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const enough = new Promise((resolve) => (timer = setTimeout(resolve, DRAIN_MS)))
  await Promise.race([work, enough])
  clearTimeout(timer)
}
