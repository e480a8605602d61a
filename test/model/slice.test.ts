// Slices of recipients: even, the same for everybody, and few move when somebody comes or goes.
import { ownersOf, sliceOf, SLICES } from '../../src/model/slice'
import { addressOf } from '../support/log-fixtures'

describe('slices', () => {
  it('hold each recipient in one of them, evenly', () => {
    const counts = new Map<number, number>()
    for (let i = 0; i < 100 * SLICES; i += 1) {
      const slice = sliceOf(addressOf(`+49170${1_000_000 + i}`))
      counts.set(slice, (counts.get(slice) ?? 0) + 1)
    }
    expect(counts.size).toBe(SLICES)
    expect([...counts.keys()].every((slice) => slice >= 0 && slice < SLICES)).toBe(true)
    expect(Math.max(...counts.values())).toBeLessThan(160)
  })
  it('tell accounts and channels apart, whatever stands in them, and stay where they are', () => {
    const one = { channel: 'sms', account: '1', refId: '2' }
    expect(sliceOf(one)).toBe(sliceOf({ ...one }))
    // Kept with deliveries that are on their way: whoever changes the number divides old and new ones differently.
    expect(sliceOf(one)).toBe(498)
    expect(sliceOf({ channel: 'sms', account: '12', refId: '' })).not.toBe(sliceOf(one))
  })
  it('are divided among all, each to one, about evenly, in whatever order they are named', () => {
    const names = ['', 'a', 'b', 'sms-connector-7f9c-x1', 'sms-connector-7f9c-x2']
    const divided = ownersOf(names)
    expect(divided).toHaveLength(SLICES)
    for (const name of names) {
      const count = divided.filter((owner) => owner === name).length
      expect(count).toBeGreaterThan(0.75 * (SLICES / names.length))
      expect(count).toBeLessThan(1.25 * (SLICES / names.length))
    }
    expect(ownersOf(names.toReversed())).toEqual(divided)
  })
  it('move only to who comes, and only from who goes', () => {
    const before = ownersOf(['a', 'b'])
    const after = ownersOf(['a', 'b', 'c'])
    const moved = after.filter((owner, slice) => owner !== before[slice])
    expect(new Set(moved)).toEqual(new Set(['c']))
    expect(moved.length).toBeLessThan(0.4 * SLICES)
  })
  it('are all its own for one who is alone', () => {
    expect(new Set(ownersOf(['a']))).toEqual(new Set(['a']))
  })
})
