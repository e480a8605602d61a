// The contract of the account store, on tables in memory.
import { accountStoreContract } from '../contracts/account-store.contract'
import { openTestMemory } from '../support/databases'

accountStoreContract('memory', openTestMemory)
