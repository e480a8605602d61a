// Runs work in one SQLite transaction: all of it or nothing, and the connection is usable afterwards in either case.
import type { Database } from 'better-sqlite3'

export function inTransaction<T>(db: Database, mode: 'deferred' | 'immediate', work: () => T): T {
  // Left over where a broken disk did not even let the last one roll back.
  if (db.inTransaction) db.exec('rollback')
  db.exec(`begin ${mode}`)
  try {
    const outcome = work()
    db.exec('commit')
    return outcome
  } catch (cause) {
    // A full disk may have rolled back by itself.
    if (db.inTransaction) db.exec('rollback')
    throw cause
  }
}
