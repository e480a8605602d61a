// The contract of receipts from providers, on Postgres.
import { providerReceiptsContract } from '../contracts/provider-receipts.contract'
import { openTestPostgres } from '../support/databases'

providerReceiptsContract('postgres', openTestPostgres)
