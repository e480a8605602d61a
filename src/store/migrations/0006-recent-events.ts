// New events, until they go into the table together: SQLite's only, where a page is written for each commit that touches it.
import type { Ddl } from '../ddl'

export async function up({ dialect, run }: Ddl): Promise<void> {
  if (dialect !== 'sqlite') return
  await run(`
    create table event_recent (
      id integer primary key,
      tenant text not null, conversation_id text not null, position integer not null,
      public_position integer, body text not null
    )`)
}
