// The outbox: deliveries, how providers name them, and the receipts that come back, some of them too early.
import { sql, type Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  // `seq` is SQLite's row id, an order and no key; the key has the tenant first, as everywhere.
  await sql`
    create table delivery (
      seq integer primary key autoincrement,
      tenant text not null, id text not null,
      channel text not null, account text not null, ref_id text not null,
      conversation_id text, message_id text, recipient text, notification_id text,
      body text not null,
      state text not null, attempts integer not null, lease text not null, due_at text not null,
      created_at text not null, expires_at text, reason text not null,
      unique (tenant, id)
    )`.execute(db)
  await sql`
    create index delivery_by_due on delivery (tenant, channel, account, state, due_at, seq)
    where state in ('due', 'leased')`.execute(db)
  // For a connector that carries every account of its channel.
  await sql`
    create index delivery_by_channel on delivery (tenant, channel, state, due_at, seq)
    where state in ('due', 'leased')`.execute(db)
  await sql`
    create index delivery_by_recipient on delivery (tenant, channel, account, ref_id, seq)
    where state in ('waiting', 'due', 'leased')`.execute(db)
  await sql`
    create index delivery_by_message on delivery (tenant, message_id, channel, account)
    where message_id is not null`.execute(db)
  await sql`create index delivery_by_lease on delivery (tenant, lease) where state = 'leased'`.execute(db)
  await sql`create index delivery_dead on delivery (tenant, seq) where state = 'dead'`.execute(db)
  await sql`
    create table provider_part (
      tenant text not null, channel text not null, account text not null, provider_id text not null,
      delivery_id text not null, delivered integer not null,
      primary key (tenant, channel, account, provider_id),
      foreign key (tenant, delivery_id) references delivery (tenant, id)
    ) without rowid`.execute(db)
  await sql`create index provider_part_by_delivery on provider_part (tenant, delivery_id)`.execute(db)
  await sql`
    create table parked_receipt (
      tenant text not null, channel text not null, account text not null, provider_id text not null,
      state text not null, reason text not null, expires_at text not null,
      primary key (tenant, channel, account, provider_id, state)
    )`.execute(db)
  await sql`create index parked_receipt_by_expiry on parked_receipt (tenant, expires_at)`.execute(db)
  await sql`
    create table receipt (
      tenant text not null, conversation_id text not null, message_id text not null, recipient text not null,
      state text not null,
      primary key (tenant, conversation_id, message_id, recipient)
    ) without rowid`.execute(db)
}
