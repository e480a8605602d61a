// What only a Postgres server can get wrong: how it is set, that it is away, hangs, or comes back; and nodes that start together.
import type { Database } from '../../src/store/database'
import { openPostgres } from '../../src/store/open-database'
import { LOOK_UPS } from '../../src/store/pg-look-ups'
import { PgEngine } from '../../src/store/pg-engine'
import { PgPool } from '../../src/store/pg-pool'
import { eventually } from '../support/eventually'
import { addressOf, deliver, look, note, open, said, sayOnce, tenant, write } from '../support/log-fixtures'
import { ask, newDatabase, PostgresServer } from '../support/postgres'

describe('a Postgres database', () => {
  let url: string
  let drop: () => Promise<void>
  const opened: Database[] = []
  const openHere = async (): Promise<Database> => {
    const database = await openPostgres({ url, size: 4 })
    opened.push(database)
    return database
  }
  beforeEach(async () => {
    ;({ url, drop } = await newDatabase())
  })
  afterEach(async () => {
    for (const database of opened.splice(0)) await database.close()
    await drop()
  })

  it('is brought to the latest schema once by four nodes that start at the same moment', async () => {
    const nodes = await Promise.all([1, 2, 3, 4].map(openHere))
    const ids = await Promise.all(nodes.map(({ conversations }) => open(conversations, '+1')))
    expect(new Set(ids).size).toBe(1)
  })
  it('keeps everything when it is closed and opened again', async () => {
    const first = await openHere()
    const id = await open(first.conversations, '+1')
    await sayOnce(first.conversations, id, { key: 'k' })
    const { id: deliveryId } = await deliver(first.conversations, id, { refId: '+1' })
    const conversation = await first.conversations.find(tenant, id)
    await first.close()
    const second = await openHere()
    expect(await second.conversations.find(tenant, id)).toEqual(conversation)
    expect((await sayOnce(second.conversations, id, { key: 'k' })).view.event).toMatchObject({ position: 2 })
    const asked = { channel: 'sms', account: '+1000', lease: 'l', limit: 10, leaseMs: 1_000 }
    expect(await second.deliveries.claim(tenant, asked)).toMatchObject([{ id: deliveryId }])
  })
  it('is refused, with a sentence, when a newer version has changed it', async () => {
    await (await openHere()).close()
    await ask(url, "insert into kysely_migration (name, timestamp) values ('9999-later', '')")
    await expect(openHere()).rejects.toMatchObject({ code: 'conflict' })
    await expect(openHere()).rejects.toThrow('newer than this program')
  })
  it('is refused, with a sentence and without the password, when it is not there', async () => {
    const away = new URL(url)
    away.password = 'hush'
    away.port = '1'
    for (const address of [away.href, url.replace(/\w+$/, 'nowhere')]) {
      const refused = openPostgres({ url: address, size: 2 })
      await expect(refused).rejects.toMatchObject({ code: 'unavailable' })
      await expect(refused).rejects.toThrow('Check DATABASE_URL')
      await refused.catch((cause: unknown) => expect(String(cause)).not.toContain('hush'))
    }
  })
  it('acknowledges what is on its disk, whatever it was told to be content with', async () => {
    const name = new URL(url).pathname.slice(1)
    await ask(url, `alter database ${name} set synchronous_commit = off`)
    const pool = new PgPool({ url, size: 2 })
    const { rows } = await pool.use((session) => session.run('show synchronous_commit'))
    expect(rows).toEqual([{ synchronous_commit: 'on' }])
    await pool.close()
    await expect(openHere()).resolves.toBeDefined()
  })
  it('goes by its own clock where nobody replaces it', async () => {
    const { conversations, deliveries } = await openHere()
    const id = await open(conversations, '+1')
    await deliver(conversations, id, { refId: '+1' })
    await sayOnce(conversations, id, { key: 'gone', expiresAt: '2000-01-01T00:00:00.000Z' })
    expect((await sayOnce(conversations, id, { key: 'gone' })).view.once).toBeNull()
    const asked = { channel: 'sms', account: '+1000', lease: 'l', limit: 10, leaseMs: 60_000 }
    expect(await deliveries.claim(tenant, asked)).toHaveLength(1)
    const wait = await deliveries.nextDueIn(tenant, { channel: 'sms', account: '' })
    expect(wait).toBeGreaterThan(0)
    expect(wait).toBeLessThanOrEqual(60_000)
  })

  it('goes on while a newer version on another node adds columns', async () => {
    const { conversations, deliveries } = await openHere()
    const asked = { channel: 'sms', account: '+1000', lease: 'l', limit: 10, leaseMs: 1 }
    const all = async (refId: string) => {
      const id = await open(conversations, refId)
      const { id: deliveryId } = await deliver(conversations, id, { refId })
      await sayOnce(conversations, id, { key: refId })
      expect(await deliveries.claim(tenant, asked)).not.toEqual([])
      const once = { scope: id, key: refId }
      const view = await look(conversations, { tenant, conversationId: id, deliveryId, once, notificationId: 'n' })
      expect(view).toMatchObject({ conversation: { id }, delivery: { id: deliveryId }, once: { note: 'n' } })
    }
    await all('+1')
    for (const table of ['conversation', 'event', 'once', 'delivery', 'notification', 'receipt'])
      await ask(url, `alter table ${table} add column later text`)
    await all('+2')
  })
  it('gives up on a node that holds rows and says nothing: the others go on', async () => {
    const { conversations } = await openHere()
    const id = await open(conversations, '+1')
    const pool = new PgPool({ url, size: 2 })
    const held = await new PgEngine({ pool }).hold([{ tenant, conversationId: id }], [])
    if (held === 'conflict') throw new Error('Nobody else holds it')
    expect(held.loaded).toMatchObject([{ conversation: { id } }])
    expect((await write(conversations, id, said('a'))).events).toMatchObject([{ position: 2 }])
    await held.release()
    await pool.close()
  })
  it('fails a text alone that it cannot keep in an index, and writes its neighbours', async () => {
    const { conversations } = await openHere()
    const long = Array.from({ length: 4_000 }, (_, i) => String.fromCharCode(0x4e00 + ((i * 7919) % 20_000))).join('')
    const calls = ['+1', long, '+2'].map((refId) =>
      note(conversations, { kind: 'suppress', address: addressOf(refId) }),
    )
    const outcomes = await Promise.allSettled(calls)
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: { code: 'internal' } })
    expect((await look(conversations, { tenant, suppressed: addressOf('+2') })).suppressed).toBe(true)
  })
  it('looks every row up in an index, however young its tables are', async () => {
    await openHere()
    const pool = new PgPool({ url, size: 2 })
    const plans = await pool.use(async (session) => {
      const found: string[] = []
      for (const { statement } of Object.values(LOOK_UPS)) {
        const name = `"explained ${statement.name}"`
        const width = new Set(statement.text.match(/\$\d+/g)).size
        await session.run(`prepare ${name} as ${statement.text}`)
        const { rows } = await session.run(`explain execute ${name} (${Array(width).fill('null').join(', ')})`)
        found.push(`${statement.name}: ${rows.map((row) => String(row['QUERY PLAN'])).join('\n')}`)
      }
      return found
    })
    await pool.close()
    for (const plan of plans) expect(plan).toMatch(/Index (Only )?Scan|Bitmap Index Scan/)
    for (const plan of plans) expect(plan).not.toContain('Seq Scan')
  })
})

