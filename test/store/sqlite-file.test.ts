// What only a SQLite file can get wrong: durability on every open, other processes, locks, a thread that dies.
import BetterSqlite from 'better-sqlite3'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type * as WorkerThreads from 'node:worker_threads'
import type { Worker } from 'node:worker_threads'
import type { Database } from '../../src/store/database'
import { openSqlite } from '../../src/store/open-database'
import { SqliteThread } from '../../src/store/sqlite-thread'
import { newFolder } from '../support/databases'
import { addressOf, deliver, ended, look, note, open, said, sayOnce, tenant, write } from '../support/log-fixtures'

const mockStarted: Worker[] = []
jest.mock('node:worker_threads', () => {
  const real = jest.requireActual<typeof WorkerThreads>('node:worker_threads')
  class Watched extends real.Worker {
    constructor(...from: ConstructorParameters<typeof Worker>) {
      super(...from)
      mockStarted.push(this)
    }
  }
  return { ...real, Worker: Watched }
})

describe('a SQLite file', () => {
  let dataDir: string
  const opened: Database[] = []
  const openHere = async (): Promise<Database> => {
    const database = await openSqlite({ dataDir })
    opened.push(database)
    return database
  }
  const filesHere = () => ({ file: join(dataDir, 'fairlead.db'), guard: join(dataDir, 'fairlead.lock') })

  beforeEach(async () => {
    dataDir = await newFolder()
  })
  afterEach(async () => {
    for (const database of opened.splice(0)) await database.close()
    await rm(dataDir, { recursive: true })
  })

  it('is synchronised fully after it is opened, and after a WAL file is opened again', async () => {
    for (let time = 0; time < 2; time++) {
      const thread = new SqliteThread({ files: filesHere() })
      const pragma = async (name: string) =>
        (await thread.consult<'query'>({ do: 'query', sql: `pragma ${name}`, parameters: [] })).rows
      expect(await pragma('synchronous')).toEqual([{ synchronous: 2 }])
      expect(await pragma('journal_mode')).toEqual([{ journal_mode: 'wal' }])
      expect(await pragma('foreign_keys')).toEqual([{ foreign_keys: 1 }])
      expect(await pragma('busy_timeout')).toEqual([{ timeout: 250 }])
      await thread.close()
    }
  })

  it('keeps everything when it is closed and opened again', async () => {
    const first = await openHere()
    const id = await open(first.conversations, '+1')
    const over = await open(first.conversations, '+2')
    await write(first.conversations, over, ended)
    await sayOnce(first.conversations, id, { key: 'k' })
    const { id: deliveryId } = await deliver(first.conversations, id, { refId: '+1' })
    await note(first.conversations, { kind: 'suppress', address: addressOf('+9') })
    const conversation = await first.conversations.find(tenant, id)
    const events = await first.conversations.events(tenant, id, 0, 100)
    await first.close()

    const second = await openHere()
    expect(await second.conversations.find(tenant, id)).toEqual(conversation)
    expect(await second.conversations.events(tenant, id, 0, 100)).toEqual(events)
    expect((await look(second.conversations, { tenant, address: addressOf('+1') })).conversation!.id).toBe(id)
    expect((await look(second.conversations, { tenant, address: addressOf('+2') })).conversation).toBeNull()
    expect(await second.notifications.suppressed(tenant, 'sms', '', 10)).toEqual([addressOf('+9')])
    const asked = { channel: 'sms', account: '+1000', lease: 'l', limit: 10, leaseMs: 1_000 }
    expect(await second.deliveries.claim(tenant, asked)).toMatchObject([{ id: deliveryId }])
  })

  it('finds out at the commit that a key was written before it was opened again', async () => {
    const first = await openHere()
    const id = await open(first.conversations, '+1')
    await sayOnce(first.conversations, id, { key: 'k' })
    await first.close()

    const second = await openHere()
    await write(second.conversations, id, said('now the conversation is at hand, its keys are not'))
    const [repeat, fresh] = await Promise.all([
      sayOnce(second.conversations, id, { key: 'k' }),
      sayOnce(second.conversations, id, { key: 'k2' }),
    ])
    expect(repeat.view.event!.position).toBe(2)
    expect(repeat.events).toEqual([])
    expect(fresh.events).toMatchObject([{ position: 4 }])
  })

  it('asks a rule again on the truth before it refuses what was only assumed', async () => {
    const first = await openHere()
    const id = await open(first.conversations, '+1')
    await sayOnce(first.conversations, id, { key: 'k' })
    await first.close()

    const second = await openHere()
    await write(second.conversations, id, ended)
    const repeat = second.conversations.update(
      { tenant, conversationId: id, once: { scope: id, key: 'k' } },
      (view) => {
        if (!view.once && view.conversation!.status === 'ended') throw new Error('ended')
        return { events: [] }
      },
    )
    await expect(repeat).resolves.toMatchObject({ view: { event: { position: 2 } } })
  })

  it('is refused, with a sentence, while another gateway serves its folder', async () => {
    const first = await openHere()
    const refused = openSqlite({ dataDir })
    await expect(refused).rejects.toMatchObject({ code: 'conflict' })
    await expect(refused).rejects.toThrow(`Another gateway serves the data folder ${dataDir}`)
    await first.close()
    await expect(openHere()).resolves.toBeDefined()
  })

  it('is free again when the gateway that served it was killed', async () => {
    const script = 'require(process.argv[1]).openSqlite({ dataDir: process.argv[2] }).then(() => console.log("open"))'
    const built = join(__dirname, '../../dist/src/store/open-database.js')
    const gateway = spawn(process.execPath, ['-e', script, built, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(gateway.stdout, 'data')
    await expect(openSqlite({ dataDir })).rejects.toMatchObject({ code: 'conflict' })
    gateway.kill('SIGKILL')
    await once(gateway, 'exit')
    await expect(openHere()).resolves.toBeDefined()
  })

  it('says so when it cannot be opened, and leaves nothing behind', async () => {
    new BetterSqlite(join(dataDir, 'fairlead.db')).exec('create table conversation (id text)').close()
    await expect(openSqlite({ dataDir })).rejects.toMatchObject({ code: 'unavailable' })
    const inTheWay = new BetterSqlite(join(dataDir, 'fairlead.lock'), { timeout: 0 })
    expect(() => inTheWay.exec('begin exclusive')).not.toThrow()
    inTheWay.close()
  })

  it('refuses to write while somebody else holds it, and goes on afterwards', async () => {
    const database = await openHere()
    const id = await open(database.conversations, '+1')
    const other = new BetterSqlite(join(dataDir, 'fairlead.db'))
    other.exec('begin exclusive')
    await expect(write(database.conversations, id, said('lost'))).rejects.toMatchObject({
      code: 'unavailable',
      retryable: true,
    })
    await expect(database.ready()).rejects.toMatchObject({ code: 'unavailable' })
    const asked = { channel: 'sms', account: '+1000', lease: 'l', limit: 10, leaseMs: 1_000 }
    await expect(database.deliveries.claim(tenant, asked)).rejects.toMatchObject({ code: 'unavailable' })
    other.exec('rollback')
    other.close()
    await database.ready()
    expect((await write(database.conversations, id, said('kept'))).events).toMatchObject([{ position: 2 }])
  })

  it('refuses to write while it may not grow, and goes on afterwards', async () => {
    const thread = new SqliteThread({ files: filesHere() })
    const query = (sql: string, ...parameters: unknown[]) => thread.ask<'query'>({ do: 'query', sql, parameters })
    const insert = (bytes: number) =>
      query('insert into quota (tenant, key_id, day, used) values (?, ?, ?, 1)', tenant, 'x'.repeat(bytes), '')
    const pages = (await query('pragma page_count')).rows as { page_count: number }[]
    await query(`pragma max_page_count = ${pages[0]!.page_count}`)
    await expect(insert(1_000_000)).rejects.toMatchObject({ code: 'SQLITE_FULL', isEntry: false })
    await query('pragma max_page_count = 1000000')
    expect(await insert(1_000_000)).toMatchObject({ changes: 1 })
    await thread.close()
  })

  it('starts its thread again after that has died', async () => {
    const database = await openHere()
    const id = await open(database.conversations, '+1')
    const lost = database.conversations.events(tenant, id, 0, 10)
    await mockStarted.at(-1)!.terminate()
    await lost.catch(() => undefined)
    expect(await database.conversations.events(tenant, id, 0, 10)).toHaveLength(1)
    expect((await write(database.conversations, id, said('b'))).events).toMatchObject([{ position: 2 }])
  })

  it('answers nothing after it is closed', async () => {
    const database = await openHere()
    await database.close()
    await expect(database.ready()).rejects.toMatchObject({ code: 'unavailable' })
    await expect(database.accounts.listAccounts(tenant)).rejects.toMatchObject({ code: 'unavailable' })
    await database.close()
  })

  it('looks every hot row up in an index', async () => {
    await (await openHere()).close()
    const file = new BetterSqlite(join(dataDir, 'fairlead.db'), { readonly: true })
    const plan = (sql: string) =>
      (file.prepare(`explain query plan ${sql}`).all() as { detail: string }[]).map(({ detail }) => detail).join('; ')
    const lane = "tenant = '' and channel = '' and account = ''"
    const queries = {
      due: `select * from delivery where ${lane} and state in ('due', 'leased') and state = 'due' and due_at <= ''
            order by due_at, seq limit 1`,
      channel: `select * from delivery where tenant = '' and channel = '' and state in ('due', 'leased') and state = 'due'
            and due_at <= '' order by due_at, seq limit 1`,
      next: `select seq from delivery where ${lane} and ref_id = '' and state in ('waiting', 'due', 'leased')
             and state = 'waiting' order by seq limit 1`,
      release: "update delivery set lease = '' where tenant = '' and lease = 'l' and state = 'leased'",
      dead: "select * from delivery where tenant = '' and state = 'dead' and seq > 4 order by seq limit 5",
      message: "select * from delivery where tenant = '' and message_id = '' and channel = '' and account = ''",
      idle: "select * from conversation where tenant = '' and status = 'open' and active_at < '' order by active_at",
      list: "select * from conversation where tenant = '' and status = 'open' and id > '' order by id",
      public:
        "select body from event where tenant = '' and conversation_id = '' and position > 1 and public_position > 1 order by position",
    }
    const plans = Object.entries(queries).map(([name, sql]) => [name, plan(sql)])
    file.close()
    for (const [name, how] of plans) expect(`${name}: ${how}`).toMatch(/SEARCH .* USING (INDEX|COVERING INDEX)/)
    for (const [name, how] of plans) expect(`${name}: ${how}`).not.toMatch(/SCAN|TEMP B-TREE/)
  })
})
