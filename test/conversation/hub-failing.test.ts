// Following a conversation whose store fails for a while: who cannot be served is told, and nobody is stuck.
import { Hub } from '../../src/conversation/hub'
import type { ConversationId } from '../../src/model/ids'
import { openTestMemory, type TestDatabase } from '../support/databases'
import { Ears, HeldBus, hindered, range } from '../support/followers'
import { open, said, write } from '../support/log-fixtures'

describe('a store that fails for a while', () => {
  let under: TestDatabase
  let bus: HeldBus
  let hub: Hub
  let id: ConversationId
  let isDown = false
  let reads = 0
  const faults: unknown[] = []
  beforeEach(async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date'] })
    under = await openTestMemory()
    const store = under.database.conversations
    id = await open(store, '+1')
    bus = new HeldBus()
    store.onCommitted((events) => bus.publish(events))
    const before = () => {
      reads += 1
      if (isDown) throw new Error('down')
    }
    hub = new Hub({ store: hindered(store, { before }), bus, onFault: (cause) => faults.push(cause) })
    isDown = false
    faults.length = 0
  })
  afterEach(async () => {
    hub.close()
    await under.close()
    jest.useRealTimers()
  })
  const say = (count = 1) => write(under.database.conversations, id, ...range(1, count).map((n) => said(`${n}`)))
  const turns = async (count = 20) => {
    for (let i = 0; i < count; i++) await new Promise(setImmediate)
  }

  it('tells who wants to join, and lets them in when it is back', async () => {
    isDown = true
    const ears = new Ears('public')
    await expect(ears.follow(hub, id).caughtUp).rejects.toThrow('down')
    expect(bus.left).toEqual([id])
    isDown = false
    await ears.follow(hub, id).caughtUp
    expect(ears.counts).toEqual([1])
  })
  it('tells all who join at once, and reads once for them', async () => {
    isDown = true
    reads = 0
    const joining = range(1, 5).map(() => new Ears('staff').follow(hub, id).caughtUp)
    expect((await Promise.allSettled(joining)).map(({ status }) => status)).toEqual(joining.map(() => 'rejected'))
    expect(reads).toBe(1)
  })
  it('heals a gap later and later until it can, and every follower hears it once', async () => {
    const [ann, bo] = [new Ears('public'), new Ears('staff')]
    await Promise.all([ann.follow(hub, id).caughtUp, bo.follow(hub, id).caughtUp])
    await say()
    await say()
    isDown = true
    bus.release(1)
    await turns()
    reads = 0
    for (let i = 0; i < 63; i++) {
      jest.advanceTimersByTime(100)
      await turns(3)
    }
    // After 0.1, 0.2, 0.4, 0.8, 1.6 and 3.2 s.
    expect(reads).toBe(6)
    expect([ann.counts, bo.counts]).toEqual([[1], [1]])
    isDown = false
    jest.advanceTimersByTime(5_000)
    await turns()
    expect([ann.counts, bo.counts]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
    expect(faults).toHaveLength(7)
  })
  it('is not asked once more for every hint while it is down', async () => {
    const ears = new Ears('public')
    await ears.follow(hub, id).caughtUp
    await say()
    isDown = true
    reads = 0
    for (let i = 0; i < 50; i++) {
      await say()
      bus.release(bus.held.length - 1)
      await turns(2)
    }
    expect(reads).toBe(1)
    isDown = false
    jest.advanceTimersByTime(100)
    await turns()
    expect(ears.counts).toEqual(range(1, 52))
  })
  it('is asked by nobody any more when the followers have gone', async () => {
    const ears = new Ears('public')
    const following = ears.follow(hub, id)
    await following.caughtUp
    await say()
    await say()
    isDown = true
    bus.release(1)
    await turns()
    following.leave()
    reads = 0
    jest.advanceTimersByTime(60_000)
    await turns()
    expect([reads, jest.getTimerCount(), bus.left]).toEqual([0, 0, [id]])
  })
})
