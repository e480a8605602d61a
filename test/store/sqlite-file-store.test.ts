// The contract of the file store, on a SQLite file.
import { fileStoreContract } from '../contracts/file-store.contract'
import { openTestSqlite } from '../support/databases'

fileStoreContract('sqlite', openTestSqlite)
