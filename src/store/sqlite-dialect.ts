// Lets Kysely ask cold queries of the SQLite thread, so that not even those run on the event loop.
import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
} from 'kysely'
import type { SqliteThread } from './sqlite-thread'

export class SqliteThreadDialect implements Dialect {
  constructor(private readonly thread: SqliteThread) {}

  createDriver(): Driver {
    return new ThreadDriver(new ThreadConnection(this.thread))
  }
  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler()
  }
  createAdapter(): SqliteAdapter {
    return new SqliteAdapter()
  }
  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(db)
  }
}

class ThreadDriver implements Driver {
  constructor(private readonly connection: ThreadConnection) {}

  async init(): Promise<void> {
    // The thread opens the file by itself.
  }
  async acquireConnection(): Promise<DatabaseConnection> {
    return this.connection
  }
  /** A transaction over several messages would take in whatever others send between them. */
  async beginTransaction(): Promise<void> {
    throw new Error('A cold query is one statement; what needs a transaction is an operation of the SQLite thread')
  }
  async commitTransaction(): Promise<void> {
    // None was begun.
  }
  async rollbackTransaction(): Promise<void> {
    // None was begun.
  }
  async releaseConnection(): Promise<void> {
    // It is shared.
  }
  async destroy(): Promise<void> {
    // Whoever opened the thread closes it.
  }
}

class ThreadConnection implements DatabaseConnection {
  constructor(private readonly thread: SqliteThread) {}

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes } = await this.thread.consult<'query'>({ do: 'query', sql, parameters })
    // Kysely's own promise about the rows of a query that it compiled.
    return { rows: rows as R[], numAffectedRows: BigInt(changes) }
  }
  streamQuery(): never {
    throw new Error('The SQLite thread answers a query at once: page it')
  }
}
