// The contract of the delivery store, on tables in memory.
import { deliveryStoreContract } from '../contracts/delivery-store.contract'
import { openTestMemory } from '../support/databases'

deliveryStoreContract('memory', openTestMemory)
