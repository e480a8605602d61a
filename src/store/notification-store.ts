// Port: what third parties sent, and whom nobody may send to. Written by `ConversationStore.update`, read here.
import type { Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import type { Notification } from './records'

export interface NotificationStore {
  find(tenant: Tenant, id: string): Promise<Notification | null>
  /** Addresses of this channel on the suppression list, after this refId; at most `limit`. */
  suppressed(tenant: Tenant, channel: string, after: string, limit: number): Promise<Address[]>
  /** Deletes what has outlived its time: idempotency keys, parked receipts, old quotas. Answers how many rows. */
  sweep(tenant: Tenant): Promise<number>
}
