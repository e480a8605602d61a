// Port: what third parties sent, and whom nobody may send to. Written by `ConversationStore.update`, read here.
import type { Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import type { Notification } from './records'

export interface NotificationStore {
  find(tenant: Tenant, id: string): Promise<Notification | null>
  /** Addresses of this channel on the suppression list, after this refId; at most `limit`. */
  suppressed(tenant: Tenant, channel: string, after: string, limit: number): Promise<Address[]>
  /**
   * Deletes a part of what has outlived its time, small enough not to hold up a commit, and answers how many rows; 0 when
   * nothing is left. Idempotency keys and parked receipts go when they expire, quotas after their day, deliveries 7 days
   * after they were done, with the provider's ids, dead letters 30 days after they were given up, and notifications that
   * are not waiting 30 days after they last changed. A receipt that comes later is one for an unknown message.
   */
  sweep(tenant: Tenant): Promise<number>
}
