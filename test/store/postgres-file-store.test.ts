// The contract of the file store, on Postgres.
import { fileStoreContract } from '../contracts/file-store.contract'
import { openTestPostgres } from '../support/databases'

fileStoreContract('postgres', openTestPostgres)
