// Which connectors are registered on which node, and the slices of recipients that they divide among them.
import type { Ddl } from '../ddl'

export async function up({ dialect, run }: Ddl): Promise<void> {
  // What was put there before lies in the first slice: it is carried in order all the same, and by one of several first.
  await run('alter table delivery add column slice integer not null default 0')
  // With one node, registrations live and die with it.
  if (dialect !== 'postgres') return
  await run(`
    create table carrier (
      tenant text not null, channel text not null, account text not null, instance text not null,
      node text not null, fence bigint not null, alive_until text not null,
      primary key (tenant, channel, account, instance)
    )`)
  await run('create index carrier_by_node on carrier (tenant, node)')
}
