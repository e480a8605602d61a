// What migrations make of rows that are there already.
import BetterSqlite from 'better-sqlite3'
import { Kysely, SqliteDialect } from 'kysely'
import { ddlOn } from '../../src/store/ddl'
import { up as makeConversations } from '../../src/store/migrations/0001-conversations'
import { up as makeAttendance } from '../../src/store/migrations/0008-attendance'

it('members whom an older gateway left behind are on a node that is dead, so that their grace begins', async () => {
  const file = new BetterSqlite(':memory:')
  const ddl = ddlOn(new Kysely({ dialect: new SqliteDialect({ database: file }) }), 'sqlite')
  await makeConversations(ddl)
  const insert = file.prepare(
    `insert into conversation (tenant, id, status, position, public_position, active_at, idle_warned, ended_at, picture)
     values ('default', ?, ?, 1, 1, '', 0, '', ?)`,
  )
  const memberships = [
    { id: 'here', left: false, presence: 'live' },
    { id: 'gone', left: true, presence: 'live' },
    { id: 'carried', left: false, presence: 'carried' },
  ]
  insert.run('open', 'open', JSON.stringify({ memberships }))
  insert.run('over', 'ended', JSON.stringify({ memberships }))
  await makeAttendance(ddl)
  expect(file.prepare('select conversation_id, participant_id, node, away_at from attendance').all()).toEqual([
    { conversation_id: 'open', participant_id: 'here', node: 'before', away_at: null },
  ])
  expect(file.prepare('select * from node').all()).toEqual([{ id: 'before', alive_until: '' }])
  file.close()
})
