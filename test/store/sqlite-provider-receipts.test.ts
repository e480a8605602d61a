// The contract of receipts from providers, on a SQLite file.
import { providerReceiptsContract } from '../contracts/provider-receipts.contract'
import { openTestSqlite } from '../support/databases'

providerReceiptsContract('sqlite', openTestSqlite)
