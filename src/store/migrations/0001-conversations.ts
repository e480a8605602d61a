// Conversations, their events, the addresses of the living ones, and idempotency keys.
import { sql, type Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  // A snapshot: the events behind its position are replayed on it.
  await sql`
    create table conversation (
      tenant text not null, id text not null,
      status text not null, position integer not null, public_position integer not null,
      active_at text not null, idle_warned integer not null, ended_at text not null,
      picture text not null,
      primary key (tenant, id)
    )`.execute(db)
  await sql`create index conversation_by_status on conversation (tenant, status, id)`.execute(db)
  // Only the living can be idle: an ended conversation costs this index nothing.
  await sql`create index conversation_by_activity on conversation (tenant, active_at) where status = 'open'`.execute(db)
  await sql`
    create table live_address (
      tenant text not null, channel text not null, account text not null, ref_id text not null,
      conversation_id text not null,
      primary key (tenant, channel, account, ref_id),
      foreign key (tenant, conversation_id) references conversation (tenant, id)
    ) without rowid`.execute(db)
  await sql`
    create table event (
      tenant text not null, conversation_id text not null, position integer not null,
      public_position integer, body text not null,
      primary key (tenant, conversation_id, position)
    )`.execute(db)
  await sql`
    create table once (
      tenant text not null, scope text not null, key text not null,
      conversation_id text not null, position integer not null, note text not null, expires_at text,
      primary key (tenant, scope, key)
    ) without rowid`.execute(db)
  // New keys, until they go into the index together.
  await sql`
    create table once_recent (
      id integer primary key,
      tenant text not null, scope text not null, key text not null,
      conversation_id text not null, position integer not null, note text not null, expires_at text
    )`.execute(db)
  await sql`create index once_by_expiry on once (tenant, expires_at) where expires_at is not null`.execute(db)
}
