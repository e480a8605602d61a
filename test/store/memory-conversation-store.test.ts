// The contract of the conversation store, on tables in memory.
import { conversationLogContract } from '../contracts/conversation-log.contract'
import { conversationStoreContract } from '../contracts/conversation-store.contract'
import { openTestMemory } from '../support/databases'

conversationStoreContract('memory', openTestMemory)
conversationLogContract('memory', openTestMemory)
