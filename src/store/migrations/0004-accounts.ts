// Who may sign in, and the keys of connectors, bots and third parties.
import type { Ddl } from '../ddl'

export async function up({ run }: Ddl): Promise<void> {
  await run(`
    create table account (
      tenant text not null, id text not null,
      username text not null, username_key text not null, name text not null, role text not null,
      password_hash text not null, disabled integer not null, version integer not null, created_at text not null,
      primary key (tenant, id),
      unique (tenant, username_key)
    ) without rowid`)
  await run(`
    create table api_key (
      tenant text not null, id text not null,
      kind text not null, name text not null, channel text not null, account text not null,
      hash text not null, daily_quota integer, prefixes text not null, created_at text not null,
      primary key (tenant, id)
    ) without rowid`)
  await run(`create index api_key_by_scope on api_key (tenant, kind, channel, account)`)
}
