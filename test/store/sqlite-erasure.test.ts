// The contract of erasing, on a SQLite file.
import { erasureContract } from '../contracts/erasure.contract'
import { openTestSqlite } from '../support/databases'

erasureContract('sqlite', openTestSqlite)
