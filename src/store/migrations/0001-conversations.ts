// Conversations, their events, the addresses of the living ones, and idempotency keys.
import type { Ddl } from '../ddl'

export async function up({ dialect, run }: Ddl): Promise<void> {
  // A snapshot: the events behind its position are replayed on it.
  await run(`
    create table conversation (
      tenant text not null, id text not null,
      status text not null, position integer not null, public_position integer not null,
      active_at text not null, idle_warned integer not null, ended_at text not null,
      picture text not null,
      primary key (tenant, id)
    )`)
  await run(`create index conversation_by_status on conversation (tenant, status, id)`)
  // Only the living can be idle: an ended conversation costs this index nothing.
  await run(`create index conversation_by_activity on conversation (tenant, active_at) where status = 'open'`)
  await run(`
    create table live_address (
      tenant text not null, channel text not null, account text not null, ref_id text not null,
      conversation_id text not null,
      primary key (tenant, channel, account, ref_id),
      foreign key (tenant, conversation_id) references conversation (tenant, id)
    ) without rowid`)
  await run(`
    create table event (
      tenant text not null, conversation_id text not null, position integer not null,
      public_position integer, body text not null,
      primary key (tenant, conversation_id, position)
    )`)
  await run(`
    create table once (
      tenant text not null, scope text not null, key text not null,
      conversation_id text not null, position integer not null, note text not null, expires_at text,
      primary key (tenant, scope, key)
    ) without rowid`)
  // New keys, until they go into the index together.
  if (dialect === 'sqlite')
    await run(`
    create table once_recent (
      id integer primary key,
      tenant text not null, scope text not null, key text not null,
      conversation_id text not null, position integer not null, note text not null, expires_at text
    )`)
  await run(`create index once_by_expiry on once (tenant, expires_at) where expires_at is not null`)
}
