// The contract of the notification store, on a SQLite file.
import { notificationStoreContract } from '../contracts/notification-store.contract'
import { openTestSqlite } from '../support/databases'

notificationStoreContract('sqlite', openTestSqlite)
