// The contract of the notification store, on Postgres.
import { notificationStoreContract } from '../contracts/notification-store.contract'
import { openTestPostgres } from '../support/databases'

notificationStoreContract('postgres', openTestPostgres)
