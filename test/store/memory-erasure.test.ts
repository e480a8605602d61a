// The contracts of erasing and of custody, on tables in memory.
import { custodyContract } from '../contracts/custody.contract'
import { erasureContract } from '../contracts/erasure.contract'
import { openTestMemory } from '../support/databases'

erasureContract('memory', openTestMemory)
custodyContract('memory', openTestMemory)
