// The contract of the conversation store, on Postgres.
import { conversationLogContract } from '../contracts/conversation-log.contract'
import { conversationStoreContract } from '../contracts/conversation-store.contract'
import { openTestPostgres } from '../support/databases'

conversationStoreContract('postgres', openTestPostgres)
conversationLogContract('postgres', openTestPostgres)
