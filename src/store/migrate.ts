// Brings a database to the latest schema, forward only.
import { Migrator, sql, type Kysely, type Migration } from 'kysely'
import { ddlOn, type Ddl, type SqlDialect } from './ddl'
import * as conversations from './migrations/0001-conversations'
import * as deliveries from './migrations/0002-deliveries'
import * as notifications from './migrations/0003-notifications'
import * as accounts from './migrations/0004-accounts'
import * as retention from './migrations/0005-retention'
import * as recentEvents from './migrations/0006-recent-events'
import * as postgres from './migrations/0007-postgres'
import * as attendance from './migrations/0008-attendance'
import * as carriers from './migrations/0009-carriers'
import * as claims from './migrations/0010-claims'
import * as files from './migrations/0011-files'
import * as custody from './migrations/0012-custody'

const MIGRATIONS: Readonly<Record<string, { readonly up: (ddl: Ddl) => Promise<void> }>> = {
  '0001-conversations': conversations,
  '0002-deliveries': deliveries,
  '0003-notifications': notifications,
  '0004-accounts': accounts,
  '0005-retention': retention,
  '0006-recent-events': recentEvents,
  '0007-postgres': postgres,
  '0008-attendance': attendance,
  '0009-carriers': carriers,
  '0010-claims': claims,
  '0011-files': files,
  '0012-custody': custody,
}
const TABLE = 'kysely_migration'

/** The database was brought further by a newer program, and there is no way back. */
export class NewerSchema extends Error {
  override readonly name = 'NewerSchema'
  constructor(readonly migration: string) {
    super(`A newer version has brought the database to ${migration}: run that version, or a later one`)
  }
}

/** @throws NewerSchema when the database is ahead of this program. */
export async function migrate(db: Kysely<unknown>, dialect: SqlDialect): Promise<void> {
  await refuseNewer(db)
  const migrations = Object.entries(MIGRATIONS).map(([name, { up }]): [string, Migration] => [
    name,
    { up: (on: Kysely<unknown>) => up(ddlOn(on, dialect)) },
  ])
  const provider = { getMigrations: async () => Object.fromEntries(migrations) }
  const { error } = await new Migrator({ db, provider, migrationTableName: TABLE }).migrateToLatest()
  if (error) throw new Error('The database cannot be brought to the latest schema', { cause: error })
}

async function refuseNewer(db: Kysely<unknown>): Promise<void> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === TABLE)) return
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(TABLE)}`.execute(db)
  const newer = rows.find(({ name }) => !Object.hasOwn(MIGRATIONS, name))
  if (newer) throw new NewerSchema(newer.name)
}
