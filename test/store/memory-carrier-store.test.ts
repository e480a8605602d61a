// The contract of the carrier store, in memory, which SQLite uses too: registrations live and die with the one node.
import { carrierStoreContract } from '../contracts/carrier-store.contract'
import { openTestMemory } from '../support/databases'

carrierStoreContract('memory', openTestMemory)
