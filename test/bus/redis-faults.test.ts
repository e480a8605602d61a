// Redis dies, hangs, is emptied, full, read-only or out of reach: nodes say so, go on, and find each other again.
import type { RedisBus } from '../../src/bus/redis-bus'
import { BusEars, RedisNodes } from '../support/buses'
import { eventually } from '../support/eventually'
import { said, tenant } from '../support/log-fixtures'
import { logOf } from '../support/picture'
import { fixedPort } from '../support/process'
import { RedisServer } from '../support/redis'
import { FaultProxy } from '../support/fault-proxy'

function log(count: number, text = 'x') {
  const { conversation, events } = logOf(Array.from({ length: count }, () => said(text)))
  return { place: { tenant, conversationId: conversation.id }, events }
}
const isWell = (bus: RedisBus): boolean => bus.health().status === 'ok'
const sentenceOf = (bus: RedisBus): string => {
  const health = bus.health()
  return health.status === 'ok' ? '' : health.sentence
}

describe('nodes whose Redis', () => {
  let server: RedisServer
  let nodes: RedisNodes
  let one: RedisBus
  let two: RedisBus
  let ears: BusEars
  const { place, events } = log(50)
  beforeEach(async () => {
    server = await RedisServer.start()
    nodes = new RedisNodes(server.url)
    ;[one, two] = [await nodes.open(), await nodes.open()]
    ears = new BusEars(two)
    await two.join(place)
  })
  afterEach(async () => {
    await nodes.close()
    await server.close()
  })
  /** Until the other node hears again what this one publishes, without being asked to. */
  const heardAgain = () =>
    eventually(() => {
      const { length } = ears.events
      one.publish([events[0]!])
      return length > 0
    })

  it('is killed and comes back empty hear each other again, and are told that they missed something', async () => {
    await server.signal('SIGKILL')
    // Each of a node's two connections hears of it by itself.
    await eventually(() => sentenceOf(one) === 'Redis does not answer.' && !isWell(two))
    one.publish(events)
    one.announce({ kind: 'changed', what: 'key', id: one.node })
    const late = log(1)
    await two.join(late.place)
    const { misses } = ears
    await server.start()
    await eventually(() => isWell(one) && isWell(two) && ears.misses > misses)
    await heardAgain()
    await eventually(() => {
      one.publish(late.events)
      return ears.events.some(({ conversationId }) => conversationId === late.place.conversationId)
    })
    expect(one.figures.dropped).toBeGreaterThan(50)
  })
  it('is emptied enter all that they follow again, in pieces', async () => {
    const logs = Array.from({ length: 600 }, () => log(1))
    await Promise.all(logs.map(({ place }) => two.join(place)))
    await server.admin.flushall()
    await eventually(async () => (await server.admin.dbsize()) >= 603)
    await heardAgain()
    const { length } = ears.events
    for (const { events } of logs) one.publish(events)
    await eventually(() => ears.events.length >= length + 600)
  })
  it('hangs are not held up, hold little, and go on when it does', async () => {
    await one.join(place)
    await server.signal('SIGSTOP')
    const { dropped, bytes } = one.figures
    const joining = one.join(log(0).place)
    const large = log(10, 'x'.repeat(60_000)).events
    for (let i = 0; i < 60; i++) {
      one.publish(large.map((event) => ({ ...event, ...place }))) // to who is known to follow
      one.publish(large) // to whoever it may be
    }
    // 72 MB were to be said.
    expect(one.figures.dropped).toBeGreaterThan(dropped + 600)
    await joining
    await eventually(() => !isWell(one) && !isWell(two))
    expect(one.figures.bytes).toBeLessThan(bytes + 18_000_000)
    one.publish(events)
    const { misses } = ears
    await server.signal('SIGCONT')
    await eventually(() => isWell(one) && isWell(two) && ears.misses > misses)
    await heardAgain()
  })
  it('is full say so, and hear each other still', async () => {
    await server.admin.config('SET', 'maxmemory-policy', 'noeviction')
    await server.admin.config('SET', 'maxmemory', '1')
    await eventually(() => !isWell(one))
    expect(sentenceOf(one)).toBe('Redis takes no writes (OOM).')
    await heardAgain()
    const late = log(1)
    await two.join(late.place)
    const { misses } = ears
    await server.admin.config('SET', 'maxmemory', '0')
    await eventually(() => isWell(one) && isWell(two) && ears.misses > misses)
    await eventually(() => {
      one.publish(late.events)
      return ears.events.some(({ conversationId }) => conversationId === late.place.conversationId)
    })
  })
  it('is a replica that takes no writes say so', async () => {
    await server.admin.replicaof('127.0.0.1', await fixedPort())
    await eventually(() => !isWell(one))
    expect(sentenceOf(one)).toBe('Redis takes no writes (READONLY).')
    await server.admin.replicaof('NO', 'ONE')
    await eventually(() => isWell(one) && isWell(two))
    await heardAgain()
  })
  it('cuts off one of them tell that one only when it is subscribed again', async () => {
    const relay = await FaultProxy.start(server.url)
    const third = await nodes.open({ urls: [relay.url] })
    const deaf = new BusEars(third)
    await third.join(place)
    // Who is told to read again must hear from then on, or what comes between is missed.
    const hearers: Promise<number>[] = []
    third.subscribe({
      missed: () => void hearers.push(server.admin.publish(`${nodes.prefix}inbox:${third.node}`, 'anything')),
    })
    relay.cut()
    await eventually(() => hearers.length > 0)
    await eventually(() => isWell(third))
    expect(new Set(await Promise.all(hearers))).toEqual(new Set([1]))
    await eventually(() => {
      one.publish([events[0]!])
      return deaf.events.length > 0
    })
    await relay.close()
  })
  it('hears nothing of a node that dies take it out', async () => {
    const third = await nodes.open()
    await third.join(place)
    const others = () => server.admin.smembers(`${nodes.prefix}followers:conversation:default:${place.conversationId}`)
    await server.admin.sadd(`${nodes.prefix}followers:conversation:default:${place.conversationId}`, 'ghost')
    await third.close()
    await eventually(async () => {
      one.publish([events[0]!])
      return (await others()).join() === two.node
    })
  })
})

