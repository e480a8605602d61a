// A bus that loses, doubles, delays and reorders every hint it likes: each follower still hears its audience once, in order.
import fc from 'fast-check'
import { Hub } from '../../src/conversation/hub'
import { openTestMemory } from '../support/databases'
import { Ears, HeldBus, hindered, range } from '../support/followers'
import { open, said, tenant, whispered, write } from '../support/log-fixtures'

type Step =
  | { readonly do: 'write'; readonly internal: readonly boolean[] }
  | { readonly do: 'join'; readonly staff: boolean; readonly after: number }
  | { readonly do: 'leave' | 'hand on' | 'hand on and lose' | 'lose'; readonly which: number }
  | { readonly do: 'missed' }
  | { readonly do: 'wait'; readonly turns: number }

const which = fc.nat(99)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('write'),
      internal: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('join'), staff: fc.boolean(), after: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave'), which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('hand on'), which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('hand on and lose'), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lose'), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('missed') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait'), turns: fc.nat(4) }) },
)

/** What one follower heard, over all its joins: one whose join failed joins again after what it has heard. */
interface Reader {
  readonly ears: Ears
  leave: () => void
  hasLeft: boolean
}

async function play(steps: readonly Step[], delays: readonly number[], failures: readonly boolean[]): Promise<void> {
  const under = await openTestMemory()
  const store = under.database.conversations
  const id = await open(store, '+1')
  const bus = new HeldBus()
  store.onCommitted((events) => bus.publish(events))
  const [delay, failure] = [round(delays, 0), round(failures, false)]
  let isCalm = false
  const before = () => {
    if (!isCalm && failure()) throw new Error('down')
  }
  const hub = new Hub({ store: hindered(store, { before, after: () => turns(delay()) }), bus })
  const readers: Reader[] = []
  const writing: Promise<unknown>[] = []

  const follow = (reader: Reader, after: number) => {
    const following = reader.ears.follow(hub, id, after)
    reader.leave = () => following.leave()
    following.caughtUp.catch(async () => {
      await turns(1)
      if (!reader.hasLeft) follow(reader, Math.max(after, reader.ears.last))
    })
  }
  const join = async ({ staff, after }: Extract<Step, { do: 'join' }>) => {
    const said = await store.find(tenant, id)
    const end = staff ? said!.position : said!.publicPosition
    const reader: Reader = { ears: new Ears(staff ? 'staff' : 'public'), leave: () => undefined, hasLeft: false }
    const from = Math.min(after, end)
    readers.push(reader)
    starts.set(reader, from)
    follow(reader, from)
  }
  const starts = new Map<Reader, number>()
  const steer = async (one: Step) => {
    const at = 'which' in one && bus.held.length > 0 ? one.which % bus.held.length : 0
    switch (one.do) {
      case 'write':
        writing.push(
          write(store, id, ...one.internal.map((internal, i) => (internal ? whispered(`${i}`) : said(`${i}`)))),
        )
        break
      case 'join':
        await join(one)
        break
      case 'leave': {
        const reader = readers[one.which % Math.max(1, readers.length)]
        if (reader) reader.hasLeft = true
        reader?.leave()
        break
      }
      case 'hand on':
        bus.release(at)
        break
      case 'hand on and lose':
        bus.release(at)
        bus.drop(at)
        break
      case 'lose':
        bus.drop(at)
        break
      case 'missed':
        bus.missed()
        break
      case 'wait':
        await turns(one.turns)
    }
  }
  try {
    for (const one of steps) await steer(one)
    await Promise.all(writing)
    isCalm = true
    bus.missed()
    const { position, publicPosition } = (await store.find(tenant, id))!
    const endOf = ({ ears }: Reader) => (ears.audience === 'staff' ? position : publicPosition)
    const isDone = (reader: Reader) => reader.hasLeft || (reader.ears.isLive && reader.ears.last >= endOf(reader))
    const nothingNew = (reader: Reader) => reader.ears.isLive && starts.get(reader) === endOf(reader)
    for (let i = 0; i < 400 && !readers.every((one) => isDone(one) || nothingNew(one)); i++) {
      jest.advanceTimersByTime(100)
      await turns(2)
    }
    for (const reader of readers) {
      const { ears, hasLeft } = reader
      const last = hasLeft ? starts.get(reader)! + ears.counts.length : endOf(reader)
      expect(ears.counts).toEqual(range(starts.get(reader)! + 1, last))
    }
    for (const { leave } of readers) leave()
    await turns(20)
    expect(bus.isAskedFor(id)).toBe(false)
  } finally {
    hub.close()
    await under.close()
  }
}

function round<T>(items: readonly T[], otherwise: T): () => T {
  let at = 0
  return () => items[at++ % Math.max(1, items.length)] ?? otherwise
}
async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(setImmediate)
}

describe('under an adversary', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date'] })
  })
  afterEach(() => jest.useRealTimers())
  const delays = fc.array(fc.nat(3), { minLength: 1, maxLength: 7 })
  const steps = fc.array(step, { minLength: 5, maxLength: 60 })

  it('every follower hears every event of its audience exactly once, in order', async () => {
    const calm = fc.constant([false])
    await fc.assert(fc.asyncProperty(steps, delays, calm, play), { numRuns: 150 })
  }, 60_000)
  it('even when the store fails now and then', async () => {
    const failures = fc.array(fc.boolean(), { minLength: 3, maxLength: 9 })
    await fc.assert(fc.asyncProperty(steps, delays, failures, play), { numRuns: 100 })
  }, 60_000)
})
