// The broom goes round by itself, step by step, and stops when it is told.
import { Sweep } from '../../src/conversation/sweep'
import { tenant } from '../support/log-fixtures'

const INTERVAL_MS = 10 * 60_000

describe('the sweep', () => {
  const sweeps: Sweep[] = []
  const faults: unknown[] = []
  beforeEach(() => {
    faults.length = 0
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date'] })
  })
  afterEach(async () => {
    jest.useRealTimers()
    await Promise.all(sweeps.splice(0).map((sweep) => sweep.close()))
  })
  const turns = async () => {
    for (let i = 0; i < 10; i += 1) await new Promise(setImmediate)
  }
  const start = (step: () => Promise<number>) => {
    const sweep = new Sweep({ notifications: { sweep: step }, tenant, onFault: (cause) => faults.push(cause) })
    sweeps.push(sweep)
    return sweep
  }

  it('takes step after step until nothing is left, and begins again after the interval', async () => {
    const left = [1_000, 1_000, 3, 0, 2, 0]
    start(async () => left.shift() ?? 0)
    await jest.advanceTimersByTimeAsync(INTERVAL_MS)
    expect(left).toEqual([2, 0])
    await jest.advanceTimersByTimeAsync(INTERVAL_MS)
    expect(left).toEqual([])
  })
  it('is one round at a time, and closes between two steps', async () => {
    const steps: (() => void)[] = []
    const sweep = start(() => new Promise((resolve) => steps.push(() => resolve(1))))
    await jest.advanceTimersByTimeAsync(3 * INTERVAL_MS)
    expect(steps).toHaveLength(1)
    steps[0]!()
    await turns()
    expect(steps).toHaveLength(2)
    const closed = sweep.close()
    steps[1]!()
    await closed
    await jest.advanceTimersByTimeAsync(3 * INTERVAL_MS)
    expect(steps).toHaveLength(2)
    expect(jest.getTimerCount()).toBe(0)
  })
  it('tells of a step that failed, and tries again after the interval', async () => {
    const down = new Error('down')
    let asked = 0
    start(async () => {
      asked += 1
      throw down
    })
    await jest.advanceTimersByTimeAsync(2 * INTERVAL_MS)
    expect([asked, faults]).toEqual([2, [down, down]])
  })
})
