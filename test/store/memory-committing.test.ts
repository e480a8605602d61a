// The contract of committing, on tables in memory.
import { committingContract } from '../contracts/committing.contract'
import { openTestMemory } from '../support/databases'

committingContract('memory', openTestMemory)
