// What every store must remember of what comes back from a provider: its ids, its receipts, and those that came too early.
import type { ReceiptState } from '../../src/model/events'
import type { ConversationId, DeliveryId } from '../../src/model/ids'
import { newId } from '../../src/model/new-id'
import type { Write } from '../../src/store/writes'
import type { OpenDatabase, TestDatabase } from '../support/databases'
import { ann, deliver, look, note, open, tenant } from '../support/log-fixtures'

export function providerReceiptsContract(name: string, openDatabase: OpenDatabase): void {
  describe(`receipts from providers: ${name}`, () => {
    let under: TestDatabase
    let ann1: ConversationId
    beforeEach(async () => {
      under = await openDatabase()
      ann1 = await open(under.database.conversations, '+1')
    })
    afterEach(() => under.close())

    const store = () => under.database.conversations
    const claim = () =>
      under.database.deliveries.claim(tenant, {
        channel: 'sms',
        account: '+1000',
        lease: 'l',
        limit: 10,
        leaseMs: 30_000,
      })
    const send = (text: string) => deliver(store(), ann1, { refId: '+1', text })

    const key = (providerId: string) => ({ channel: 'sms', account: '+1000', providerId })
    it('finds the delivery, its message and its parts by any of its provider ids', async () => {
      const { id, messageId } = await send('a')
      await claim()
      await note(store(), { kind: 'parts', deliveryId: id, keys: [key('p1'), key('p2')] })
      await note(store(), { kind: 'partDelivered', key: key('p2') })
      const view = await look(store(), { tenant, providerKeys: [key('nothing'), key('p2')] })
      expect(view.delivery!.id).toBe(id)
      expect(view.conversation!.id).toBe(ann1)
      expect(view.event!.id).toBe(messageId)
      expect(view.parts).toEqual([
        { providerId: 'p1', delivered: false },
        { providerId: 'p2', delivered: true },
      ])
    })
    it('gives a provider id that is used again to the newer delivery', async () => {
      const first = await send('a')
      const second = await send('b')
      await note(store(), { kind: 'parts', deliveryId: first.id, keys: [key('p1')] })
      await note(store(), { kind: 'partDelivered', key: key('p1') })
      await note(store(), { kind: 'parts', deliveryId: second.id, keys: [key('p1')] })
      const view = await look(store(), { tenant, providerKeys: [key('p1')] })
      expect(view.delivery!.id).toBe(second.id)
      expect(view.parts).toEqual([{ providerId: 'p1', delivered: false }])
      expect((await look(store(), { tenant, deliveryId: first.id })).parts).toEqual([])
    })
    it('keeps the ids of providers as they are, whatever is in them', async () => {
      const { id } = await send('a')
      const odd = ['p\u0000', 'p', 'p\u0001', 'p\n"\\']
      await note(store(), { kind: 'parts', deliveryId: id, keys: odd.map(key) })
      await note(store(), { kind: 'partDelivered', key: key('p\u0000') })
      const { parts } = await look(store(), { tenant, providerKeys: [key('p\u0001')] })
      expect(parts).toHaveLength(odd.length)
      expect(new Set(parts.map(({ providerId }) => providerId))).toEqual(new Set(odd))
      expect(parts.filter(({ delivered }) => delivered)).toMatchObject([{ providerId: 'p\u0000' }])
    })
    it('finds the delivery that carried a message', async () => {
      const { id, messageId } = await send('a')
      const carriedTo = { channel: 'sms', account: '+1000' }
      expect((await look(store(), { tenant, eventId: messageId, carriedTo })).delivery!.id).toBe(id)
      const elsewhere = { channel: 'sms', account: '+2000' }
      expect((await look(store(), { tenant, eventId: messageId, carriedTo: elsewhere })).delivery).toBeNull()
    })
    it('remembers how far a receipt has risen, per message and recipient', async () => {
      const { id, messageId } = await send('a')
      const rise = { kind: 'receipt', conversationId: ann1, messageId, recipient: ann.id } as const
      await note(store(), { ...rise, state: 'sent' })
      await note(store(), { ...rise, state: 'delivered' })
      expect((await look(store(), { tenant, deliveryId: id })).receipt).toBe('delivered')
      expect((await look(store(), { tenant, eventId: messageId, recipient: ann.id })).receipt).toBe('delivered')
      const somebody = newId() as typeof ann.id
      expect((await look(store(), { tenant, eventId: messageId, recipient: somebody })).receipt).toBeNull()
    })
    it('opens a failed receipt again when its dead letter is replayed, and no other', async () => {
      const bury = async (text: string, state: ReceiptState) => {
        const { id, messageId } = await send(text)
        await claim()
        const dead = { state: 'dead', reason: 'gone' } as const
        await note(store(), { kind: 'settle', deliveryId: id, lease: 'l', outcome: dead })
        await note(store(), { kind: 'receipt', conversationId: ann1, messageId, recipient: ann.id, state })
        return { id, receipt: async () => (await look(store(), { tenant, deliveryId: id })).receipt }
      }
      const [failed, other, read] = [await bury('a', 'failed'), await bury('b', 'failed'), await bury('c', 'read')]
      for (const { id } of [failed, read]) expect(await under.database.deliveries.replay(tenant, id)).toBe(true)
      expect([await failed.receipt(), await other.receipt(), await read.receipt()]).toEqual([null, 'failed', 'read'])
    })
    it('parks receipts that came too early until they are taken, or until they expire', async () => {
      const park = (providerId: string, state: 'sent' | 'delivered', ms: number): Write => ({
        kind: 'park',
        key: key(providerId),
        receipt: { providerId, state, reason: '' },
        expiresAt: under.clock.in(ms),
      })
      await note(store(), park('p1', 'sent', 9_000), park('p1', 'delivered', 1_000), park('p2', 'sent', 9_000))
      const parked = async (...names: string[]) =>
        (await look(store(), { tenant, providerKeys: names.map(key) })).parked
      expect(await parked('p1', 'p2')).toEqual([
        { providerId: 'p1', state: 'sent', reason: '' },
        { providerId: 'p1', state: 'delivered', reason: '' },
        { providerId: 'p2', state: 'sent', reason: '' },
      ])
      under.clock.forward(1_000)
      expect(await parked('p1')).toMatchObject([{ state: 'sent' }])
      await note(store(), { kind: 'unpark', key: key('p1') })
      expect(await parked('p1', 'p2')).toMatchObject([{ providerId: 'p2' }])
    })
    it('decides one after another what reaches one delivery by different names', async () => {
      const { id, messageId } = await send('a')
      await claim()
      await note(store(), { kind: 'parts', deliveryId: id, keys: [key('p1')] })
      const seen: unknown[] = []
      const rise = (
        needs: { deliveryId: DeliveryId } | { providerKeys: readonly [ReturnType<typeof key>] },
        state: 'sent' | 'delivered',
      ) =>
        store().update({ tenant, ...needs }, ({ receipt }) => {
          seen.push(receipt)
          const write: Write = { kind: 'receipt', conversationId: ann1, messageId, recipient: ann.id, state }
          return { events: [], writes: [write] }
        })
      await Promise.all([rise({ deliveryId: id }, 'sent'), rise({ providerKeys: [key('p1')] }, 'delivered')])
      expect(seen).toEqual([null, 'sent'])
    })
  })
}
