// Connectors at two gateways on one Postgres, with hints over Redis and without any: they share, take over, and fence each other.
import { createEchoConnector } from '../../connectors/echo'
import { hostConnector } from '../../connectors/host'
import type { Parts } from '../../src/gateway'
import { GatewayError } from '../../src/model/errors'
import { openMemory } from '../../src/store/open-database'
import { carrier, texter, type Carrier } from '../support/carrier'
import { eventually } from '../support/eventually'
import { CONNECTOR_KEY, openGateway } from '../support/gateway'
import { DeafBus } from '../support/nodes'
import { connect, init, login, say, type Someone } from '../support/people'
import { newDatabase } from '../support/postgres'
import { gatewayProcess } from '../support/process'
import { RedisServer } from '../support/redis'

const CUSTOMERS = 12
let closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
})
async function closed<T>(open: Promise<T>, close: (opened: T) => unknown): Promise<T> {
  const opened = await open
  closing.push(() => close(opened))
  return opened
}

/** How two gateways hear each other. */
const HEARING: Readonly<Record<string, () => Promise<{ settings: Record<string, string>; parts: () => Parts }>>> = {
  'hear nothing of each other': async () => ({ settings: {}, parts: () => ({ bus: new DeafBus() }) }),
  'hear each other over Redis': async () => {
    const redis = await closed(RedisServer.start(), (server) => server.close())
    return { settings: { REDIS_URL: redis.url }, parts: () => ({}) }
  },
}
async function twoGateways(how: string) {
  const { settings, parts } = await HEARING[how]!()
  const { url } = await closed(newDatabase(), ({ drop }) => drop())
  const all = { ...settings, DATABASE_URL: url, DATABASE_POOL: '4', BUS_SWEEP: '1' }
  // One after another: the second finds the supervisor that the first has made.
  const one = await openGateway(all, parts())
  const other = await openGateway(all, parts())
  // Each lets its clients go little by little.
  closing.push(() => Promise.all([one.close(), other.close()]))
  return [one.url, other.url] as const
}
const connectorAt = (url: string, instance: string) =>
  closed(carrier(url, { register: { instance } }), (one) => one.close())

/** An agent who sits with customers of a channel, and says one thing after another to all of them. */
async function town(url: string, started: (refId: string) => Promise<{ conversationId: string }>) {
  const bo = await closed(connect(url, { auth: { token: await login(url) } }), (someone) => someone.close())
  const refIds = Array.from({ length: CUSTOMERS }, (_, i) => `+${i}`)
  const ids = await Promise.all(refIds.map(async (refId) => (await started(refId)).conversationId))
  for (const conversationId of ids) await bo.call('joinConversation', { conversationId })
  let said = 0
  const sayToAll = async (): Promise<string> => {
    const text = `${(said += 1)}`
    for (const conversationId of ids)
      expect(await bo.call('sendMessage', say(conversationId, text))).toMatchObject({ code: 200 })
    return text
  }
  return { bo, refIds, ids, sayToAll }
}
const recipients = ({ deliveries }: Carrier, text: string) =>
  deliveries.filter((delivery) => delivery['text'] === text).map(({ refId }) => String(refId))

describe.each(Object.keys(HEARING))('two gateways that %s', (how) => {
  it('let two instances share by recipient, and one take over, in order, when the other goes', async () => {
    const [here, there] = await twoGateways(how)
    const [a, b] = [await connectorAt(here, 'a'), await connectorAt(there, 'b')]
    const { refIds, sayToAll } = await town(here, (refId) => texter(here, refId))
    const round = async () => {
      const text = await sayToAll()
      await eventually(() => recipients(a, text).length + recipients(b, text).length === CUSTOMERS)
      return [recipients(a, text).toSorted(), recipients(b, text).toSorted()]
    }
    // Each finds out within a moment that the other is there.
    let [before, divided] = [await round(), await round()]
    await eventually(async () => {
      ;[before, divided] = [divided, await round()]
      expect(divided).toEqual(before)
      for (const share of divided) expect(share.length).toBeGreaterThan(0)
    }, 20_000)
    for (let i = 0; i < 3; i += 1) expect(await round()).toEqual(divided)

    a.close()
    const [third, fourth] = [await sayToAll(), await sayToAll()]
    for (const text of [third, fourth])
      await eventually(() => expect(recipients(b, text).toSorted()).toEqual(refIds.toSorted()), 20_000)
    for (const refId of refIds) {
      const texts = b.deliveries.filter((delivery) => delivery['refId'] === refId).map(({ text }) => Number(text))
      expect(texts).toEqual([...new Set(texts)].toSorted((x, y) => x - y))
    }
  })

  it('let the newer of two with one name fence the older at the other: error 409, and disconnected for good', async () => {
    const [here, there] = await twoGateways(how)
    const older = await connectorAt(here, 'a')
    const reason = new Promise((resolve) => older.socket.once('disconnect', resolve))
    const newer = await connectorAt(there, 'a')
    expect(await reason).toBe('io server disconnect')
    expect(older.heard.at(-1)).toMatchObject({ event: 'error', body: { code: 409, error: { code: 'conflict' } } })
    const { refIds, sayToAll } = await town(there, (refId) => texter(there, refId))
    const text = await sayToAll()
    await eventually(() => expect(recipients(newer, text).toSorted()).toEqual(refIds.toSorted()))
    expect([newer.socket.connected, older.deliveries]).toEqual([true, []])
  })

  it('serve a connector that runs at both of them under two names, and at one when the other is stopped', async () => {
    const [here, there] = await twoGateways(how)
    const host = (url: string, instance: string) =>
      closed(hostConnector({ url, key: CONNECTOR_KEY.echo, connector: createEchoConnector(), instance }), (one) =>
        one.close(),
      )
    const first = await host(here, 'a')
    await host(there, 'b')
    const { bo, sayToAll } = await town(here, (refId) => init(here, { channel: 'echo', refId }, CONNECTOR_KEY.echo))
    const echoes = (someone: Someone, text: string) =>
      someone.arrived().filter((body) => body['text'] === `echo: ${text}`)
    const text = await sayToAll()
    await eventually(() => expect(echoes(bo, text)).toHaveLength(CUSTOMERS), 20_000)
    await first.close()
    const next = await sayToAll()
    await eventually(() => expect(echoes(bo, next)).toHaveLength(CUSTOMERS), 20_000)
  })
})

