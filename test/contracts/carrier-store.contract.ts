// What every store of registrations must do: one holder per place, a fence that grows, and no place for the dead.
import type { CarrierPlace } from '../../src/store/carrier-store'
import type { OpenDatabase, TestDatabase } from '../support/databases'
import { tenant } from '../support/log-fixtures'

const ALIVE_MS = 10_000
const DAY_MS = 24 * 3_600_000

export function carrierStoreContract(name: string, openDatabase: OpenDatabase): void {
  describe(`carrier store: ${name}`, () => {
    let under: TestDatabase
    beforeEach(async () => {
      under = await openDatabase()
    })
    afterEach(() => under.close())

    const store = () => under.database.carriers
    const placeOf = (instance: string, more: Partial<CarrierPlace> = {}): CarrierPlace => ({
      ...{ tenant, channel: 'sms', account: '', instance },
      ...more,
    })
    const register = (place: CarrierPlace, node: string) => store().register(place, node, ALIVE_MS)
    const renew = async (node: string) => {
      const places = await store().renew(tenant, node, ALIVE_MS)
      return places.map(({ account, instance }) => `${account}/${instance}`).sort()
    }
    const live = async (channel = 'sms') => {
      const instances = await store().live(tenant, channel)
      return instances.map(({ account, instance }) => `${account}/${instance}`)
    }

    it('counts a fence for each place: the newest registration has the highest, on whatever node', async () => {
      expect(await register(placeOf('a'), 'n1')).toBe(1)
      expect(await register(placeOf('a'), 'n2')).toBe(2)
      expect(await register(placeOf('a'), 'n2')).toBe(3)
      expect(await register(placeOf('b'), 'n1')).toBe(1)
      expect(await register(placeOf('a', { account: '+1000' }), 'n1')).toBe(1)
      expect(await register(placeOf('a', { channel: 'fax' }), 'n1')).toBe(1)
      expect(await register(placeOf('a', { tenant: 'other' as typeof tenant }), 'n1')).toBe(1)
    })
    it('gives one place to one of many who register at once', async () => {
      const nodes = Array.from({ length: 10 }, (_, i) => `n${i}`)
      const fences = await Promise.all(nodes.map((node) => register(placeOf('a'), node)))
      expect([...fences].sort((x, y) => x - y)).toEqual(nodes.map((_, i) => i + 1))
      const last = nodes[fences.indexOf(10)]!
      for (const node of nodes) expect(await renew(node)).toEqual(node === last ? ['/a'] : [])
    })
    it('lists who lives on a channel, in one order, and nobody of another channel or tenant', async () => {
      for (const instance of ['b', 'B', 'a', '']) await register(placeOf(instance), 'n1')
      await register(placeOf('a', { account: '+1000' }), 'n2')
      await register(placeOf('c', { channel: 'fax' }), 'n2')
      await register(placeOf('d', { tenant: 'other' as typeof tenant }), 'n2')
      expect(await live()).toEqual(['/', '/B', '/a', '/b', '+1000/a'])
      expect(await live('fax')).toEqual(['/c'])
      expect(await live('echo')).toEqual([])
    })
    it('tells a node what is still its own', async () => {
      await register(placeOf('a'), 'n1')
      await register(placeOf('b'), 'n1')
      await register(placeOf('b'), 'n2')
      expect(await renew('n1')).toEqual(['/a'])
      expect(await renew('n2')).toEqual(['/b'])
      expect(await renew('n3')).toEqual([])
    })
    it('counts a node as dead that is silent for too long, and alive again when it was only asleep', async () => {
      await register(placeOf('a'), 'n1')
      await register(placeOf('b'), 'n2')
      under.clock.forward(ALIVE_MS - 1)
      expect(await live()).toEqual(['/a', '/b'])
      await renew('n2')
      under.clock.forward(1)
      expect(await live()).toEqual(['/b'])
      expect(await renew('n1')).toEqual(['/a'])
      expect(await live()).toEqual(['/a', '/b'])
    })
    it('lets go of a place that is given up, and leaves it to who registered since', async () => {
      const given = { ...placeOf('a'), node: 'n1', fence: await register(placeOf('a'), 'n1') }
      await store().unregister(given)
      expect(await live()).toEqual([])
      expect(await renew('n1')).toEqual([])
      const fence = await register(placeOf('a'), 'n1')
      expect(fence).toBe(2)
      await store().unregister(given)
      await store().unregister({ ...given, node: 'n2', fence })
      expect(await live()).toEqual(['/a'])
    })
    it('forgets a place that was given up a day ago: its fences begin anew', async () => {
      const fence = await register(placeOf('a'), 'n1')
      await store().unregister({ ...placeOf('a'), node: 'n1', fence })
      under.clock.forward(DAY_MS - 1)
      await register(placeOf('b'), 'n2')
      expect(await register(placeOf('a'), 'n1')).toBe(fence + 1)
      await store().unregister({ ...placeOf('a'), node: 'n1', fence: fence + 1 })
      under.clock.forward(DAY_MS)
      await register(placeOf('c'), 'n2')
      expect(await register(placeOf('a'), 'n1')).toBe(1)
    })
  })
}
