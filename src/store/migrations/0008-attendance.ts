// Who has a live connection, and on which node; and which nodes live.
import type { Ddl } from '../ddl'

export async function up({ run }: Ddl): Promise<void> {
  await run('create table node (id text not null primary key, alive_until text not null)')
  // `away_at`: when the grace of somebody who is gone ends; null while they are here.
  await run(`
    create table attendance (
      tenant text not null, conversation_id text not null, participant_id text not null, node text not null,
      away_at text, claimed_until text not null,
      primary key (tenant, conversation_id, participant_id, node)
    ) without rowid`)
  await run('create index attendance_by_end on attendance (tenant, away_at) where away_at is not null')
  await run('create index attendance_by_node on attendance (node) where away_at is null')
}
