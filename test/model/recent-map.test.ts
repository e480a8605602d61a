// What a map with a limit keeps, and what it forgets.
import { RecentMap } from '../../src/model/recent-map'

it('keeps at least the half of its limit that was used last, and never more than its limit', () => {
  const map = new RecentMap<number, string>(10)
  for (let key = 0; key < 1_000; key++) {
    map.set(key, `value ${key}`)
    for (let back = 0; back < Math.min(5, key + 1); back++) expect(map.get(key - back)).toBe(`value ${key - back}`)
    const held = Array.from({ length: key + 1 }, (_, one) => one).filter((one) => map.has(one))
    expect(held.length).toBeLessThanOrEqual(10)
  }
})
it('what is read again and again stays, however many others come', () => {
  const map = new RecentMap<string, number>(10)
  map.set('dear', 1)
  for (let key = 0; key < 1_000; key++) {
    map.set(`other ${key}`, key)
    expect(map.get('dear')).toBe(1)
  }
})
it('the last value of a key counts, in whichever generation it was set before', () => {
  const map = new RecentMap<string, number>(4)
  map.set('a', 1)
  map.set('b', 2)
  map.set('a', 3)
  expect(map.get('a')).toBe(3)
  map.set('c', 4)
  expect(map.get('a')).toBe(3)
})
it('what was deleted is gone from both generations', () => {
  const map = new RecentMap<string, number>(4)
  map.set('a', 1)
  map.set('b', 2)
  map.get('a')
  map.delete('a')
  expect([map.has('a'), map.get('a')]).toEqual([false, undefined])
})
