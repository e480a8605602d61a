// The contract of the delivery store, on a SQLite file.
import { deliveryStoreContract } from '../contracts/delivery-store.contract'
import { sharingContract } from '../contracts/sharing.contract'
import { openTestSqlite } from '../support/databases'

deliveryStoreContract('sqlite', openTestSqlite)
sharingContract('sqlite', openTestSqlite)
