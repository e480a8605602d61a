// The contract of the conversation store, on a SQLite file.
import { conversationStoreContract } from '../contracts/conversation-store.contract'
import { openTestSqlite } from '../support/databases'

conversationStoreContract('sqlite', openTestSqlite)
