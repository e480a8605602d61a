// The contract of the attendance store, on Postgres.
import { attendanceStoreContract } from '../contracts/attendance-store.contract'
import { openTestPostgres } from '../support/databases'

attendanceStoreContract('postgres', openTestPostgres)
