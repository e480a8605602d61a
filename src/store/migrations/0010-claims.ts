// What several nodes look for at once: silent conversations, each for one of them, and keys that another node has made.
import type { Ddl } from '../ddl'

export async function up({ run }: Ddl): Promise<void> {
  // Until when somebody looks after the silence of this conversation. In no index, so that claiming rewrites none.
  await run(`alter table conversation add column claimed_until text not null default ''`)
  await run('create index api_key_by_hash on api_key (tenant, hash)')
}
