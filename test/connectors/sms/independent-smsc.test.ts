// The connector against an SMSC that is not ours: what another implementation of SMPP 3.4 makes of our packets, and we of its.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connector } from '../../../connectors/connector'
import { createSmsConnector } from '../../../connectors/sms/index'
import { outgoing, RecordingGateway } from '../../contracts/connector.contract'
import { eventually } from '../../support/eventually'
import { type Behaviour, type Smsc, startSmsc } from '../../support/smsc/smsc'

let smsc: Smsc
let gateway: RecordingGateway
let connectors: Connector[]
beforeEach(async () => {
  smsc = await startSmsc()
  gateway = new RecordingGateway()
  connectors = []
})
afterEach(async () => {
  await Promise.all(connectors.map((connector) => connector.close()))
  await smsc.stop()
})

async function open(settings: Record<string, string | number> = {}, journalDir?: string): Promise<Connector> {
  const connector = createSmsConnector({ url: smsc.url(settings), ...(journalDir ? { journalDir } : {}) })
  connectors.push(connector)
  await connector.start(gateway)
  return connector
}

const fromCustomer = { from: '+491701234567', to: '12345' }
const long = 'Hello [world] {and} €uro | back\\slash ~ '.repeat(12)

it.each([
  ['plain', 'Hello @_$'],
  ['with escapes, in parts', long],
  ['in another script, in parts', 'Привет, שלום 😀! '.repeat(14)],
])('it reads our texts: %s', async (_, text) => {
  const connector = await open()
  const { providerMessageIds } = await connector.deliver(outgoing({ text }))
  await eventually(() => expect(smsc.texts()).toEqual([{ from: '12345', to: '491701234567', text }]))
  expect(smsc.submitted().map(({ id }) => id)).toEqual(providerMessageIds)
})

it.each([
  ['plain', 'Hello @_$', false],
  ['with escapes, in parts that tear some', long, false],
  ['in parts, the last one first', 'Привет, שלום 😀! '.repeat(14), true],
])('we read its texts: %s', async (_, text, reverse) => {
  await open()
  await smsc.accepted(await smsc.deliverSms({ ...fromCustomer, text, reverse }))
  expect(gateway.received.map((message) => message.text)).toEqual([text])
})

const receipts: [string, Behaviour][] = [
  ['after the answer', {}],
  ['before the answer', { receipts: 'before' }],
  ['in decimal', { receiptIds: 'decimal' }],
  ['in decimal, before the answer', { receiptIds: 'decimal', receipts: 'before' }],
  ['in hex for decimal ids', { ids: 'decimal', receiptIds: 'hex' }],
  ['with parameters', { receiptIds: 'decimal', receiptTlv: true }],
]
it.each(receipts)('its receipts find their messages: %s', async (_, behaviour) => {
  await smsc.configure(behaviour)
  const connector = await open()
  const sent = await Promise.all([1, 2, 3].map((n) => connector.deliver(outgoing({ to: `+49170123456${n}` }))))
  await eventually(() => expect(smsc.receiptsAnswered()).toHaveLength(3))
  const ids = sent.flatMap(({ providerMessageIds }) => providerMessageIds)
  expect(gateway.reported.map(({ providerMessageId }) => providerMessageId).sort()).toEqual(ids.sort())
})

it('its failures are told with their reason', async () => {
  await smsc.configure({ state: 'EXPIRED', err: '001' })
  await (await open()).deliver(outgoing())
  await eventually(() => expect(gateway.reported).toMatchObject([{ state: 'failed', reason: 'EXPIRED 001' }]))
})

it('a message whose answer was lost with the link comes again and is one message', async () => {
  await smsc.configure({ loseAnswers: 1 })
  await open()
  await smsc.accepted(await smsc.deliverSms({ ...fromCustomer, text: 'ok' }))
  expect(smsc.events.filter(({ event }) => event === 'bound')).toHaveLength(2)
  expect(gateway.received).toHaveLength(1)
})

it('a part whose answer was lost with the link comes again and does no harm', async () => {
  await smsc.configure({ loseAnswers: 2 })
  await open()
  await smsc.accepted(await smsc.deliverSms({ ...fromCustomer, text: long }))
  expect(gateway.received.map(({ text }) => text)).toEqual([long])
})

it('what customers say while nobody is bound comes with the next bind', async () => {
  await open()
  smsc.drop()
  const numbers = await smsc.deliverSms({ ...fromCustomer, text: 'anybody there?' })
  await smsc.accepted(numbers)
  expect(gateway.received.map(({ text }) => text)).toEqual(['anybody there?'])
})

it('several connectors share one SMSC, and each message comes to one of them', async () => {
  await open()
  await open()
  await eventually(() => smsc.bound() === 2)
  const numbers = await Promise.all([1, 2, 3, 4].map((n) => smsc.deliverSms({ ...fromCustomer, text: `message ${n}` })))
  await smsc.accepted(numbers.flat())
  expect(gateway.received.map(({ text }) => text).sort()).toEqual([1, 2, 3, 4].map((n) => `message ${n}`))
})

it('enquire_link works both ways, and the last word is an unbind', async () => {
  const connector = await open({ enquire_link: 0.05 })
  smsc.enquire()
  await eventually(() =>
    expect(smsc.events.map(({ event }) => event)).toEqual(expect.arrayContaining(['alive', 'enquired'])),
  )
  await connector.close()
  await eventually(() => expect(smsc.events.map(({ event }) => event)).toContain('unbound'))
})

it('a restart loses no part and doubles no message', async () => {
  const journalDir = await mkdtemp(join(tmpdir(), 'sms-'))
  gateway.before = () => Promise.reject(new Error('no store'))
  const first = await open({}, journalDir)
  const numbers = await smsc.deliverSms({ ...fromCustomer, text: long })
  await eventually(() => expect(gateway.received.length).toBeGreaterThan(0))
  await first.close()
  gateway.before = () => Promise.resolve()
  await open({}, journalDir)
  await smsc.accepted(numbers)
  expect(new Set(gateway.received.map(({ externalMessageId }) => externalMessageId)).size).toBe(1)
  expect(gateway.received.at(-1)?.text).toBe(long)
  await rm(journalDir, { recursive: true })
})
