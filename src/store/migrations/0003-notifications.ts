// What third parties sent, whom nobody may send to, and how much of a daily quota is used.
import { sql, type Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table notification (
      tenant text not null, id text not null, key_id text not null,
      channel text not null, account text not null, ref_id text not null,
      state text not null, reason text not null, created_at text not null, expires_at text,
      primary key (tenant, id)
    ) without rowid`.execute(db)
  // In the order in which the list is paged.
  await sql`
    create table suppression (
      tenant text not null, channel text not null, ref_id text not null, account text not null,
      primary key (tenant, channel, ref_id, account)
    ) without rowid`.execute(db)
  await sql`
    create table quota (
      tenant text not null, key_id text not null, day text not null, used integer not null,
      primary key (tenant, key_id, day)
    ) without rowid`.execute(db)
}
