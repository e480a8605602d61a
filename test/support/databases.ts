// Databases for tests: every contract runs on each of these, under a clock that only the test moves.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from '../../src/store/database'
import { openMemory, openPostgres, openSqlite } from '../../src/store/open-database'
import { newDatabase } from './postgres'

export class TestClock {
  #ms = Date.parse('2030-01-01T00:00:00.000Z')
  readonly now = (): Date => new Date(this.#ms)
  forward(ms: number): void {
    this.#ms += ms
  }
  /** ISO 8601, this far from now. */
  in(ms: number): string {
    return new Date(this.#ms + ms).toISOString()
  }
}

export interface TestDatabase {
  readonly database: Database
  readonly clock: TestClock
  /** What listeners threw. */
  readonly faults: unknown[]
  close(): Promise<void>
}
export type OpenDatabase = () => Promise<TestDatabase>

export const openTestMemory: OpenDatabase = async () => {
  const clock = new TestClock()
  const faults: unknown[] = []
  const database = await openMemory({ now: clock.now, onFault: (cause) => faults.push(cause) })
  return { database, clock, faults, close: () => database.close() }
}

export const openTestSqlite: OpenDatabase = async () => {
  const clock = new TestClock()
  const faults: unknown[] = []
  const dataDir = await newFolder()
  const database = await openSqlite({ dataDir, now: clock.now, onFault: (cause) => faults.push(cause) })
  const close = async () => {
    await database.close()
    await rm(dataDir, { recursive: true })
  }
  return { database, clock, faults, close }
}

export const openTestPostgres: OpenDatabase = async () => {
  const clock = new TestClock()
  const faults: unknown[] = []
  const { url, drop } = await newDatabase()
  const database = await openPostgres({ url, size: 4, now: clock.now, onFault: (cause) => faults.push(cause) })
  const close = async () => {
    await database.close()
    await drop()
  }
  return { database, clock, faults, close }
}

export const newFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'fairlead-'))
