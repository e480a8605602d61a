// Lets Kysely ask cold queries over connections of ours, with their deadline and their refusals.
import {
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
} from 'kysely'

/** A connection as far as Kysely needs one. */
export interface PgConnection {
  run(
    text: string,
    parameters: readonly unknown[],
  ): Promise<{ readonly rows: unknown[]; readonly rowCount: number | null }>
  close(): void
}

export class PgDialect implements Dialect {
  /** @param open gives a connection, or rejects with what the caller is to hear */
  constructor(private readonly open: () => Promise<PgConnection>) {}

  createDriver(): Driver {
    return new PgDriver(this.open)
  }
  createQueryCompiler(): PostgresQueryCompiler {
    return new PostgresQueryCompiler()
  }
  createAdapter(): PostgresAdapter {
    return new PostgresAdapter()
  }
  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new PostgresIntrospector(db)
  }
}

class PgDriver implements Driver {
  readonly #open: () => Promise<PgConnection>
  readonly #taken = new WeakMap<DatabaseConnection, PgConnection>()

  constructor(open: () => Promise<PgConnection>) {
    this.#open = open
  }

  async init(): Promise<void> {
    // Whoever made the connections has seen to them.
  }
  async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await this.#open()
    const taken = new ColdConnection(connection)
    this.#taken.set(taken, connection)
    return taken
  }
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#taken.get(connection)?.run('begin', [])
  }
  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#taken.get(connection)?.run('commit', [])
  }
  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#taken.get(connection)?.run('rollback', [])
  }
  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    this.#taken.get(connection)?.close()
  }
  async destroy(): Promise<void> {
    // Whoever opened them closes them.
  }
}

class ColdConnection implements DatabaseConnection {
  constructor(private readonly connection: PgConnection) {}

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, rowCount } = await this.connection.run(sql, parameters)
    // Kysely's own promise about the rows of a query that it compiled.
    return { rows: rows as R[], numAffectedRows: BigInt(rowCount ?? 0) }
  }
  streamQuery(): never {
    throw new Error('Nothing here is long enough to be streamed: page it')
  }
}
