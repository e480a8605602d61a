// The contract of receipts from providers, on tables in memory.
import { providerReceiptsContract } from '../contracts/provider-receipts.contract'
import { openTestMemory } from '../support/databases'

providerReceiptsContract('memory', openTestMemory)
