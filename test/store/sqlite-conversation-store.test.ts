// The contract of the conversation store, on a SQLite file.
import { conversationLogContract } from '../contracts/conversation-log.contract'
import { conversationStoreContract } from '../contracts/conversation-store.contract'
import { openTestSqlite } from '../support/databases'

conversationStoreContract('sqlite', openTestSqlite)
conversationLogContract('sqlite', openTestSqlite)
