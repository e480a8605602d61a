// The one spelling of the schema, for both engines: migrations are written as SQLite reads them, and respelled here.
import { sql, type Kysely } from 'kysely'

export type SqlDialect = 'sqlite' | 'postgres'

/** What a migration is given. */
export interface Ddl {
  readonly dialect: SqlDialect
  /** Runs one statement, written for SQLite. */
  readonly run: (statement: string) => Promise<void>
  /** Runs one statement as it stands. */
  readonly asIs: (statement: string) => Promise<void>
}

const FOR_POSTGRES: readonly (readonly [RegExp, string])[] = [
  // Order and comparison are those of bytes, as on SQLite, whatever language the database speaks.
  [/\btext\b/g, 'text collate "C"'],
  [/\binteger primary key autoincrement\b/g, 'bigint generated always as identity primary key'],
  [/ without rowid\b/g, ''],
]

export const ddlOn = (db: Kysely<unknown>, dialect: SqlDialect): Ddl => ({
  dialect,
  run: async (statement) => {
    await sql.raw(dialect === 'sqlite' ? statement : respelled(statement)).execute(db)
  },
  asIs: async (statement) => {
    await sql.raw(statement).execute(db)
  },
})

const respelled = (statement: string): string =>
  FOR_POSTGRES.reduce((text, [from, to]) => text.replace(from, to), statement)
