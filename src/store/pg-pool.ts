// Connections to Postgres: few, watched, and given up when they do not answer in time.
import {
  DatabaseError,
  Pool,
  TypeOverrides,
  type PoolClient,
  type PoolConfig,
  type QueryConfig,
  type QueryResult,
  type QueryResultRow,
} from 'pg'
import { GatewayError } from '../model/errors'
import { fromStored, toStored } from './pg-text'

/** The promise is a refusal within 2 s; this leaves the answer time to travel. */
export const DEADLINE_MS = 1_800
/** A node that is paused with rows locked holds nobody up for longer, and nobody misses the deadline over it. */
const IDLE_IN_TRANSACTION_MS = 1_000
const KEEP_ALIVE_AFTER_MS = 10_000
const TEXT = 25
const BIGINT = 20

/**
 * Set on every connection. Every look-up of ours goes by an index: the planner must not take to scanning while a table
 * is young and its statistics are old, and no plan is worth making anew for each batch.
 */
const SESSION: Readonly<Record<string, string>> = {
  synchronous_commit: 'on',
  statement_timeout: String(DEADLINE_MS),
  idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_MS),
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_material: 'off',
  enable_bitmapscan: 'off',
  jit: 'off',
}

/** A prepared statement: parsed and planned once for each connection. */
export interface Statement {
  readonly name: string
  readonly text: string
}
export type Parameter = string | number | null | Buffer

/** What every connection of ours has in common. What the address says of `options` is kept, ours comes behind it. */
export function connectionTo(url: string, session: Readonly<Record<string, string>> = {}): PoolConfig {
  const address = new URL(url)
  const own = Object.entries(session).map(([name, value]) => `-c ${name}=${value}`)
  const options = [address.searchParams.get('options'), ...own].filter(Boolean).join(' ')
  if (options) address.searchParams.set('options', options)
  return {
    connectionString: address.href,
    application_name: 'fairlead',
    connectionTimeoutMillis: DEADLINE_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    types: typesOfOurs(),
  }
}

/** Texts come back as they were given, and counts as numbers: ours stay far below 2^53. */
function typesOfOurs(): TypeOverrides {
  const ours = new TypeOverrides()
  ours.setTypeParser(TEXT, fromStored)
  ours.setTypeParser(BIGINT, Number)
  return ours
}

export class PgPool {
  readonly #pool: Pool
  #closing: Promise<void> | null = null

  constructor({ url, size }: { url: string; size: number }) {
    this.#pool = new Pool({ ...connectionTo(url, SESSION), max: size, pipeline: true })
    // A connection that breaks while nobody uses it is replaced when it is needed.
    this.#pool.on('error', ignore)
    // And one that breaks in use tells whoever waits for its answer.
    this.#pool.on('connect', (client) => client.on('error', ignore))
  }

  /**
   * One connection, for all that belongs together. It must be closed, and is broken off at the deadline.
   * Rejects with whatever keeps it from being opened in time.
   */
  async session(): Promise<PgSession> {
    const since = performance.now()
    const client = await this.#pool.connect()
    return new PgSession(client, since + DEADLINE_MS)
  }

  /** For the write path, which keeps its own deadline and reads faults itself. */
  async ask<R extends QueryResultRow>(statement: Statement, parameters: readonly Parameter[]): Promise<R[]> {
    return this.use((session) => session.ask<R>(statement, parameters))
  }
  async use<T>(work: (session: PgSession) => Promise<T>): Promise<T> {
    const session = await this.session()
    try {
      return await work(session)
    } finally {
      session.close()
    }
  }

  /** Commits what `work` did, or takes it back. */
  async transaction<T>(mode: string, work: (session: PgSession) => Promise<T>): Promise<T> {
    return this.use(async (session) => {
      session.begin(mode)
      try {
        const outcome = await work(session)
        await session.run('commit')
        return outcome
      } catch (cause) {
        await session.rollBack()
        throw cause
      }
    })
  }

  /** For everything else: answers in time or says that it cannot. Rejects with `GatewayError`. */
  async consult<T>(work: (session: PgSession) => Promise<T>): Promise<T> {
    return this.use(work).catch(refuse)
  }
  async consultTransaction<T>(work: (session: PgSession) => Promise<T>): Promise<T> {
    return this.transaction('isolation level read committed', work).catch(refuse)
  }

  /** A real commit, down to the disk: a server that answers may have none left, or be a standby. */
  async probe(): Promise<void> {
    await this.consult((session) => session.run("select pg_logical_emit_message(true, 'fairlead', 'ready')"))
  }

  /** Waits for what is under way. */
  close(): Promise<void> {
    return (this.#closing ??= this.#pool.end())
  }
}

export class PgSession {
  readonly #client: PoolClient
  /** By the monotonic clock, in milliseconds. */
  readonly #deadline: number
  #isOpen = true
  #isBroken = false

  constructor(client: PoolClient, deadline: number) {
    this.#client = client
    this.#deadline = deadline
  }

  async ask<R extends QueryResultRow>(statement: Statement, parameters: readonly Parameter[]): Promise<R[]> {
    const { name, text } = statement
    const { rows } = await this.#query<R>({ name, text, values: parameters.map(stored) })
    return rows
  }
  /** A statement that is not worth a name. */
  async run<R extends QueryResultRow>(text: string, parameters: readonly unknown[] = []): Promise<QueryResult<R>> {
    return this.#query<R>({ text, values: parameters.map(stored) })
  }
  /** What is not answered by the deadline is given up with its connection: nobody knows what would still come. */
  async #query<R extends QueryResultRow>(query: QueryConfig<unknown[]>): Promise<QueryResult<R>> {
    const timed = { ...query, query_timeout: Math.max(1, this.#deadline - performance.now()) }
    try {
      return await this.#client.query<R>(timed)
    } catch (cause) {
      if (!(cause instanceof DatabaseError)) this.#isBroken = true
      throw cause
    }
  }

  /** Not waited for: what follows travels with it, and fails where it fails. */
  begin(mode: string): void {
    this.run(`begin ${mode}`).catch(ignore)
  }
  /** Resolves when nothing is under way any more. */
  async rollBack(): Promise<void> {
    await this.run('rollback').catch(() => {
      this.#isBroken = true
    })
  }

  /** Gives the connection back; one that did not answer in time, or is lost, is broken off. */
  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#client.release(this.#isBroken)
  }
}

/** The refusal that callers of cold queries hear. */
export function refuse(cause: unknown): never {
  if (cause instanceof GatewayError) throw cause
  throw new GatewayError('unavailable', 'The store does not answer. Try again in a moment.', { cause, retryAfter: 1 })
}

const stored = (value: unknown): unknown => (typeof value === 'string' ? toStored(value) : value)
const ignore = (): void => undefined
