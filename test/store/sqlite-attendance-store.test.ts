// The contract of the attendance store, on SQLite.
import { attendanceStoreContract } from '../contracts/attendance-store.contract'
import { openTestSqlite } from '../support/databases'

attendanceStoreContract('sqlite', openTestSqlite)
