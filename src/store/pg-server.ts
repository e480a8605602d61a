// Prepares a Postgres server at start: it must be new enough, keep what it acknowledges, and have the latest schema.
import { Client } from 'pg'
import { Kysely } from 'kysely'
import { GatewayError } from '../model/errors'
import { migrate, NewerSchema } from './migrate'
import { PgDialect } from './pg-dialect'
import { connectionTo } from './pg-pool'

const OLDEST = 150_000
/** "fairlead", as a number: nodes that start together migrate one after another. */
const MIGRATION_LOCK = '7377293604775354724'

/** @throws GatewayError with a sentence that says what to do, and never holds the password. */
export async function preparePostgres(url: string): Promise<void> {
  const client = new Client(connectionTo(url, { synchronous_commit: 'on' }))
  // A connection that breaks tells whoever waits for its answer.
  client.on('error', () => undefined)
  try {
    await client.connect()
    await refuseUnfit(client)
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    const connection = {
      run: (text: string, parameters: readonly unknown[]) => client.query(text, [...parameters]),
      close: () => undefined,
    }
    await migrate(new Kysely({ dialect: new PgDialect(async () => connection) }), 'postgres')
  } catch (cause) {
    throw refusal(url, cause)
  } finally {
    // The lock ends with its connection.
    await client.end().catch(() => undefined)
  }
}

interface Settings {
  version: number
  release: string
  fsync: string
  synchronous_commit: string
  encoding: string
  standby: boolean
}
async function refuseUnfit(client: Client): Promise<void> {
  const { rows } = await client.query<Settings>(
    `select current_setting('server_version_num')::int as version, current_setting('server_version') as release,
       current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit,
       current_setting('server_encoding') as encoding, pg_is_in_recovery() as standby`,
  )
  const [found] = rows
  if (!found) throw new Error('The server says nothing about itself')
  if (found.version < OLDEST) throw unfit(`Postgres ${found.release} is too old. Use version 15 or newer.`)
  if (found.fsync !== 'on')
    throw unfit('Postgres runs with fsync off and would lose what it acknowledged. Set fsync = on.')
  if (found.synchronous_commit !== 'on')
    throw unfit('Postgres does not let synchronous_commit be on for this connection. Connect to it directly.')
  if (found.encoding !== 'UTF8') throw unfit('The database is not in UTF-8. Create one with encoding UTF8.')
  if (found.standby) throw unfit('This Postgres server is a standby. Let DATABASE_URL name the primary.')
}
const unfit = (sentence: string): GatewayError => new GatewayError('unavailable', sentence)

function refusal(url: string, cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause
  const { host, pathname } = new URL(url)
  const where = `${host || 'localhost'}${pathname}`
  if (cause instanceof NewerSchema)
    return new GatewayError('conflict', `The database at ${where} is newer than this program. ${cause.message}.`)
  const why = cause instanceof Error ? cause.message || cause.name : String(cause)
  return new GatewayError(
    'unavailable',
    `The database at ${where} cannot be opened (${why}). Check DATABASE_URL, and that Postgres is up.`,
    { cause },
  )
}
