// After an erasure nothing of a customer is found in the files of a SQLite database, searched as bytes.
import BetterSqlite from 'better-sqlite3'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MemoryBus } from '../../src/bus/memory-bus'
import { Conversations } from '../../src/conversation/conversations'
import { Erasure } from '../../src/conversation/erasure'
import { GATEWAY } from '../../src/conversation/erasure-rules'
import { Retention } from '../../src/conversation/retention'
import { Suppression } from '../../src/conversation/suppression'
import type { Opening } from '../../src/model/conversation'
import { newDeliveryId, newId } from '../../src/model/new-id'
import type { Database } from '../../src/store/database'
import { openSqlite } from '../../src/store/open-database'
import { newFolder } from '../support/databases'
import { deliver, done, ended, note, open, openingAt, said, tenant, whispered, write } from '../support/log-fixtures'

const PHONE = '+4915199988877'
/** Words that stand nowhere else; one that JSON escapes, and one of letters that are two bytes each. */
const WORDS = {
  ...{ text: 'xylophon-text', quoted: 'xylo"phon\nquoted', wide: 'Ксилофон', whisper: 'xylophon-whisper' },
  ...{ first: 'Xaveria', last: 'Xylander', email: 'xaveria@xylophon.example', url: 'https://xylophon.example/page' },
  ...{ comment: 'xylophon-comment', extra: 'xylophon-extra', activity: 'xylophon-activity', file: 'xylophon.png' },
  ...{ reason: 'xylophon-reason', notified: 'xylophon-notified', request: 'xylophon-request' },
}
const needles = [PHONE, ...Object.values(WORDS)].flatMap((word) => {
  const escaped = JSON.stringify(word).slice(1, -1)
  const twice = JSON.stringify(escaped).slice(1, -1)
  const ascii = word.replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return [word, escaped, twice, ascii].map((text) => Buffer.from(text))
})

async function found(folder: string): Promise<string[]> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const files = names.map((entry) => join(entry.parentPath, entry.name))
  const hits: string[] = []
  for (const file of files) {
    const bytes = await readFile(file)
    for (const needle of needles) if (bytes.includes(needle)) hits.push(`${file}: ${needle.toString()}`)
  }
  return hits
}

