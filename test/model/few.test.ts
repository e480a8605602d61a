// Small collections behave like a set and a map, whatever they hold and in whichever order it comes and goes.
import fc from 'fast-check'
import { Few, FewByKey } from '../../src/model/few'

const step = fc.record({ does: fc.constantFrom('add', 'delete'), which: fc.nat({ max: 4 }) })

it('a few are a set', () => {
  const items = Array.from({ length: 5 }, (_, name) => ({ name }))
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const [few, set] = [new Few<object>(), new Set<object>()]
      for (const { does, which } of steps) {
        few[does](items[which]!)
        set[does](items[which]!)
        const met: object[] = []
        few.forEach((item) => met.push(item))
        expect(new Set(met)).toEqual(set)
        expect([few.size, met.length]).toEqual([set.size, set.size])
      }
    }),
  )
})
it('who is deleted while the few are gone through is not met any more, and who goes by itself hides nobody', () => {
  const items = Array.from({ length: 3 }, (_, name) => ({ name }))
  const few = new Few<{ name: number }>()
  for (const item of items) few.add(item)
  const met: number[] = []
  few.forEach((item) => {
    met.push(item.name)
    few.delete(item)
    few.delete(items[1]!)
  })
  expect(met).toEqual([0, 2])
  expect(few.size).toBe(0)
})
it('a few by key are a map', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const [few, map] = [new FewByKey<number, object>(), new Map<number, object>()]
      for (const { does, which } of steps) {
        const value = { which }
        for (const one of [few, map]) {
          if (does === 'add') one.set(which, value)
          else one.delete(which)
        }
        for (let key = 0; key < 5; key++) expect(few.get(key)).toBe(map.get(key))
        expect(new Set(few.keys())).toEqual(new Set(map.keys()))
        expect(few.size).toBe(map.size)
      }
    }),
  )
})
