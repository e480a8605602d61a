// The few things that cold queries must spell differently on SQLite and on Postgres.
import { sql, type Kysely, type RawBuilder } from 'kysely'
import type { SqlDialect } from './ddl'
import { isDuplicate } from './pg-fault'
import type { Tables } from './sql-schema'

export interface SqlSpelling {
  readonly dialect: SqlDialect
  /** A query for the texts of a list, so that a list of any length is one statement. */
  members(list: readonly string[]): RawBuilder<unknown>
  /** A table with one column, `value`: each item as JSON, in their order. */
  elements(list: readonly unknown[]): RawBuilder<unknown>
  /** Behind a query for rows to delete: what another node has in hand is left to it. */
  readonly skipLocked: RawBuilder<unknown>
  /** Behind a query for rows to change: they are waited for, in the order of the query. */
  readonly locked: RawBuilder<unknown>
  /** Behind a query for rows to change, what another node has in hand is left to it. */
  readonly passLocked: RawBuilder<unknown>
  /** So many milliseconds from now by the database's clock, or by `now` in its place. */
  instant(now: (() => Date) | undefined, ms: number): RawBuilder<string>
  /** Runs `work` while nobody else runs any under this name, on whatever node. */
  alone<T>(db: Kysely<Tables>, name: string, work: (db: Kysely<Tables>) => Promise<T>): Promise<T>
  /** A row with such a key was there already, though the statement had looked. */
  isDuplicate(cause: unknown): boolean
}

/** One connection, one statement at a time: a statement is alone as it is. */
export const SQLITE: SqlSpelling = {
  dialect: 'sqlite',
  members: (list) => sql`select value from json_each(${JSON.stringify(list)})`,
  elements: (list) => sql`json_each(${JSON.stringify(list)})`,
  skipLocked: sql``,
  locked: sql``,
  passLocked: sql``,
  instant: (now = () => new Date(), ms) => sql`${iso(now, ms)}`,
  alone: (db, _name, work) => work(db),
  isDuplicate: () => false,
}

export const POSTGRES: SqlSpelling = {
  dialect: 'postgres',
  members: (list) => sql`select json_array_elements_text(${JSON.stringify(list)}::json)`,
  elements: (list) => sql`json_array_elements(${JSON.stringify(list)}::json) as list (value)`,
  skipLocked: sql`for update skip locked`,
  locked: sql`for no key update`,
  passLocked: sql`for no key update skip locked`,
  instant: (now, ms) =>
    now ? sql`${iso(now, ms)}` : sql`iso_time_1(clock_timestamp() + ${ms}::int * interval '1 millisecond')`,
  alone: (db, name, work) =>
    db.transaction().execute(async (transaction) => {
      // A statement of its own: what the next one looks at must not be older than the lock.
      await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(transaction)
      return work(transaction)
    }),
  isDuplicate: (cause) => isDuplicate(cause instanceof Error && cause.cause ? cause.cause : cause),
}

const iso = (now: () => Date, ms: number): string => new Date(now().getTime() + ms).toISOString()