describe('the files of a database', () => {
  let dataDir: string
  const opened: Database[] = []
  const buses: MemoryBus[] = []
  const openHere = async (): Promise<Database> => {
    const database = await openSqlite({ dataDir })
    opened.push(database)
    return database
  }
  beforeEach(async () => {
    dataDir = await newFolder()
  })
  afterEach(async () => {
    for (const database of opened.splice(0)) await database.close()
    for (const bus of buses.splice(0)) await bus.close()
    await rm(dataDir, { recursive: true })
  })
  const partsOf = ({ conversations: store, custody, erasures }: Database) => {
    const bus = new MemoryBus()
    buses.push(bus)
    const suppression = new Suppression({ optOut: [], optIn: [] })
    const retention = new Retention([])
    return {
      conversations: new Conversations({ store, bus, suppression }),
      erasure: new Erasure({ store, custody, erasures, bus, retention }),
    }
  }
  const address = { channel: 'sms', account: '+1000', refId: PHONE }
  const opening = (): Opening => {
    const { customer, ...rest } = openingAt(address, { at: new Date().toISOString() })
    const { first: firstName, last: lastName, email, url, comment, extra } = WORDS
    const name = `${firstName} ${lastName}`
    return {
      ...{ ...rest, url, comment, channelData: { extra }, subject: extra },
      customer: { ...customer, name, firstName, lastName, email, phone: PHONE },
    }
  }

  /** Everything that a customer can leave behind, in several conversations. */
  async function live(database: Database): Promise<void> {
    const { conversations: store, deliveries } = database
    const { conversations } = partsOf(database)
    for (let round = 0; round < 3; round++) {
      const requestId = `${WORDS.request}-${newId()}`
      const wish = { tenant, opening: opening(), digest: 'd', mayRepeat: () => true }
      const { conversationId: id } = await conversations.open({ ...wish, requestId })
      const attachments = [{ type: 'image/png', name: WORDS.file, contentUrl: `data:image/png,${WORDS.file}` }]
      const content = { text: WORDS.text, attachments, extras: { extra: WORDS.extra } }
      const externalMessageId = `wamid.${PHONE}.${newId()}`
      await conversations.receive({
        ...{ tenant, opening: opening(), externalMessageId, clientMessageId: null, digest: `d${round}`, content },
      })
      await write(store, id, said(WORDS.quoted), said(WORDS.wide), whispered(WORDS.whisper))
      await write(
        store,
        id,
        said(`${WORDS.text} ${'x'.repeat(20_000)} ${WORDS.wide}`),
        done(WORDS.activity, { a: PHONE }),
      )
      await deliver(store, id, { refId: PHONE, to: address, text: WORDS.text })
      await deliver(store, id, { refId: PHONE, to: address, text: WORDS.quoted })
      const [leased] = await deliveries.claim(tenant, { ...address, lease: 'l', limit: 1, leaseMs: 60_000 })
      const outcome = { state: 'dead', reason: WORDS.reason } as const
      await note(store, { kind: 'settle', deliveryId: leased!.id, lease: 'l', outcome })
      if (round < 2) await write(store, id, ended)
    }
    const notificationId = newId()
    const times = { createdAt: new Date().toISOString(), expiresAt: null }
    const notification = { id: notificationId, tenant, keyId: 'k', to: address, state: 'waiting', reason: '' } as const
    const delivery = {
      ...{ id: newDeliveryId(), to: address, conversationId: null, messageId: null, recipient: null },
      ...{ notificationId, body: JSON.stringify({ text: WORDS.notified }), expiresAt: null },
    }
    await note(
      store,
      { kind: 'notification', notification: { ...notification, ...times } },
      { kind: 'deliver', delivery },
    )
    await note(store, { kind: 'suppress', address: { channel: 'sms', account: '', refId: PHONE } })
  }
  /** Others, so many that lists are brought into their tables and pages are split. */
  async function crowd({ conversations: store }: Database, rounds: number): Promise<void> {
    const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => open(store, `+2${i}`)))
    for (let round = 0; round < rounds; round++)
      await Promise.all(ids.map((id) => write(store, id, ...Array.from({ length: 25 }, () => said('y'.repeat(300))))))
  }
  const who = { channel: 'sms', account: null, refId: PHONE }

  it('hold nothing of a customer who was erased, though the gateway runs on, and after it was started again', async () => {
    const database = await openHere()
    await live(database)
    await crowd(database, 5)
    await live(database)
    await crowd(database, 1)
    expect(await found(dataDir)).not.toEqual([])
    const receipt = await partsOf(database).erasure.eraseCustomer(tenant, who, GATEWAY)
    expect(receipt).toMatchObject({
      conversations: 5,
      notifications: 2,
      suppression: 'keptAsHash',
      storage: 'overwritten',
    })
    expect(await found(dataDir)).toEqual([])
    await crowd(database, 1)
    await database.close()
    expect(await found(dataDir)).toEqual([])
    const again = await openHere()
    expect(await again.custody.conversationsOf(tenant, who, '', 10)).toEqual([])
    expect(
      (await again.conversations.list(tenant, 'ended', '', 100)).map(({ opening }) => opening.customer.name),
    ).toEqual(Array.from({ length: 5 }, () => 'Erased'))
    expect(await found(dataDir)).toEqual([])
  })
  it('hold nothing of a single conversation that was erased and had all there was', async () => {
    const database = await openHere()
    await crowd(database, 5)
    const { conversations: store } = database
    const { conversations, erasure } = partsOf(database)
    const wish = { tenant, opening: opening(), digest: 'd', mayRepeat: () => true, requestId: WORDS.request }
    const { conversationId } = await conversations.open(wish)
    for (let i = 0; i < 40; i++)
      await write(store, conversationId, said(WORDS.text), said(WORDS.wide), said(WORDS.quoted))
    await deliver(store, conversationId, { refId: PHONE, to: address, text: WORDS.text })
    await crowd(database, 5)
    await erasure.eraseConversation({ tenant, conversationId }, GATEWAY)
    expect(await found(dataDir)).toEqual([])
  })
  it('say so when somebody else reads them at that moment, and are clean after the next time', async () => {
    const database = await openHere()
    await live(database)
    const reader = new BetterSqlite(join(dataDir, 'fairlead.db'), { readonly: true })
    reader.exec('begin')
    reader.prepare('select count(*) from event').get()
    const { erasure } = partsOf(database)
    expect(await erasure.eraseCustomer(tenant, who, GATEWAY)).toMatchObject({ storage: 'freed' })
    reader.exec('commit')
    reader.close()
    expect(await erasure.eraseCustomer(tenant, who, GATEWAY)).toMatchObject({
      conversations: 0,
      storage: 'overwritten',
    })
    expect(await found(dataDir)).toEqual([])
  })
  it('that an older program wrote are cleared of what it had deleted when they are opened for the first time', async () => {
    const file = join(dataDir, 'fairlead.db')
    await (await openHere()).close()
    const older = new BetterSqlite(file)
    older.exec('drop trigger custody_ended; drop table custody; drop table erasing; drop index once_by_conversation')
    older.exec('drop index notification_by_address; drop index delivery_of_notification')
    older.exec("delete from kysely_migration where name = '0012-custody'")
    older.pragma('secure_delete = OFF')
    const insert = older.prepare("insert into quota values ('default', ?, ?, 1)")
    for (let i = 0; i < 500; i++) insert.run('k', `${WORDS.text} ${i}`)
    older.exec("delete from quota where key_id = 'k'")
    older.close()
    expect(await found(dataDir)).not.toEqual([])
    const database = await openHere()
    await database.ready()
    await database.close()
    expect(await found(dataDir)).toEqual([])
  })
})
