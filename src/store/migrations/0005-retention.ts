// Lets the broom find deliveries that are settled for long and notifications that changed long ago, oldest first.
import type { Ddl } from '../ddl'

export async function up({ run }: Ddl): Promise<void> {
  // Of a settled delivery `due_at` is when that was. Only the settled stand in it, each where the last one was put: what
  // is on its way costs this index nothing, and settling costs less than can be measured beside the rest of the row.
  await run(`
    create index delivery_by_end on delivery (tenant, state, due_at)
    where state in ('done', 'dead')`)
  // All that is asked of a delivery's parts stands in it: SQLite, which counts every column alike, would otherwise rather
  // search all parts of a tenant by their key, for each delivery that is looked up or deleted.
  await run('drop index provider_part_by_delivery')
  await run('create index provider_part_of_delivery on provider_part (tenant, delivery_id, delivered)')
  await run(`alter table notification add column changed_at text not null default ''`)
  // Nobody knows when those that are there changed: their time begins now.
  await run(`update notification set changed_at = '${new Date().toISOString()}'`)
  await run(`
    create index notification_by_change on notification (tenant, changed_at)
    where state <> 'waiting'`)
}