describe('a Postgres server', () => {
  it('is refused, with a sentence, when it would lose what it acknowledged', async () => {
    const server = await PostgresServer.start({ fsync: 'off' })
    try {
      await expect(openPostgres({ url: server.url(), size: 2 })).rejects.toThrow('Set fsync = on')
    } finally {
      await server.close()
    }
  })

  describe.each(['hangs', 'is killed'])('that %s', (how) => {
    let server: PostgresServer
    let database: Database
    beforeEach(async () => {
      server = await PostgresServer.start()
      database = await openPostgres({ url: server.url(), size: 4 })
    })
    afterEach(async () => {
      await database.close()
      await server.close()
    })
    const goAway = async () => (how === 'hangs' ? server.signal('SIGSTOP') : server.kill())
    const comeBack = async () => (how === 'hangs' ? server.signal('SIGCONT') : server.up())

    it('is a retryable refusal for everybody and no readiness, until it is back by itself', async () => {
      const { conversations, deliveries, accounts } = database
      const id = await open(conversations, '+1')
      await goAway()
      const asked = { channel: 'sms', account: '+1000', lease: 'l', limit: 10, leaseMs: 1_000 }
      const calls = await Promise.allSettled([
        write(conversations, id, said('lost')),
        open(conversations, '+2'),
        conversations.events(tenant, id, 0, 10),
        deliveries.claim(tenant, asked),
        accounts.listAccounts(tenant),
        database.ready(),
      ])
      const refused = { status: 'rejected', reason: { code: 'unavailable', retryable: true } }
      expect(calls).toMatchObject(calls.map(() => refused))
      await comeBack()
      await eventually(() => database.ready())
      expect((await write(conversations, id, said('kept'))).events).toHaveLength(1)
    })
    it('loses nothing that it acknowledged, and doubles nothing that is repeated', async () => {
      const { conversations } = database
      const ids = await Promise.all(Array.from({ length: 8 }, (_, i) => open(conversations, `+${i}`)))
      const acknowledged = new Map<string, string>()
      let isOver = false
      const send = async (id: (typeof ids)[number]) => {
        for (let i = 0; !isOver; i++)
          await eventually(async () => {
            const { view, events } = await sayOnce(conversations, id, { key: `${i}`, text: `${i}` })
            acknowledged.set(`${id} ${i}`, (view.event ?? events[0]!).id)
          }, 20_000)
      }
      const senders = ids.map(send)
      await eventually(() => acknowledged.size > 200)
      await goAway()
      await expect(database.ready()).rejects.toMatchObject({ code: 'unavailable' })
      await comeBack()
      const before = acknowledged.size
      await eventually(() => acknowledged.size > before + 200)
      isOver = true
      await Promise.all(senders)
      for (const id of ids) {
        const log = (await conversations.events(tenant, id, 1, 100_000)).flatMap((event) =>
          event.type === 'messageSent' ? [event] : [],
        )
        expect(log.map(({ content }) => content.text)).toEqual(log.map((_, i) => `${i}`))
        expect(log.map(({ id: event }) => event)).toEqual(log.map((_, i) => acknowledged.get(`${id} ${i}`)))
      }
    })
  })
})
