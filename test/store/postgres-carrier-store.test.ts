// The contract of the carrier store, on Postgres.
import { carrierStoreContract } from '../contracts/carrier-store.contract'
import { openTestPostgres } from '../support/databases'

carrierStoreContract('postgres', openTestPostgres)
