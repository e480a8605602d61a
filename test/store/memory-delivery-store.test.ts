// The contract of the delivery store, on tables in memory.
import { deliveryStoreContract } from '../contracts/delivery-store.contract'
import { sharingContract } from '../contracts/sharing.contract'
import { openTestMemory } from '../support/databases'

deliveryStoreContract('memory', openTestMemory)
sharingContract('memory', openTestMemory)
