// Two nodes over Redis and one store: whatever happens to Redis, every follower on both hears the whole log, once and in order.
import type { RedisBus } from '../../src/bus/redis-bus'
import { Conversations } from '../../src/conversation/conversations'
import { Hub } from '../../src/conversation/hub'
import { Outbox, type Answer } from '../../src/conversation/outbox'
import { Suppression } from '../../src/conversation/suppression'
import type { ConversationId } from '../../src/model/ids'
import { RedisNodes } from '../support/buses'
import { openTestMemory, type TestDatabase } from '../support/databases'
import { eventually } from '../support/eventually'
import { Ears, range } from '../support/followers'
import { addressOf, deliver, open, said, tenant, whispered, write } from '../support/log-fixtures'
import { RedisServer } from '../support/redis'

describe('two nodes over Redis', () => {
  let under: TestDatabase
  let server: RedisServer
  let nodes: RedisNodes
  let buses: readonly [RedisBus, RedisBus]
  let hubs: readonly Hub[] = []
  const startHubs = (sweepMs: number) => {
    hubs = buses.map((bus) => new Hub({ store: under.database.conversations, bus, sweepMs }))
    return hubs
  }
  beforeEach(async () => {
    under = await openTestMemory()
    server = await RedisServer.start()
    nodes = new RedisNodes(server.url)
    buses = [await nodes.open(), await nodes.open()]
  })
  afterEach(async () => {
    for (const hub of hubs) hub.close()
    await nodes.close()
    await server.close()
    await under.close()
  })
  const store = () => under.database.conversations
  /** Each commit is of one node or the other. */
  const publishInTurn = () => {
    let turn = 0
    store().onCommitted((events, _writes, bodies) => buses[turn++ % 2]!.publish(events, bodies))
  }
  async function followEverywhere(
    ids: readonly ConversationId[],
  ): Promise<readonly (readonly [ConversationId, Ears])[]> {
    const all = hubs.flatMap((hub) =>
      ids.flatMap((id) => {
        const pair = [new Ears('staff'), new Ears('public')] as const
        return pair.map((ears) => ({ id, ears, caughtUp: ears.follow(hub, id).caughtUp }))
      }),
    )
    await Promise.all(all.map(({ caughtUp }) => caughtUp))
    return all.map(({ id, ears }) => [id, ears] as const)
  }
  async function expectWhole(followers: readonly (readonly [ConversationId, Ears])[]): Promise<void> {
    for (const [id, ears] of followers) {
      const { position, publicPosition } = (await store().find(tenant, id))!
      const last = ears.audience === 'staff' ? position : publicPosition
      await eventually(() => ears.last === last)
      expect(ears.counts).toEqual(range(1, last))
    }
  }

  const faults: Readonly<Record<string, { begin: () => Promise<unknown>; end: () => Promise<unknown> }>> = {
    'killed and started again': { begin: () => server.signal('SIGKILL'), end: () => server.start() },
    emptied: { begin: () => server.admin.flushall(), end: () => server.admin.flushall() },
    'stopped for a while': { begin: () => server.signal('SIGSTOP'), end: () => server.signal('SIGCONT') },
    'left by every client': {
      begin: () => server.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub'),
      end: () => server.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
    },
  }
  it.each(Object.keys(faults))('lose nothing of 2 000 messages while Redis is %s', async (fault) => {
    publishInTurn()
    startHubs(0)
    const ids = await Promise.all(range(1, 10).map((n) => open(store(), `+${n}`)))
    const followers = await followEverywhere(ids)
    for (let round = 0; round < 100; round++) {
      if (round === 30) await faults[fault]?.begin()
      if (round === 60) await faults[fault]?.end()
      await Promise.all(
        range(1, 20).map((n) => write(store(), ids[n % 10]!, n % 4 === 0 ? whispered(`${n}`) : said(`${n}`))),
      )
      await new Promise(setImmediate)
    }
    await expectWhole(followers)
  })
  it('find the last word of a quiet conversation whose hint got lost', async () => {
    startHubs(200)
    const id = await open(store(), '+1')
    const followers = await followEverywhere([id])
    await write(store(), id, said('unheard'))
    await expectWhole(followers)
  })
  it('lose nothing of what is written while somebody joins on the other node', async () => {
    publishInTurn()
    startHubs(0)
    const id = await open(store(), '+1')
    const early = await followEverywhere([id])
    const storm = (async () => {
      for (let i = 0; i < 300; i++) await write(store(), id, said(`${i}`))
    })()
    const late: (readonly [ConversationId, Ears])[] = []
    for (let i = 0; i < 20; i++) {
      const ears = new Ears('staff')
      await ears.follow(hubs[i % 2]!, id).caughtUp
      late.push([id, ears])
    }
    await storm
    await expectWhole([...early, ...late])
  })
  it('bring a delivery to the node that has the connector, from the one that has not', async () => {
    const [here, there] = buses
    const suppression = new Suppression({ optOut: [], optIn: [] })
    const conversations = new Conversations({ store: store(), bus: here, suppression, now: under.clock.now })
    const { deliveries } = under.database
    const outbox = new Outbox({ conversations, deliveries, bus: there, now: under.clock.now })
    const carried: string[] = []
    const carry = async ({ id }: { id: string }): Promise<Answer> => {
      carried.push(id)
      return { type: 'accepted', providerIds: [] }
    }
    outbox.register({ tenant, channel: 'sms', account: '', acknowledges: true, carry })
    for (let i = 0; i < 20; i++) {
      const refId = `+${i}`
      const { id } = await deliver(store(), await open(store(), refId), { refId, to: addressOf(refId) })
      await eventually(() => carried.includes(id))
    }
    await outbox.close()
    expect(new Set(carried).size).toBe(20)
  })
})
