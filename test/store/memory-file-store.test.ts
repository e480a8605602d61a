// The contract of the file store, on tables in memory.
import { fileStoreContract } from '../contracts/file-store.contract'
import { openTestMemory } from '../support/databases'

fileStoreContract('memory', openTestMemory)
