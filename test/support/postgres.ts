// A real Postgres server for tests: the one that DATABASE_URL names, or one of our own on the loopback, kept in a temporary folder.
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chown, cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { foundOrInstalled } from './debian'
import { eventually } from './eventually'
import { fixedPort } from './process'

const run = promisify(execFile)
const DEBIAN = '/usr/lib/postgresql'
const USER = 'postgres'
const isRoot = process.getuid?.() === 0
/** Small, and as durable as a real one. */
const SETTINGS = {
  fsync: 'on',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '16MB',
  max_connections: '60',
  max_wal_size: '64MB',
  autovacuum: 'off',
  log_min_messages: 'fatal',
  log_min_error_statement: 'panic',
}

/** The folder with `initdb` and `postgres`. */
function programs(): string {
  const need = 'Tests of the Postgres store need Postgres 15 or newer: install it, or set DATABASE_URL.'
  return foundOrInstalled(installed, 'postgresql', need)
}
function installed(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...versions.map((v) => join(DEBIAN, v, 'bin'))]
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))))
}
/** Postgres refuses to run as root. */
function asUser(): { uid?: number; gid?: number } {
  if (!isRoot) return {}
  const id = (flag: string) => Number(execFileSync('id', [flag, USER]).toString())
  return { uid: id('-u'), gid: id('-g') }
}

/** One initialised folder for all tests of a run on this machine: to copy it is quicker than to make another. */
async function copyOfTemplate(bin: string, to: string): Promise<void> {
  const { uid, gid } = asUser()
  const version = (await run(join(bin, 'postgres'), ['--version'])).stdout.replace(/\W+/g, '-')
  const template = join(tmpdir(), `fairlead-template-${version}${process.getuid?.() ?? 0}`)
  if (!existsSync(template)) {
    const fresh = await mkdtemp(join(tmpdir(), 'fairlead-init-'))
    if (uid !== undefined && gid !== undefined) await chown(fresh, uid, gid)
    const options = ['--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync', `--username=${USER}`]
    await run(join(bin, 'initdb'), [...options, '-D', fresh], { ...asUser(), cwd: tmpdir() })
    // Whoever was faster has made the same.
    await rename(fresh, template).catch(() => rm(fresh, { recursive: true }))
  }
  await cp(template, to, { recursive: true, preserveTimestamps: true })
  if (uid !== undefined && gid !== undefined) await run('chown', ['-R', `${uid}:${gid}`, to])
}

/** A server that the test may stop, kill and start again. */
export class PostgresServer {
  #child: ChildProcess | null = null

  private constructor(
    private readonly bin: string,
    private readonly folder: string,
    private readonly port: number,
  ) {}

  static async start(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
    const bin = programs()
    const folder = await mkdtemp(join(tmpdir(), 'fairlead-postgres-'))
    const { uid, gid } = asUser()
    if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid)
    await mkdir(join(folder, 'data'), { mode: 0o700 })
    await copyOfTemplate(bin, join(folder, 'data'))
    const server = new PostgresServer(bin, folder, await fixedPort())
    await server.up(settings)
    return server
  }

  /** Of its first database, or of another one. */
  url(database = 'postgres'): string {
    return `postgres://${USER}@127.0.0.1:${this.port}/${database}`
  }

  async up(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const all = Object.entries({ ...SETTINGS, port: String(this.port), ...settings })
    const options = all.flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const data = join(this.folder, 'data')
    this.#child = spawn(join(this.bin, 'postgres'), ['-D', data, ...options], {
      ...asUser(),
      cwd: this.folder,
      stdio: 'ignore',
    })
    await eventually(() => ask(this.url(), 'select 1'), 20_000)
  }
  /** To the whole server: SIGSTOP stops its connections, not only who accepts them. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#signalAll(signal)
  }
  /** A server that is killed takes its connections with it, as when the machine goes. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    if (signal === 'SIGKILL') this.#signalAll(signal)
    else child.kill(signal)
    await gone
  }
  #signalAll(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child ?? {}
    if (pid === undefined || exitCode !== null || signalCode !== null) return
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
    for (const one of [pid, ...children.map(Number)])
      try {
        process.kill(one, signal)
      } catch {
        // A connection that ended meanwhile.
      }
  }
  /** At once, and its folder with it. */
  async close(): Promise<void> {
    this.signal('SIGCONT')
    await this.kill('SIGQUIT')
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** One statement on a connection of its own. */
export async function ask<R extends object>(url: string, text: string): Promise<R[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return (await client.query<R>(text)).rows
  } finally {
    await client.end().catch(() => undefined)
  }
}

let server: PostgresServer | null = null
afterAll(async () => {
  await server?.close()
  server = null
})

/** A database of its own, on a server that the tests of one file share. */
export async function newDatabase(): Promise<{ readonly url: string; readonly drop: () => Promise<void> }> {
  const name = `fairlead_${randomBytes(6).toString('hex')}`
  const given = process.env['DATABASE_URL']
  const host = given?.startsWith('postgres') ? given : (server ??= await PostgresServer.start()).url()
  await ask(host, `create database ${name} encoding 'UTF8' template template0`)
  const url = new URL(host)
  url.pathname = `/${name}`
  const drop = async () => {
    await ask(host, `drop database if exists ${name} with (force)`)
  }
  return { url: url.href, drop }
}
