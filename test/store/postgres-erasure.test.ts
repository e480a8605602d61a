// The contracts of erasing and of custody, on Postgres.
import { custodyContract } from '../contracts/custody.contract'
import { erasureContract } from '../contracts/erasure.contract'
import { openTestPostgres } from '../support/databases'

erasureContract('postgres', openTestPostgres)
custodyContract('postgres', openTestPostgres)