it('a gateway that is killed leaves its recipients to the other, and what it had in hand, under the same ids and in order', async () => {
  const { url } = await closed(newDatabase(), ({ drop }) => drop())
  const settings = { DATABASE_URL: url, DATABASE_POOL: '4', BUS_SWEEP: '1', DELIVERY_LEASE: '3' }
  const here = await closed(openGateway(settings, { bus: new DeafBus() }), (gateway) => gateway.close())
  const there = await gatewayProcess(here.dataDir, settings)
  closing.push(() => there.end())
  await there.start()
  const a = await connectorAt(here.url, 'a')
  const silent = { register: { instance: 'b' }, answer: () => undefined }
  const b = await closed(carrier(there.url, silent), (one) => one.close())
  const { sayToAll } = await town(there.url, (refId) => texter(there.url, refId))
  await sayToAll()
  await eventually(() => a.deliveries.length + b.deliveries.length >= CUSTOMERS)
  await there.end('SIGKILL')
  const inHand = b.deliveries.map(({ refId, deliveryId }) => ({ refId, deliveryId }))
  expect(inHand.length).toBeGreaterThan(0)

  const { refIds, sayToAll: sayHere } = await town(here.url, (refId) => texter(here.url, refId))
  await sayHere()
  const brought = (refId: unknown) => a.deliveries.filter((delivery) => delivery['refId'] === refId)
  for (const refId of refIds) await eventually(() => expect(brought(refId)).toHaveLength(2), 30_000)
  for (const { refId, deliveryId } of inHand) expect(brought(refId)[0]).toMatchObject({ deliveryId })
})

it('a gateway that was stopped for a while finds that its place is taken, and sends its connector away', async () => {
  const { url } = await closed(newDatabase(), ({ drop }) => drop())
  const settings = { DATABASE_URL: url, DATABASE_POOL: '4', BUS_SWEEP: '1' }
  const here = await closed(openGateway(settings, { bus: new DeafBus() }), (gateway) => gateway.close())
  const there = await gatewayProcess(here.dataDir, settings)
  closing.push(() => there.end())
  await there.start()
  const older = await connectorAt(there.url, 'a')
  const reason = new Promise((resolve) => older.socket.once('disconnect', resolve))
  there.signal('SIGSTOP')
  const newer = await connectorAt(here.url, 'a')
  const { refIds, sayToAll } = await town(here.url, (refId) => texter(here.url, refId))
  const text = await sayToAll()
  await eventually(() => expect(recipients(newer, text).toSorted()).toEqual(refIds.toSorted()))
  there.signal('SIGCONT')
  expect(await reason).toBe('io server disconnect')
  expect(older.heard.at(-1)).toMatchObject({ event: 'error', body: { code: 409 } })
  await sayToAll()
  await eventually(() => expect(newer.deliveries).toHaveLength(2 * CUSTOMERS))
  expect(older.deliveries).toEqual([])
})

it('a registration is refused for now while the store does not answer, and goes through when it does', async () => {
  const database = await openMemory()
  const register = database.carriers.register.bind(database.carriers)
  const away = async () =>
    Promise.reject(new GatewayError('unavailable', 'The store does not answer.', { retryAfter: 1 }))
  database.carriers.register = away
  const { url } = await closed(openGateway({}, { database }), (gateway) => gateway.close())
  const sms = await closed(connect(url, { auth: { token: CONNECTOR_KEY.sms } }), (one) => one.close())
  const wish = { id: 'sms', acknowledges: true }
  expect(await sms.call('registerConnector', wish)).toMatchObject({ code: 503, error: { retryable: true } })
  database.carriers.register = register
  expect(await sms.call('registerConnector', wish)).toMatchObject({ code: 200 })
})
