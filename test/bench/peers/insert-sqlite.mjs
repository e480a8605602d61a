// @ts-check
// A peer: Socket.IO with one INSERT per message on SQLite, acknowledged and said when it is on the disk.
import Database from 'better-sqlite3'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { answerAsServer } from '../child.mjs'
import { STOCK_SETTINGS, startRooms, version } from './rooms.mjs'

async function start() {
  const folder = mkdtempSync(join(/** @type {string} */ (process.env['BENCH_FOLDER']), 'insert-'))
  const database = new Database(join(folder, 'messages.sqlite'))
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.exec(`create table message (
    conversation_id text not null, seq integer not null, message_id text not null, body text not null,
    primary key (conversation_id, seq)) without rowid`)
  const insert = database.prepare('insert into message (conversation_id, seq, message_id, body) values (?, ?, ?, ?)')
  const rooms = await startRooms({
    write: (message) =>
      void insert.run(message.conversationId, message.seq, message.messageId, JSON.stringify(message)),
  })
  return {
    ...rooms,
    door: 'open',
    settings: `${STOCK_SETTINGS}, in-memory adapter, ${version('better-sqlite3')}: WAL, synchronous=FULL, one prepared INSERT a message`,
    close: async () => {
      await rooms.close()
      database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

answerAsServer(start)
