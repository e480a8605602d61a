// The contract of committing, on a SQLite file.
import { committingContract } from '../contracts/committing.contract'
import { openTestSqlite } from '../support/databases'

committingContract('sqlite', openTestSqlite)
