// The contract of the account store, on a SQLite file.
import { accountStoreContract } from '../contracts/account-store.contract'
import { openTestSqlite } from '../support/databases'

accountStoreContract('sqlite', openTestSqlite)
