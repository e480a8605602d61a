// What only Postgres needs: rows that serialise writers on several nodes, and the functions that write a batch.
import type { Ddl } from '../ddl'
import { COMMIT_BATCH } from './postgres/commit-batch'
import { COMMIT_DELIVERIES } from './postgres/commit-deliveries'
import { COMMIT_NOTIFIED } from './postgres/commit-notified'
import { COMMIT_RECEIPTS } from './postgres/commit-receipts'

export async function up({ dialect, asIs }: Ddl): Promise<void> {
  if (dialect !== 'postgres') return
  // One row per recipient, locked by whoever puts a delivery behind others or lets the next one go: without it, two
  // nodes could both find the lane empty, or one could wait behind a delivery that the other has just settled. It also
  // makes the order of `seq` within a lane that of the commits.
  await asIs(`
    create table lane (
      tenant text collate "C" not null, channel text collate "C" not null,
      account text collate "C" not null, ref_id text collate "C" not null,
      primary key (tenant, channel, account, ref_id)
    )`)
  // Without a delivery: a name that a receipt came under too early. Whoever learns whose it is finds this row in the way.
  await asIs('alter table provider_part alter column delivery_id drop not null')
  // The order of arrival, which is the row id on SQLite.
  await asIs('alter table parked_receipt add column seq bigint generated always as identity')
  // Room for a snapshot beside the one it replaces, so that the index stays as it is.
  await asIs('alter table conversation set (fillfactor = 80)')
  // Times as everywhere in the schema: ISO 8601 in UTC with milliseconds.
  await asIs(`
    create function iso_time_1(at timestamptz) returns text language sql stable
    as $$ select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$`)
  for (const definition of [...COMMIT_DELIVERIES, ...COMMIT_RECEIPTS, ...COMMIT_NOTIFIED, COMMIT_BATCH])
    await asIs(definition)
}
