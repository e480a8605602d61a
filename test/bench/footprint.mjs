// @ts-check
// What a conversation, a socket and a message take from each part: two built gateways on the Postgres and the Redis that
// DATABASE_URL (an empty database of your own) and REDIS_URL name. Prints the figures that docs/scaling.md tells.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { on, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { member, post } from './people.mjs'
import { START_FLAGS } from './start-flags.mjs'

const require = createRequire(import.meta.url)
const { Client } = require('pg')
const { Redis } = require('ioredis')
const { DATABASE_URL = '', REDIS_URL = '' } = process.env
const ADMIN = { username: 'admin', password: 'correct horse battery' }
const TEXT = 'x'.repeat(120)
const ROOMS = 2_000
const PER_ROOM = 10
/** What lives is asked for by a signal, after a collection: resident memory mostly tells how much room V8 has taken. */
const TELLS = `process.on('SIGUSR2', () => {
  gc()
  const { heapUsed, external } = process.memoryUsage()
  console.log('living ' + (heapUsed + external))
})`

/** @param {number} port */
async function gateway(port) {
  const settings = { PORT: String(port), HOST: '127.0.0.1', METRICS_PORT: '0', LOG_LEVEL: 'silent', RATE_LIMITS: 'off' }
  const secrets = { SECRET_KEY: TEXT, ADMIN_USER: ADMIN.username, ADMIN_PASSWORD: ADMIN.password }
  const flags = [...START_FLAGS, '--expose-gc', '--import', `data:text/javascript,${encodeURIComponent(TELLS)}`]
  const child = spawn(process.execPath, [...flags, 'dist/src/main.js'], {
    env: { ...process.env, ...settings, ...secrets, NODE_ENV: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  /** In KB. */
  const living = async () => {
    child.kill('SIGUSR2')
    for await (const [chunk] of on(child.stdout, 'data')) {
      const bytes = /living (\d+)/.exec(String(chunk))?.[1]
      if (bytes) return Number(bytes) / 1_024
    }
    throw new Error('It has ended.')
  }
  return { url: `http://127.0.0.1:${port}`, child, living }
}

/** A few at a time. @template T, R @param {T[]} items @param {number} width @param {(item: T) => Promise<R>} work */
async function each(items, width, work) {
  /** @type {R[]} */
  const done = []
  const waiting = items.entries()
  const worker = async () => {
    for (const [index, item] of waiting) done[index] = await work(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
  return done
}

/** CPU that a process and its ended children have used, in µs. @param {number} pid */
const cpuOf = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) * 10_000
}
/** @param {number} pid */
const childrenOf = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)

const db = new Client({ connectionString: DATABASE_URL })
const redis = new Redis(REDIS_URL)
await db.connect()
const nodes = [await gateway(28_101), await gateway(28_102)]
const [{ url: A, living }, { url: B }] = /** @type {[any, any]} */ (nodes)

const { rows: backends } = await db.query('select pg_backend_pid() as pid')
const postmaster = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${backends[0].pid}/status`, 'utf8'))?.[1])
const redisPid = Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1])
/** In µs: for servers on this machine. */
const cpu = () => ({
  gateways: nodes.reduce((sum, { child }) => sum + cpuOf(Number(child.pid)), 0),
  postgres: [postmaster, ...childrenOf(postmaster)].reduce((sum, pid) => sum + cpuOf(pid), 0),
  redis: cpuOf(redisPid),
})

/** Sizes, WAL and what Redis was asked, since the call before. */
async function taken() {
  await db.query('vacuum')
  const { rows } = await db.query(
    `select (select sum(pg_total_relation_size(oid)) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace)::float8 as bytes,
            pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as wal, (select count(*) from event)::int as events,
            (select xact_commit from pg_stat_database where datname = current_database())::float8 as commits`,
  )
  const stats = await redis.info('commandstats')
  const calls = (/** @type {string} */ name) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
  return {
    ...rows[0],
    publishes: calls('publish'),
    all: ['publish', 'sadd', 'smembers', 'srem', 'set', 'expire'].reduce((sum, one) => sum + calls(one), 0),
  }
}
/** @param {string} what @param {any} before @param {any} after @param {number} count */
function tell(what, before, after, count) {
  const per = Object.entries(after).map(([name, value]) => `${name} ${((value - before[name]) / count).toFixed(2)}`)
  console.log(`${what} (${count}), each: ${per.join(', ')}`)
}

const numbers = Array.from({ length: ROOMS }, (_, number) => number)
let before = await taken()
let memory = await living()
const opened = await each(numbers, 16, (number) =>
  post(A, '/api/customer/init', { channel: 'web', refId: `r-${number}`, firstName: 'Nadia' }),
)
let after = await taken()
tell('conversations opened', before, after, ROOMS)
console.log(`  node A: ${(((await living()) - memory) / ROOMS).toFixed(1)} KB each`)

memory = await living()
const customers = await each(opened, 16, ({ conversationId, participant, token }) =>
  member(A, { conversationId, id: participant.id, token }),
)
before = after
after = await taken()
tell('customers joined', before, after, ROOMS)
console.log(
  `  node A: ${(((await living()) - memory) / ROOMS).toFixed(1)} KB each, of ${((await living()) / 1_024).toFixed(0)} MB`,
)

const { token } = await post(B, '/api/agent/login', ADMIN)
await each(opened, 16, ({ conversationId }) => member(B, { conversationId }, token))

for (const width of [1, 16, 200]) {
  const rooms = customers.map((socket, room) => ({ socket, conversationId: opened[room].conversationId }))
  const count = width === 1 ? 1_000 : ROOMS * PER_ROOM
  const messages = Array.from({ length: count }, (_, index) => /** @type {any} */ (rooms[index % ROOMS]))
  before = await taken()
  const spent = cpu()
  const since = performance.now()
  await each(messages, width, ({ socket, conversationId }) =>
    socket.emitWithAck('sendMessage', { conversationId, messageId: randomUUID(), type: 'ChatMessage', text: TEXT }),
  )
  const seconds = (performance.now() - since) / 1_000
  tell('  CPU in µs', spent, cpu(), count)
  tell(`messages, ${width} in flight`, before, await taken(), count)
  console.log(`  ${(count / seconds).toFixed(0)} a second, client included`)
}
const tables = await db.query(
  `select relname, pg_relation_size(oid)::int as heap, pg_indexes_size(oid)::int as indexes from pg_class
   where relkind = 'r' and relnamespace = 'public'::regnamespace and pg_total_relation_size(oid) > 100000 order by 2 desc`,
)
console.table(tables.rows)
const connections = await db.query(
  `select count(*)::int as open from pg_stat_activity where application_name = 'fairlead'`,
)
console.log('connections to Postgres, two nodes:', connections.rows[0].open)
console.log(
  'used by Redis:',
  /used_memory_human:\S+/.exec(await redis.info('memory'))?.[0],
  'keys',
  await redis.dbsize(),
)
for (const { child } of nodes) child.kill('SIGKILL')
process.exit(0)
