// Who has a live connection, and on which node; and which nodes live.
import type { Ddl } from '../ddl'

export async function up({ dialect, run, asIs }: Ddl): Promise<void> {
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
  // Whom a gateway left behind that counted in its memory alone: they were on a node that is dead, and have the grace. No
  // such gateway had Postgres.
  if (dialect !== 'sqlite') return
  await run("insert into node (id, alive_until) values ('before', '')")
  await asIs(`
    insert into attendance (tenant, conversation_id, participant_id, node, away_at, claimed_until)
    select conversation.tenant, conversation.id, json_extract(member.value, '$.id'), 'before', null, ''
    from conversation, json_each(picture, '$.memberships') as member
    where status = 'open' and not json_extract(member.value, '$.left')
      and json_extract(member.value, '$.presence') = 'live'`)
}
