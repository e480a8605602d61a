// The contract of erasing, on tables in memory.
import { erasureContract } from '../contracts/erasure.contract'
import { openTestMemory } from '../support/databases'

erasureContract('memory', openTestMemory)
