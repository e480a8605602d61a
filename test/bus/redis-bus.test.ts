// How nodes speak over Redis: to whom, how often, and in what words.
import { REDIS_COMMANDS } from '../../src/bus/redis-commands'
import { BusEars, RedisNodes } from '../support/buses'
import { eventually } from '../support/eventually'
import { said, tenant } from '../support/log-fixtures'
import { logOf } from '../support/picture'
import { RedisServer } from '../support/redis'

let server: RedisServer
let nodes: RedisNodes
beforeAll(async () => {
  server = await RedisServer.start()
})
afterAll(() => server.close())
beforeEach(() => {
  nodes = new RedisNodes(server.url)
})
afterEach(() => nodes.close())

function log(count: number) {
  const { conversation, events } = logOf(Array.from({ length: count }, (_, i) => said(`${i}`)))
  return { place: { tenant, conversationId: conversation.id }, events }
}
const topicOf = (key: string) => key.slice(`${nodes.prefix}followers:`.length)
/** How often each command was called since the last reset. */
async function calls(): Promise<Map<string, number>> {
  const lines = (await server.admin.info('commandstats')).matchAll(/^cmdstat_([\w|]+):calls=(\d+)/gm)
  return new Map([...lines].map(([, name = '', count]) => [name, Number(count)]))
}
const membersOf = async (place: { conversationId: string }): Promise<string[]> => {
  const keys = await server.admin.keys(`${nodes.prefix}followers:*:${place.conversationId}`)
  return keys[0] === undefined ? [] : server.admin.smembers(keys[0])
}

