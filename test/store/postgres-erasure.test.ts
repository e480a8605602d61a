// The contract of erasing, on Postgres.
import { erasureContract } from '../contracts/erasure.contract'
import { openTestPostgres } from '../support/databases'

erasureContract('postgres', openTestPostgres)
