// Port: one database behind the small ports.
import type { AttendanceStore } from './attendance-store'
import type { AccountStore } from './account-store'
import type { CarrierStore } from './carrier-store'
import type { ConversationStore } from './conversation-store'
import type { CustodyStore } from './custody-store'
import type { DeliveryStore } from './delivery-store'
import type { FileStore } from './file-store'
import type { ErasureStore } from './erasure-store'
import type { NotificationStore } from './notification-store'

export interface Database {
  readonly conversations: ConversationStore
  readonly deliveries: DeliveryStore
  readonly carriers: CarrierStore
  readonly accounts: AccountStore
  readonly attendance: AttendanceStore
  readonly notifications: NotificationStore
  readonly files: FileStore
  readonly custody: CustodyStore
  readonly erasures: ErasureStore
  /** Resolves when a write would go through now; rejects with `unavailable` within 2 s when it would not. */
  ready(): Promise<void>
  /** Finishes what was accepted, then closes. */
  close(): Promise<void>
}
