// How long a delivery waits before it is tried again.
import fc from 'fast-check'
import { pauseBefore } from '../../src/conversation/pause'

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const attempts = fc.integer({ min: 1, max: 10_000 })

describe('the pause before another attempt', () => {
  it('doubles from 1 s to 10 min', () => {
    const longest = [1, 2, 3, 4, 10, 11, 12, 1_000].map((n) => pauseBefore(n, null, () => 1) / 1_000)
    expect(longest).toEqual([1, 2, 4, 8, 512, 600, 600, 600])
  })
  it('is by chance between half and all of that, so that not all come at once', () => {
    fc.assert(
      fc.property(attempts, chance, (n, random) => {
        const full = pauseBefore(n, null, () => 1)
        const pause = pauseBefore(n, null, () => random)
        expect(pause).toBeGreaterThanOrEqual(Math.floor(full / 2))
        expect(pause).toBeLessThanOrEqual(full)
      }),
    )
  })
  it('is never shorter than the provider asked for, and at most a second longer', () => {
    fc.assert(
      fc.property(attempts, fc.integer({ min: 0, max: 86_400 }), chance, (n, seconds, random) => {
        const pause = pauseBefore(n, seconds, () => random)
        expect(pause).toBeGreaterThanOrEqual(seconds * 1_000)
        expect(pause).toBeLessThanOrEqual(seconds * 1_000 + 1_000)
      }),
    )
  })
})
