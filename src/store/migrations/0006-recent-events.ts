// New events, until they go into the table together.
import { sql, type Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table event_recent (
      id integer primary key,
      tenant text not null, conversation_id text not null, position integer not null,
      public_position integer, body text not null
    )`.execute(db)
}