describe('nodes over Redis', () => {
  it('say all of a tick to one node in one publish, and nothing to those who follow nothing', async () => {
    const [one, two, three] = [await nodes.open(), await nodes.open(), await nodes.open()]
    const ears = new BusEars(two)
    const logs = Array.from({ length: 20 }, () => log(5))
    for (const { place } of logs) await two.join(place)
    await Promise.all(logs.map(({ place }) => one.join(place)))
    one.publish([logs[0]!.events[0]!])
    await eventually(() => ears.events.length === 1)
    await server.admin.config('RESETSTAT')
    for (const { events } of logs) for (const event of events) one.publish([event])
    await eventually(() => ears.events.length === 101)
    expect((await calls()).get('publish')).toBe(1)
    expect(one.figures).toMatchObject({ dropped: 0 })
    expect(three.figures.received).toBe(0)
  })
  /** One says the first event of a conversation, the other has heard it; the rest is to be said turn by turn. */
  async function speaking(count: number) {
    const [one, two] = [await nodes.open(), await nodes.open()]
    const ears = new BusEars(two)
    const { place, events } = log(count)
    await two.join(place)
    await one.join(place)
    one.publish([events[0]!])
    await eventually(() => ears.events.length === 1)
    await server.admin.config('RESETSTAT')
    const sayTheRest = async () => {
      for (const event of events.slice(1)) {
        one.publish([event])
        await new Promise(setImmediate)
      }
    }
    const allHeard = async () => {
      await eventually(() => ears.events.length === count)
      expect(ears.events.map(({ position }) => position)).toEqual(events.map(({ position }) => position))
    }
    return { sayTheRest, allHeard }
  }
  it('gather what is said while Redis has not answered for what went before', async () => {
    const { sayTheRest, allHeard } = await speaking(20)
    await server.signal('SIGSTOP')
    await sayTheRest()
    await server.signal('SIGCONT')
    await allHeard()
    expect((await calls()).get('publish')).toBe(2)
  })
  it('gather what is said within a moment of what went before, and bring it all in its order', async () => {
    const { sayTheRest, allHeard } = await speaking(2_000)
    const began = performance.now()
    await sayTheRest()
    await allHeard()
    // One at once, one for each millisecond at most, and the last ones.
    expect((await calls()).get('publish')).toBeLessThanOrEqual(Math.ceil(performance.now() - began) + 2)
  })
  it('enter the directory with the first join, and leave it with the leaving', async () => {
    const [one, two] = [await nodes.open(), await nodes.open()]
    const { place } = log(0)
    await Promise.all([one.join(place), two.join(place)])
    expect((await membersOf(place)).sort()).toEqual([one.node, two.node].sort())
    one.leave(place)
    await eventually(async () => (await membersOf(place)).join() === two.node)
    two.leave(place)
    await eventually(async () => (await membersOf(place)).length === 0)
  })
  it('tell who follows no longer nothing more', async () => {
    const [one, two] = [await nodes.open(), await nodes.open()]
    const ears = new BusEars(two)
    const { place, events } = log(1)
    await two.join(place)
    await one.join(place)
    one.publish([events[0]!])
    await eventually(() => ears.events.length === 1)
    two.leave(place)
    await eventually(async () => {
      const { published } = one.figures
      one.publish([events[0]!])
      await new Promise(setImmediate)
      return one.figures.published === published
    })
  })
  it('answer who joins with how far the log came, those that follow and those that have left', async () => {
    const one = await nodes.open()
    const { place, events } = log(3)
    const topic = `conversation:${tenant}:${place.conversationId}`
    const joiner = server.admin.duplicate()
    const heard: string[] = []
    joiner.on('message', (_channel: string, text: string) => heard.push(text))
    await joiner.subscribe(`${nodes.prefix}inbox:x`)
    const join = () =>
      server.admin.publish(
        `${nodes.prefix}inbox:${one.node}`,
        JSON.stringify({ v: 1, from: 'x', changes: [['+', topic, 0]] }),
      )
    await one.join(place)
    one.publish(events)
    await join()
    await eventually(() => heard.some((text) => text.includes(`["=","${topic}",3]`)))
    one.leave(place)
    await eventually(() => heard.some((text) => text.includes(`["-","${topic}",3]`)))
    heard.length = 0
    await join()
    await eventually(() => heard.some((text) => text.includes(`["-","${topic}",3]`)))
    joiner.disconnect()
  })
  it('forget an entry that is out of date when its node says so', async () => {
    const [one, two] = [await nodes.open(), await nodes.open()]
    const { place, events } = log(2)
    await one.join(place)
    const [key = ''] = await server.admin.keys(`${nodes.prefix}followers:*`)
    await server.admin.sadd(key, two.node)
    one.leave(place)
    await eventually(async () => (await membersOf(place)).join() === two.node)
    one.publish([events[0]!])
    await eventually(async () => (await membersOf(place)).length === 0)
  })
  it('take a node out that died, wherever its name is met', async () => {
    const [one, two] = [await nodes.open(), await nodes.open()]
    const { place, events } = log(2)
    await one.join(place)
    const [key = ''] = await server.admin.keys(`${nodes.prefix}followers:*`)
    await server.admin.sadd(key, 'dead1', 'dead2')
    two.publish([events[0]!])
    await eventually(async () => (await membersOf(place)).join() === one.node)
    await server.admin.sadd(key, 'dead3')
    await two.join(place)
    await eventually(async () => (await membersOf(place)).sort().join() === [one.node, two.node].sort().join())
    expect((await server.admin.ttl(key)) > 0).toBe(true)
  })
  it('come back into the directory when they were taken out of it alive', async () => {
    const [one, two] = [await nodes.open(), await nodes.open()]
    const ears = new BusEars(two)
    const { place, events } = log(3)
    await two.join(place)
    const inbox = `${nodes.prefix}inbox:${two.node}`
    const [key = ''] = await server.admin.keys(`${nodes.prefix}followers:*`)
    await server.admin.srem(key, two.node)
    const { misses } = ears
    await server.admin.publish(inbox, JSON.stringify({ v: 1, from: 'x', changes: [['!', topicOf(key), 0]] }))
    await eventually(async () => (await membersOf(place)).join() === two.node)
    await eventually(() => ears.misses > misses)
    one.publish([events[0]!])
    await eventually(() => ears.events.length === 1)
  })
  it('count and drop what is none of theirs, and say that something was missed when it is of a newer format', async () => {
    const one = await nodes.open()
    const ears = new BusEars(one)
    const { misses } = ears
    const foreign = [
      ...['', 'hello', '{', '[]', 'null', '7', '{"v":"1","from":"x"}', '{"v":1}', '{"v":1,"from":""}'],
      Buffer.from([0xff, 0xfe, 0x00]),
    ]
    for (const text of foreign) await server.admin.publish(`${nodes.prefix}inbox:${one.node}`, text)
    await server.admin.publish(`${nodes.prefix}everybody:0`, 'hello')
    await eventually(() => one.figures.foreign === foreign.length + 1)
    expect(ears.misses).toBe(misses)
    await server.admin.publish(`${nodes.prefix}inbox:${one.node}`, '{"v":2,"from":"x","events":"other"}')
    await eventually(() => ears.misses === misses + 1)
    const odd =
      '{"v":1,"from":"x","events":[1,{}],"changes":[["?","t",0]],"notices":[{"kind":"?"}],"wakes":{},"more":1}'
    await server.admin.publish(`${nodes.prefix}inbox:${one.node}`, odd)
    await one.join({ channel: 'sms' })
    expect([ears.events, ears.notices, nodes.faults]).toEqual([[], [], []])
  })
  it('keep nodes apart that share an instance under other database numbers', async () => {
    const [one, other] = [await nodes.open(), await nodes.open({ urls: [`${server.url}/3`] })]
    const [ears, others] = [new BusEars(one), new BusEars(other)]
    const { place, events } = log(1)
    await Promise.all([one.join(place), other.join(place)])
    one.publish(events)
    one.announce({ kind: 'begun', ...place })
    const third = await nodes.open()
    third.publish(events)
    await eventually(() => ears.events.length === 2)
    expect([others.events, others.notices]).toEqual([[], []])
  })
  it('send commands of the list and no others, whatever they do', async () => {
    await server.admin.config('RESETSTAT')
    const [one, two] = [
      await nodes.open({ urls: [`${server.url}/1`] }),
      await nodes.open({ urls: [`${server.url}/1`] }),
    ]
    const { place, events } = log(3)
    await Promise.all([one.join(place), two.join(place), two.join({ channel: 'sms' })])
    const ears = new BusEars(two)
    one.publish(events)
    one.wake('sms', '')
    one.announce({ kind: 'changed', what: 'key', id: one.node })
    await eventually(() => ears.notices.length === 1)
    await server.admin.flushall()
    const { misses } = ears
    await eventually(() => ears.misses > misses)
    one.leave(place)
    await Promise.all([one.close(), two.close()])
    const used = [...(await calls()).keys()]
    const ours = used.filter((name) => !['info', 'config|resetstat', 'flushall'].includes(name))
    expect(ours.filter((name) => !REDIS_COMMANDS.includes(name))).toEqual([])
    expect(ours.sort()).toEqual(REDIS_COMMANDS.filter((name) => name !== 'auth').sort())
  })
})
