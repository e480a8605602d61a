// The files that people sent: what is known of each, while the bytes lie in a vault.
import type { Ddl } from '../ddl'

export async function up({ run }: Ddl): Promise<void> {
  // With row ids: otherwise SQLite would rather search all files of a tenant by the key than those of one conversation.
  await run(`
    create table file (
      tenant text not null, id text not null, conversation_id text not null, participant_id text not null,
      name text not null, media_type text not null, size integer not null, sha256 text not null,
      width integer, height integer, thumbnail text, created_at text not null, state text not null,
      primary key (tenant, id)
    )`)
  await run('create index file_by_conversation on file (tenant, conversation_id, created_at, id)')
  // Few, and gone soon: what the sweep looks for.
  await run(`
    create index file_unfinished on file (tenant, created_at)
    where state <> 'ready'`)
}
