// The engine on Postgres: a batch is one statement, and what must not change meanwhile is held.
import type { Place } from '../model/ids'
import type { Needs } from './conversation-store'
import { EntryError, type Batch, type Engine, type Held, type Loaded } from './engine'
import { commitParameters, commitStatement } from './pg-batch'
import { faultOf } from './pg-fault'
import { holdNeeds } from './pg-hold'
import type { PgPool, PgSession } from './pg-pool'
import { readNeeds } from './pg-reading'
import { soundBatch } from './sound-batch'

export class PgEngine implements Engine {
  readonly syncs = true
  readonly #pool: PgPool
  readonly #now: (() => Date) | undefined

  /** @param deps.now replaces the database's clock */
  constructor(deps: { pool: PgPool; now?: (() => Date) | undefined }) {
    this.#pool = deps.pool
    this.#now = deps.now
  }

  async load(needs: readonly Needs[]): Promise<Loaded[]> {
    const mode = 'isolation level repeatable read read only'
    return refusing(() => this.#pool.transaction(mode, (session) => readNeeds(needs, session, this.#at())))
  }
  async commit(batch: Batch): Promise<'written' | 'conflict'> {
    return this.#write(batch, (parameters) => this.#pool.ask(commitStatement(batch), parameters))
  }

  async hold(needs: readonly Needs[], conversations: readonly Place[]): Promise<Held | 'conflict'> {
    const session = await this.#pool.session()
    session.begin('isolation level read committed')
    try {
      const loaded = await refusing(() => holdNeeds(session, { needs, conversations, now: this.#at() }))
      return { loaded, commit: (batch) => this.#writeHeld(session, batch), release: () => letGo(session) }
    } catch (cause) {
      await letGo(session)
      if (faultOf(cause) === 'conflict') return 'conflict'
      throw cause
    }
  }
  async #writeHeld(session: PgSession, batch: Batch): Promise<'written' | 'conflict'> {
    let isWritten = false
    try {
      const outcome = await this.#write(batch, async (parameters) => {
        // Together on their way: where the first fails, the second takes back.
        const sent = [session.ask(commitStatement(batch), parameters), session.run('commit')]
        await Promise.allSettled(sent)
        await Promise.all(sent)
      })
      isWritten = outcome === 'written'
      return outcome
    } finally {
      if (isWritten) session.close()
      else await letGo(session)
    }
  }

  async #write(
    unsound: Batch,
    send: (parameters: ReturnType<typeof commitParameters>) => Promise<unknown>,
  ): Promise<'written' | 'conflict'> {
    const batch = soundBatch(unsound)
    try {
      await refusing(() => send(commitParameters(batch, this.#at())))
      return 'written'
    } catch (cause) {
      if (faultOf(cause) === 'conflict') return 'conflict'
      throw cause
    }
  }
  #at(): string | null {
    return this.#now?.().toISOString() ?? null
  }
}

async function letGo(session: PgSession): Promise<void> {
  await session.rollBack()
  session.close()
}

/** Tells a row that is refused from a store that is down. */
async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (faultOf(cause) !== 'entry') throw cause
    throw new EntryError('The database refuses a row of the batch', { cause })
  }
}
