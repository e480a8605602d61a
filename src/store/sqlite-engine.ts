// The engine on a SQLite file: rows are laid out here and written in the file's own thread.
import type { Needs } from './conversation-store'
import { EntryError, type Batch, type Engine, type Loaded } from './engine'
import { flattenBatch } from './flatten-batch'
import { soundBatch } from './sound-batch'
import { SqliteFault } from './sqlite-fault'
import type { SqliteThread } from './sqlite-thread'
import { readLoaded } from './stored-json'

export class SqliteEngine implements Engine {
  readonly syncs = true

  constructor(private readonly thread: SqliteThread) {}

  async load(needs: readonly Needs[]): Promise<Loaded[]> {
    return readLoaded(await this.#refusing(() => this.thread.ask<'load'>({ do: 'load', needs })))
  }
  async commit(batch: Batch): Promise<'written' | 'conflict'> {
    const flat = flattenBatch(soundBatch(batch))
    return this.#refusing(() => this.thread.ask<'commit'>({ do: 'commit', batch: flat }))
  }

  /** Tells a row that is refused from a store that is down. */
  async #refusing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      const isRow = cause instanceof SqliteFault ? cause.isEntry : isNotCloneable(cause)
      if (!isRow) throw cause
      throw new EntryError('The database refuses a row of the batch', { cause })
    }
  }
}

const isNotCloneable = (cause: unknown): boolean => cause instanceof Error && cause.name === 'DataCloneError'
