// How long each conversation is kept: whose it is, when it ended, whether it is held, and how far its erasure has come.
import type { Ddl } from '../ddl'
import { BACKFILL_ADDRESS, COMMIT_OPENING, CUSTODY_ENDED, CUSTODY_TRIGGER, LANE_BY_CUSTOMER } from './postgres/custody'

export async function up({ dialect, run, asIs }: Ddl): Promise<void> {
  // A row of its own for each conversation: what is asked by address and by time of ending must not burden the log's own
  // rows. `erasure`: empty, `due` while it is under way, `done`.
  await run(`
    create table custody (
      tenant text not null, conversation_id text not null,
      channel text not null, account text not null, ref_id text not null, ended_at text not null,
      held integer not null default 0, hold_reason text not null default '', held_at text not null default '',
      erasure text not null default '', erased_at text not null default '', claimed_until text not null default '',
      primary key (tenant, conversation_id)
    ) without rowid`)
  await run('create index custody_by_address on custody (tenant, channel, ref_id, account, conversation_id)')
  await run(`
    create index custody_by_end on custody (tenant, channel, ended_at)
    where erasure = '' and held = 0 and ended_at > ''`)
  await run(`create index custody_under_way on custody (tenant, claimed_until) where erasure = 'due'`)
  await run(`create index custody_erased on custody (tenant, erased_at) where erasure = 'done'`)
  await run('create index custody_held on custody (tenant, channel) where held = 1')
  // A customer who is being erased, until all of it is done.
  await run(`
    create table erasing (
      tenant text not null, channel text not null, account text not null, ref_id text not null,
      every_account integer not null, since text not null, claimed_until text not null default '',
      primary key (tenant, channel, ref_id, account, every_account)
    ) without rowid`)
  await run('create index notification_by_address on notification (tenant, channel, ref_id, account)')
  await run(`
    create index delivery_of_notification on delivery (tenant, notification_id)
    where notification_id is not null`)
  // Of keys that expire by themselves, those that a conversation came with.
  await run(`
    create index once_by_conversation on once (tenant, conversation_id)
    where expires_at is not null`)
  if (dialect === 'sqlite') await forSqlite(asIs)
  else
    for (const statement of [COMMIT_OPENING, CUSTODY_ENDED, CUSTODY_TRIGGER, LANE_BY_CUSTOMER, ...BACKFILL_ADDRESS])
      await asIs(statement)
}

async function forSqlite(asIs: Ddl['asIs']): Promise<void> {
  await asIs(`
    insert into custody (tenant, conversation_id, channel, account, ref_id, ended_at)
    select tenant, id, json_extract(picture, '$.opening.address.channel'),
      json_extract(picture, '$.opening.address.account'), json_extract(picture, '$.opening.address.refId'), ended_at
    from conversation`)
  await asIs(`
    create trigger custody_ended after update of status on conversation
    when old.status = 'open' and new.status = 'ended'
    begin
      update custody set ended_at = new.ended_at where tenant = new.tenant and conversation_id = new.id;
    end`)
}
