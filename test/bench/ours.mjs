// @ts-check
// Our gateway as it is built: alone over SQLite or memory, or one of several nodes over Postgres and Redis.
import '../../dist/src/aside/go-first.js'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { answerAsServer } from './child.mjs'
import { hearTriggers } from './triggers.mjs'

const require = createRequire(import.meta.url)
/** @param {string} file of the build */
const built = (file) => require(`../../dist/src/${file}.js`)
const { BENCH_FOLDER: FOLDER = '', BENCH_POSTGRES: POSTGRES, BENCH_REDIS: REDIS } = process.env
const MEMORY = process.env['BENCH_STORE'] === 'memory'
const TENANT = 'default'
const CONNECTIONS = 10
const ENVIRONMENT = {
  PORT: '0',
  HOST: '127.0.0.1',
  METRICS_PORT: '0',
  RATE_LIMITS: 'off',
  LOG_LEVEL: 'silent',
  ...(process.env['BENCH_GRACE'] && { RECONNECT_GRACE: process.env['BENCH_GRACE'] }),
  SECRET_KEY: process.env['BENCH_SECRET'],
  ADMIN_USER: process.env['BENCH_USER'],
  ADMIN_PASSWORD: process.env['BENCH_PASSWORD'],
}
/** Events of one decision, and decisions under way, while a log is filled. */
const FILLED_AT_ONCE = 500
const FILLERS = 8

/** @param {string} name */
const version = (name) => `${name} ${require(`${name}/package.json`).version}`
/** @param {unknown} cause */
const onFault = (cause) => console.error('A fault of ours:', cause)

/** @param {string} dataDir */
async function openStore(dataDir) {
  const { openMemory, openPostgres, openSqlite } = built('store/open-database')
  if (MEMORY) return { database: await openMemory({ onFault }), store: 'tables in memory, nothing durable' }
  if (POSTGRES)
    return {
      database: await openPostgres({ url: POSTGRES, size: CONNECTIONS, onFault }),
      store: `Postgres synchronous_commit=on, ${version('pg')}, at most ${CONNECTIONS} connections a node`,
    }
  const store = `SQLite WAL, synchronous=FULL, ${version('better-sqlite3')}`
  return { database: await openSqlite({ dataDir, onFault }), store }
}

async function openBus() {
  if (REDIS) {
    const { RedisBus } = built('bus/redis-bus')
    return {
      bus: await RedisBus.open({ urls: [REDIS], onFault }),
      between: `hints through Redis by ${version('ioredis')}`,
    }
  }
  const { MemoryBus } = built('bus/memory-bus')
  return { bus: new MemoryBus({ onFault }), between: 'one node, no Redis' }
}

async function start() {
  const { startGateway } = built('gateway')
  const { readConfig } = built('config')
  const data = mkdtempSync(join(FOLDER, 'ours-'))
  const { database, store } = await openStore(data)
  const { bus, between } = await openBus()
  const gateway = await startGateway(readConfig({ ...ENVIRONMENT, DATA_DIR: data }), { database, bus })
  const about = `fairlead ${require('../../package.json').version}, ${version('socket.io')}`
  return {
    database,
    bus,
    url: gateway.url,
    door: 'guarded',
    settings: [about, store, between, 'rate limits off, logs silent'].join(', '),
    close: async () => {
      await gateway.close()
      rmSync(data, { recursive: true, force: true })
    },
  }
}

/** @typedef {{ database: any, bus: any }} Server */

/**
 * Publishes on the bus what it is triggered to say, as if it had been committed: the hub, the codec and the sockets do
 * their work, the rules and the store do not. Each room goes on behind its last message.
 * @param {Server} server @param {import('./triggers.mjs').Driven} driven
 */
async function drive({ database, bus }, { ids }) {
  /** @type {Record<number, any>} */
  const last = {}
  for (const [room, id] of Object.entries(ids)) {
    const { position } = await database.conversations.find(TENANT, id)
    const [event] = await database.conversations.events(TENANT, id, position - 1, 1)
    if (event?.type !== 'messageSent') throw new Error('The last event of the room is no message.')
    last[Number(room)] = event
  }
  return hearTriggers((triggers) => {
    const events = triggers.map(({ room, key }) => {
      const before = last[room]
      return (last[room] = {
        ...before,
        position: before.position + 1,
        publicPosition: before.publicPosition + 1,
        id: `${before.id.slice(0, 10)}${key.slice(-12)}`, // a new one costs what the peers' counting does not
        at: new Date().toISOString(),
        clientMessageId: key,
      })
    })
    bus.publish(events)
  })
}

/** @param {any} by @param {number} number */
const draft = (by, number) => ({
  type: 'messageSent',
  by,
  clientMessageId: null,
  digest: String(number),
  to: [],
  content: { text: 'All work and no play makes a dull gateway.', attachments: [], extras: {} },
})

/** So many messages in conversations like this one, with 500 in each. @param {Server} server @param {{ like: string, messages: number }} body */
async function fill({ database: { conversations } }, { like, messages }) {
  const { opening } = await conversations.find(TENANT, like)
  const [first] = await conversations.events(TENANT, like, 0, 1)
  let left = messages
  const filler = async () => {
    while (left > 0) {
      const count = Math.min(FILLED_AT_ONCE, left)
      left -= count
      const id = randomBytes(16).toString('base64url')
      const { type, participant, ordinal, presence, by } = first
      const events = Array.from({ length: count }, (_, number) => draft(by, number))
      await conversations.update({ tenant: TENANT, conversationId: id }, () => ({
        open: { id, opening: { ...opening, address: { ...opening.address, refId: id } } },
        events: [{ type, participant, ordinal, presence, by }, ...events],
      }))
    }
  }
  await Promise.all(Array.from({ length: FILLERS }, filler))
}

/** Says something in each of these. @param {Server} server @param {{ ids: string[], messages: number }} body */
async function say({ database: { conversations } }, { ids, messages }) {
  for (const id of ids) {
    const [{ by }] = await conversations.events(TENANT, id, 0, 1)
    for (let number = 0; number < messages; number++)
      await conversations.update({ tenant: TENANT, conversationId: id }, () => ({ events: [draft(by, number)] }))
  }
}

answerAsServer(start, { drive, fill, say })
