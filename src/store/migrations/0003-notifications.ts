// What third parties sent, whom nobody may send to, and how much of a daily quota is used.
import type { Ddl } from '../ddl'

export async function up({ run }: Ddl): Promise<void> {
  await run(`
    create table notification (
      tenant text not null, id text not null, key_id text not null,
      channel text not null, account text not null, ref_id text not null,
      state text not null, reason text not null, created_at text not null, expires_at text,
      primary key (tenant, id)
    ) without rowid`)
  // In the order in which the list is paged.
  await run(`
    create table suppression (
      tenant text not null, channel text not null, ref_id text not null, account text not null,
      primary key (tenant, channel, ref_id, account)
    ) without rowid`)
  await run(`
    create table quota (
      tenant text not null, key_id text not null, day text not null, used integer not null,
      primary key (tenant, key_id, day)
    ) without rowid`)
}
