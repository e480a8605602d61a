// The slow sweep: whoever stands behind the store without a hint is told, in batches, spread over time, and when it must be at once.
import { GapSweep } from '../../src/conversation/gap-sweep'
import type { ConversationId } from '../../src/model/ids'
import { range } from '../support/followers'
import { tenant } from '../support/log-fixtures'

class Swept {
  readonly told: number[] = []
  readonly place
  constructor(n: number) {
    this.place = { tenant, conversationId: `c${n}` as ConversationId }
  }
  hearPosition(position: number): void {
    this.told.push(position)
  }
}

describe('the gap sweep', () => {
  const asked: number[] = []
  const faults: unknown[] = []
  let isDown = false
  let sweep: GapSweep | null = null
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date'] })
    asked.length = faults.length = 0
    isDown = false
  })
  afterEach(() => {
    sweep?.close()
    expect(jest.getTimerCount()).toBe(0)
    jest.useRealTimers()
  })
  const sweepOver = (streams: readonly Swept[], intervalMs: number) => {
    sweep = new GapSweep({
      store: {
        positions: async (_tenant, ids) => {
          asked.push(ids.length)
          if (isDown) throw new Error('down')
          return new Map(ids.filter((id) => !id.endsWith('9')).map((id) => [id, 7]))
        },
      },
      streams: () => streams,
      intervalMs,
      onFault: (cause) => faults.push(cause),
    })
    return sweep
  }
  const pass = async (ms: number) => {
    jest.advanceTimersByTime(ms)
    for (let i = 0; i < 5; i++) await new Promise(setImmediate)
  }

  it('looks at each once in its interval, at most a thousand together, and never at all together', async () => {
    const streams = range(0, 2_499).map((n) => new Swept(n))
    sweepOver(streams, 15_000)
    await pass(15_000)
    expect(asked).toEqual([1_000])
    await pass(5_000)
    await pass(5_000)
    expect(asked).toEqual([1_000, 1_000, 500])
    expect(streams.map(({ told }) => told.length)).toEqual(range(0, 2_499).map((n) => (n % 10 === 9 ? 0 : 1)))
    await pass(5_000)
    expect(asked).toHaveLength(4)
  })
  it('goes on when the store fails, and waits while nothing is followed', async () => {
    const streams: Swept[] = []
    sweepOver(streams, 1_000)
    await pass(1_000)
    expect(asked).toEqual([])
    streams.push(new Swept(1))
    isDown = true
    await pass(1_000)
    isDown = false
    await pass(1_000)
    expect([asked, streams[0]!.told, faults]).toEqual([[1, 1], [7], [new Error('down')]])
  })
  it('looks at all at once when the bus was deaf, again when that happens meanwhile, and until the store answers', async () => {
    const streams = range(0, 1_499).map((n) => new Swept(n))
    const gaps = sweepOver(streams, 0)
    gaps.check()
    gaps.check()
    await pass(0)
    expect(asked).toEqual([1_000, 500, 1_000, 500])
    isDown = true
    gaps.check()
    await pass(0)
    gaps.check()
    expect(asked).toHaveLength(5)
    isDown = false
    await pass(1_000)
    expect(asked).toHaveLength(7)
    expect([streams[0]!.told, faults]).toEqual([[7, 7, 7], [new Error('down')]])
  })
  it('stops when it is closed', async () => {
    sweepOver([new Swept(1)], 1_000).check()
    sweep!.close()
    await pass(10_000)
    expect(asked.length).toBeLessThan(2)
  })
})
