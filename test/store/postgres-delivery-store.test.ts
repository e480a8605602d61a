// The contract of the delivery store, on Postgres.
import { deliveryStoreContract } from '../contracts/delivery-store.contract'
import { openTestPostgres } from '../support/databases'

deliveryStoreContract('postgres', openTestPostgres)
