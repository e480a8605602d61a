// Three nodes that write, join and leave as they like: whoever still follows ends with the whole log, and without a sweep.
import fc from 'fast-check'
import { Hub } from '../../src/conversation/hub'
import type { ConversationId } from '../../src/model/ids'
import { RedisNodes } from '../support/buses'
import { openTestMemory } from '../support/databases'
import { eventually } from '../support/eventually'
import { Ears, range } from '../support/followers'
import { open, said, tenant, write } from '../support/log-fixtures'
import { RedisServer } from '../support/redis'

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), on: fc.nat(2), node: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('join' as const), on: fc.nat(2), node: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('leave' as const), which: fc.nat(99) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), turns: fc.nat(2) }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

describe('three nodes over Redis', () => {
  let servers: readonly RedisServer[] = []
  beforeAll(async () => {
    servers = [await RedisServer.start(), await RedisServer.start()]
  })
  afterAll(() => Promise.all(servers.map((server) => server.close())))

  async function play(steps: readonly Step[], instances: number): Promise<void> {
    const under = await openTestMemory()
    const store = under.database.conversations
    const nodes = new RedisNodes(...servers.slice(0, instances).map(({ url }) => url))
    const buses = [await nodes.open(), await nodes.open(), await nodes.open()]
    const hubs = buses.map((bus) => new Hub({ store, bus }))
    let writer = 0
    store.onCommitted((events, _writes, bodies) => buses[writer]?.publish(events, bodies))
    const ids = await Promise.all(range(1, 3).map((n) => open(store, `+${n}`)))
    const writing: Promise<unknown>[] = []
    const following: { id: ConversationId; ears: Ears; leave: () => void; caughtUp: Promise<void> }[] = []
    try {
      for (const one of steps)
        switch (one.do) {
          case 'write':
            writer = one.node
            writing.push(write(store, ids[one.on]!, said('x')))
            break
          case 'join': {
            const ears = new Ears('staff')
            const joined = ears.follow(hubs[one.node]!, ids[one.on]!)
            following.push({ id: ids[one.on]!, ears, caughtUp: joined.caughtUp, leave: () => joined.leave() })
            break
          }
          case 'leave':
            following.splice(one.which % Math.max(1, following.length), 1)[0]?.leave()
            break
          case 'wait':
            for (let i = 0; i < one.turns; i++) await new Promise(setImmediate)
        }
      await Promise.all([...writing, ...following.map(({ caughtUp }) => caughtUp)])
      for (const { id, ears } of following) {
        const { position } = (await store.find(tenant, id))!
        await eventually(() => ears.last === position, 5_000)
        expect(ears.counts).toEqual(range(1, position))
      }
      expect(nodes.faults).toEqual([])
    } finally {
      for (const hub of hubs) hub.close()
      await nodes.close()
      await under.close()
    }
  }

  it.each([1, 2])('on %d instance(s) leave nobody behind', async (instances) => {
    const steps = fc.array(step, { minLength: 250, maxLength: 300 })
    await fc.assert(
      fc.asyncProperty(steps, (taken) => play(taken, instances)),
      { numRuns: 40, endOnFailure: true },
    )
  })
})
