// The contract of committing, on Postgres.
import { committingContract } from '../contracts/committing.contract'
import { openTestPostgres } from '../support/databases'

committingContract('postgres', openTestPostgres)
