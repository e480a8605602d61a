// The contract of the notification store, on tables in memory.
import { notificationStoreContract } from '../contracts/notification-store.contract'
import { openTestMemory } from '../support/databases'

notificationStoreContract('memory', openTestMemory)
