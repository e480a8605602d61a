// What every delivery store must do for carriers that divide the recipients: leave each its own, and strand nothing.
import type { ConversationId } from '../../src/model/ids'
import { ownersOf, sliceOf } from '../../src/model/slice'
import type { Claim } from '../../src/store/delivery-store'
import type { OpenDatabase, TestDatabase } from '../support/databases'
import { addressOf, deliver, open, tenant } from '../support/log-fixtures'

const LEASE_MS = 30_000

export function sharingContract(name: string, openDatabase: OpenDatabase): void {
  describe(`sharing deliveries: ${name}`, () => {
    let under: TestDatabase
    let ann1: ConversationId
    beforeEach(async () => {
      under = await openDatabase()
      ann1 = await open(under.database.conversations, '+1')
    })
    afterEach(() => under.close())

    const shelf = () => under.database.deliveries
    const claim = (more: Partial<Claim> = {}) =>
      shelf().claim(tenant, { channel: 'sms', account: '+1000', lease: 'l', limit: 10, leaseMs: LEASE_MS, ...more })
    const ids = async (more: Partial<Claim> = {}) => (await claim(more)).map(({ id }) => id)
    const send = (text: string, refId = '+1') => deliver(under.database.conversations, ann1, { refId, text })
    const PATIENCE_MS = 5_000
    const names = ['a', 'b', 'c']
    const owners = ownersOf(names)
    const shareOf = (name: string) => ({
      slices: owners.map((owner) => (owner === name ? '1' : '0')).join(''),
      patienceMs: PATIENCE_MS,
    })
    const ownerOf = (refId: string) => owners[sliceOf(addressOf(refId))] ?? ''
    const dueFor = (name: string) =>
      shelf().nextDueIn(tenant, { channel: 'sms', account: '+1000', share: shareOf(name) })
    const refIds = Array.from({ length: 12 }, (_, i) => `+${i}`)

    it('gives each of several its own recipients, and nobody those of others', async () => {
      for (const refId of refIds) await send('x', refId)
      for (const account of ['+1000', '']) {
        for (const name of names) {
          const claimed = await claim({ account, lease: name, share: shareOf(name) })
          const owners = claimed.map(({ to }) => ownerOf(to.refId))
          expect(owners).toEqual(refIds.map(ownerOf).filter((owner) => owner === name))
          expect(await ids({ account, share: shareOf(name) })).toEqual([])
        }
        for (const name of names) await shelf().release(tenant, name)
      }
    })
    it('hands over what another leaves lying, and tells when', async () => {
      const { id } = await send('x')
      const owner = ownerOf('+1')
      const other = names.find((name) => name !== owner)!
      expect([await dueFor(owner), await dueFor(other)]).toEqual([0, PATIENCE_MS])
      under.clock.forward(PATIENCE_MS - 1)
      expect(await ids({ share: shareOf(other) })).toEqual([])
      expect(await dueFor(other)).toBe(1)
      under.clock.forward(1)
      expect(await ids({ share: shareOf(other) })).toEqual([id])
    })
    it('hands over at once what a lease ran out on', async () => {
      const { id } = await send('x')
      const owner = ownerOf('+1')
      const other = names.find((name) => name !== owner)!
      await claim({ share: shareOf(owner) })
      expect(await dueFor(other)).toBe(LEASE_MS)
      under.clock.forward(LEASE_MS)
      expect(await claim({ lease: 'l2', share: shareOf(other) })).toMatchObject([{ id, attempts: 2, lease: 'l2' }])
    })
  })
}
