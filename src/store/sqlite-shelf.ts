// Leasing on SQLite: the thread does it.
import type { DeliveryId, Tenant } from '../model/ids'
import type { Claim, Supply } from './delivery-store'
import type { Delivery } from './records'
import type { Shelf } from './sql-delivery-store'
import type { SqliteThread } from './sqlite-thread'

export class SqliteShelf implements Shelf {
  constructor(private readonly thread: SqliteThread) {}

  claim(tenant: Tenant, claim: Claim): Promise<Delivery[]> {
    return this.thread.consult<'claim'>({ do: 'claim', tenant, claim })
  }
  release(tenant: Tenant, lease: string): Promise<number> {
    return this.thread.consult<'release'>({ do: 'release', tenant, lease })
  }
  nextDueIn(tenant: Tenant, at: Supply): Promise<number | null> {
    return this.thread.consult<'nextDueIn'>({ do: 'nextDueIn', tenant, at })
  }
  replay(tenant: Tenant, id: DeliveryId): Promise<boolean> {
    return this.thread.consult<'replay'>({ do: 'replay', tenant, id })
  }
}
