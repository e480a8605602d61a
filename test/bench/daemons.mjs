// @ts-check
// Redis and Postgres for the nodes under measurement: started as the tests start them, and their CPU over all their processes.
import { build } from 'esbuild'
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Of the kernel, whatever the machine: USER_HZ. */
const TICKS_PER_SECOND = 100
/** Each node holds some connections open. */
const POSTGRES_SETTINGS = { max_connections: '200', shared_buffers: '128MB', max_wal_size: '1GB' }

/** @typedef {{ url: string, cpu: () => number, close: () => Promise<void> }} Daemon `cpu`: µs since its start */

/** @type {Promise<any> | undefined} */
let programs
/** What the tests have for this is TypeScript. */
function bundled() {
  const outfile = `${root}/dist/bench/daemons.cjs`
  return (programs ??= build({
    stdin: {
      contents: "export * from './test/support/redis'; export * from './test/support/postgres'",
      resolveDir: root,
      loader: 'ts',
    },
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
    logLevel: 'warning',
    // The tests' own file of servers ends them after the tests of a file.
    banner: { js: 'const afterAll = () => undefined;' },
  }).then(() => createRequire(import.meta.url)(outfile)))
}

/** @returns {Promise<Daemon>} empty, without persistence */
export async function startRedis() {
  const { RedisServer } = await bundled()
  const { server, pid } = await withPid(() => RedisServer.start())
  return { url: server.url, cpu: () => treeCpu(pid), close: () => server.close() }
}

/** @returns {Promise<Daemon>} empty, durable, without autovacuum */
export async function startPostgres() {
  const { PostgresServer } = await bundled()
  const { server, pid } = await withPid(() => PostgresServer.start(POSTGRES_SETTINGS))
  return { url: server.url(), cpu: () => treeCpu(pid), close: () => server.close() }
}

/** The process that was not there before. @param {() => Promise<any>} start */
async function withPid(start) {
  const before = new Set(childrenOf(process.pid))
  const server = await start()
  const [pid, ...others] = childrenOf(process.pid).filter((child) => !before.has(child))
  if (pid === undefined || others.length > 0)
    throw new Error('Servers are started one by one, to know their processes.')
  return { server, pid }
}

/** @typedef {{ pid: number, parent: number, own: number, waitedFor: number }} Process its CPU in ticks, and of those that it has buried */

/** @returns {Process[]} */
function processes() {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const text = readFileSync(`/proc/${name}/stat`, 'utf8')
      // The name of a program may hold anything; after the last bracket come its state and numbers.
      const fields = text
        .slice(text.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number)
      const [, parent = 0] = fields
      const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15)
      return [{ pid: Number(name), parent, own: user + system, waitedFor: childUser + childSystem }]
    } catch {
      return [] // it has just ended
    }
  })
}
/** @param {number} pid */
const childrenOf = (pid) =>
  processes()
    .filter(({ parent }) => parent === pid)
    .map((child) => child.pid)

/** @param {number} pid @returns {number} µs of a process and all that came from it, dead or alive */
function treeCpu(pid) {
  const all = processes()
  let ticks = all.find((one) => one.pid === pid)?.waitedFor ?? 0
  const tree = [pid]
  for (const one of tree) {
    ticks += all.find((other) => other.pid === one)?.own ?? 0
    tree.push(...all.filter(({ parent }) => parent === one).map((child) => child.pid))
  }
  return (ticks / TICKS_PER_SECOND) * 1e6
}
