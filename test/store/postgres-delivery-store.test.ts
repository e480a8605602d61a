// The contract of the delivery store, on Postgres.
import { deliveryStoreContract } from '../contracts/delivery-store.contract'
import { sharingContract } from '../contracts/sharing.contract'
import { openTestPostgres } from '../support/databases'

deliveryStoreContract('postgres', openTestPostgres)
sharingContract('postgres', openTestPostgres)
