// The contract of the account store, on Postgres.
import { accountStoreContract } from '../contracts/account-store.contract'
import { openTestPostgres } from '../support/databases'

accountStoreContract('postgres', openTestPostgres)
