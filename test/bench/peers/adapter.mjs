// @ts-check
// A peer: Socket.IO on several nodes over one of its own Redis adapters, with or without one INSERT per message on Postgres.
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'
import { Redis } from 'ioredis'
import { answerAsServer } from '../child.mjs'
import { STOCK_SETTINGS, driveRooms, startRooms, version } from './rooms.mjs'

const REDIS = /** @type {string} */ (process.env['BENCH_REDIS'])
const POSTGRES = process.env['BENCH_POSTGRES']
const CONNECTIONS = 10

/** @type {Record<string, { settings: string, create: () => any }>} */
const ADAPTERS = {
  sharded: {
    settings: `${version('@socket.io/redis-adapter')}, sharded, subscriptionMode dynamic`,
    create: () => createShardedAdapter(new Redis(REDIS), new Redis(REDIS), { subscriptionMode: 'dynamic' }),
  },
  classic: {
    settings: `${version('@socket.io/redis-adapter')}, classic, publishOnSpecificResponseChannel`,
    create: () => createAdapter(new Redis(REDIS), new Redis(REDIS), { publishOnSpecificResponseChannel: true }),
  },
  streams: {
    settings: `${version('@socket.io/redis-streams-adapter')}, one stream`,
    create: () => createStreamsAdapter(new Redis(REDIS)),
  },
}

async function openTable() {
  const { Pool } = (await import('pg')).default
  const pool = new Pool({ connectionString: POSTGRES, max: CONNECTIONS })
  await pool
    .query(
      `create table if not exists message (
    conversation_id text not null, seq bigint not null, message_id text not null, body text not null,
    primary key (conversation_id, seq))`,
    )
    .catch((/** @type {any} */ error) => {
      if (error.code !== '23505') throw error // another node has made it in the same moment
    })
  const text = 'insert into message (conversation_id, seq, message_id, body) values ($1, $2, $3, $4)'
  return {
    settings: `${version('pg')}, a pool of ${CONNECTIONS}, one prepared INSERT a message, synchronous_commit=on`,
    write: (/** @type {any} */ { conversationId, seq, messageId, ...rest }) =>
      pool.query({ name: 'insert', text, values: [conversationId, seq, messageId, JSON.stringify(rest)] }),
    close: () => pool.end(),
  }
}

async function start() {
  const adapter = ADAPTERS[process.env['BENCH_ADAPTER'] ?? '']
  if (!adapter) throw new Error('There is no such adapter.')
  const table = POSTGRES ? await openTable() : undefined
  const rooms = await startRooms({
    options: { adapter: adapter.create() },
    ...(table && { write: table.write }),
  })
  return {
    ...rooms,
    door: 'open',
    settings: [STOCK_SETTINGS, version('ioredis'), adapter.settings, table?.settings ?? 'no durability'].join(', '),
    close: async () => {
      await rooms.close()
      await table?.close()
    },
  }
}

answerAsServer(start, { drive: driveRooms })
