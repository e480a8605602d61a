// The contracts of erasing and of custody, on a SQLite file.
import { custodyContract } from '../contracts/custody.contract'
import { erasureContract } from '../contracts/erasure.contract'
import { openTestSqlite } from '../support/databases'

erasureContract('sqlite', openTestSqlite)
custodyContract('sqlite', openTestSqlite)
