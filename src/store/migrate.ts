// Brings a database to the latest schema.
import { Migrator, type Kysely } from 'kysely'
import * as conversations from './migrations/0001-conversations'
import * as deliveries from './migrations/0002-deliveries'
import * as notifications from './migrations/0003-notifications'
import * as accounts from './migrations/0004-accounts'
import * as retention from './migrations/0005-retention'
import * as recentEvents from './migrations/0006-recent-events'

const MIGRATIONS = {
  '0001-conversations': conversations,
  '0002-deliveries': deliveries,
  '0003-notifications': notifications,
  '0004-accounts': accounts,
  '0005-retention': retention,
  '0006-recent-events': recentEvents,
}

export async function migrate(db: Kysely<unknown>): Promise<void> {
  const { error } = await new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } }).migrateToLatest()
  if (error) throw new Error('The database cannot be brought to the latest schema', { cause: error })
}
