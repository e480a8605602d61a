// The outbox: deliveries, how providers name them, and the receipts that come back, some of them too early.
import type { Ddl } from '../ddl'

export async function up({ run }: Ddl): Promise<void> {
  // `seq` is SQLite's row id, an order and no key; the key has the tenant first, as everywhere.
  await run(`
    create table delivery (
      seq integer primary key autoincrement,
      tenant text not null, id text not null,
      channel text not null, account text not null, ref_id text not null,
      conversation_id text, message_id text, recipient text, notification_id text,
      body text not null,
      state text not null, attempts integer not null, lease text not null, due_at text not null,
      created_at text not null, expires_at text, reason text not null,
      unique (tenant, id)
    )`)
  await run(`
    create index delivery_by_due on delivery (tenant, channel, account, state, due_at, seq)
    where state in ('due', 'leased')`)
  // For a connector that carries every account of its channel.
  await run(`
    create index delivery_by_channel on delivery (tenant, channel, state, due_at, seq)
    where state in ('due', 'leased')`)
  await run(`
    create index delivery_by_recipient on delivery (tenant, channel, account, ref_id, seq)
    where state in ('waiting', 'due', 'leased')`)
  await run(`
    create index delivery_by_message on delivery (tenant, message_id, channel, account)
    where message_id is not null`)
  await run(`create index delivery_by_lease on delivery (tenant, lease) where state = 'leased'`)
  await run(`create index delivery_dead on delivery (tenant, seq) where state = 'dead'`)
  await run(`
    create table provider_part (
      tenant text not null, channel text not null, account text not null, provider_id text not null,
      delivery_id text not null, delivered integer not null,
      primary key (tenant, channel, account, provider_id),
      foreign key (tenant, delivery_id) references delivery (tenant, id)
    ) without rowid`)
  await run(`create index provider_part_by_delivery on provider_part (tenant, delivery_id)`)
  await run(`
    create table parked_receipt (
      tenant text not null, channel text not null, account text not null, provider_id text not null,
      state text not null, reason text not null, expires_at text not null,
      primary key (tenant, channel, account, provider_id, state)
    )`)
  await run(`create index parked_receipt_by_expiry on parked_receipt (tenant, expires_at)`)
  await run(`
    create table receipt (
      tenant text not null, conversation_id text not null, message_id text not null, recipient text not null,
      state text not null,
      primary key (tenant, conversation_id, message_id, recipient)
    ) without rowid`)
}
