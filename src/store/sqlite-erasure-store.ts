// Erasing on SQLite: the file's thread does it.
import type { Place, Tenant } from '../model/ids'
import type { Who } from './custody-store'
import type { ErasedAddress, ErasedPage, ErasureStore, Hanging, Scrubbed } from './erasure-store'
import type { SqliteThread } from './sqlite-thread'

/** Bringing a full log of writing into the file takes as long as a busy disk needs for 32 MB. */
const CHECKPOINT_MS = 30_000

export class SqliteErasureStore implements ErasureStore {
  constructor(private readonly thread: SqliteThread) {}

  eraseEvents(place: Place, after: number, limit: number): Promise<ErasedPage> {
    return this.thread.consult<'eraseEvents'>({ do: 'eraseEvents', place, after, limit })
  }
  eraseRest(place: Place, { scope }: Hanging, limit: number): Promise<number> {
    return this.thread.consult<'eraseRest'>({ do: 'eraseRest', place, scope, limit })
  }
  eraseAddress(tenant: Tenant, who: Who, limit: number): Promise<ErasedAddress> {
    return this.thread.consult<'eraseAddress'>({ do: 'eraseAddress', tenant, who, limit })
  }
  /** What was deleted is overwritten where it stood; the log of writing still holds it as it was. */
  async scrub(): Promise<Scrubbed> {
    const isWhole = await this.thread.consult<'checkpoint'>({ do: 'checkpoint' }, CHECKPOINT_MS)
    return isWhole ? 'overwritten' : 'freed'
  }
}