describe('a bus', () => {
  const open: { close(): Promise<void> }[] = []
  afterEach(async () => {
    for (const one of open.splice(0).reverse()) await one.close()
  })
  const nodesOn = (...urls: readonly string[]) => {
    const nodes = new RedisNodes(...urls)
    open.push(nodes)
    return nodes
  }
  const startServer = async (...settings: Parameters<typeof RedisServer.start>) => {
    const server = await RedisServer.start(...settings)
    open.push(server)
    return server
  }

  it('opens without Redis, degraded, and is well when it comes', async () => {
    const port = await fixedPort()
    const nodes = nodesOn(`redis://:hush@127.0.0.1:${port}`)
    const bus = await nodes.open()
    expect(sentenceOf(bus)).toBe('Redis does not answer.')
    await bus.join(log(0).place)
    bus.publish(log(3).events)
    expect(bus.figures).toMatchObject({ published: 0, dropped: 3 })
    expect(nodes.faults.map(String)).toEqual(['Error: Redis cannot be used by the bus: ECONNREFUSED'])
  })
  it('shows its password to Redis and to nobody else', async () => {
    const server = await startServer({ password: 'hush: a/b,c' })
    const wrong = nodesOn(server.url.replace('hush', 'hash'))
    const refused = await wrong.open()
    expect(isWell(refused)).toBe(false)
    const right = nodesOn(server.url)
    expect(isWell(await right.open())).toBe(true)
    expect(JSON.stringify(wrong.faults.map((fault) => [String(fault), fault]))).not.toMatch(/h[au]sh/)
    expect(wrong.faults.map(String)).toEqual(['Error: Redis cannot be used by the bus: WRONGPASS'])
  })
  it('on two instances goes on with the one that is left, and names neither', async () => {
    const servers = [await startServer(), await startServer()]
    const nodes = nodesOn(...servers.map(({ url }) => url))
    const buses = await Promise.all(Array.from({ length: 4 }, () => nodes.open()))
    const all = buses.map((bus) => new BusEars(bus))
    buses[0]!.announce({ kind: 'changed', what: 'key', id: 'n' })
    await eventually(() => all.every(({ notices }) => notices.length === 1))
    await servers[1]!.signal('SIGKILL')
    const sentence = 'Redis 2 of 2 does not answer.'
    await eventually(() => sentenceOf(buses[0]!) === sentence && buses.every((bus) => !isWell(bus)))
    await servers[1]!.start()
    await eventually(() => buses.every(isWell))
    buses[0]!.announce({ kind: 'changed', what: 'key', id: 'n' })
    await eventually(() => all.every(({ notices }) => notices.length === 2))
  })
})
