// Who may sign in, and the keys of connectors, bots and third parties.
import { sql, type Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table account (
      tenant text not null, id text not null,
      username text not null, username_key text not null, name text not null, role text not null,
      password_hash text not null, disabled integer not null, version integer not null, created_at text not null,
      primary key (tenant, id),
      unique (tenant, username_key)
    ) without rowid`.execute(db)
  await sql`
    create table api_key (
      tenant text not null, id text not null,
      kind text not null, name text not null, channel text not null, account text not null,
      hash text not null, daily_quota integer, prefixes text not null, created_at text not null,
      primary key (tenant, id)
    ) without rowid`.execute(db)
  await sql`create index api_key_by_scope on api_key (tenant, kind, channel, account)`.execute(db)
}
