// The contract of the conversation store, on Postgres.
import { conversationStoreContract } from '../contracts/conversation-store.contract'
import { openTestPostgres } from '../support/databases'

conversationStoreContract('postgres', openTestPostgres)
