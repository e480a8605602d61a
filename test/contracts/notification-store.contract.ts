// What every notification store must do.
import { newDeliveryId, newId } from '../../src/model/new-id'
import type { Address } from '../../src/model/participant'
import type { Notification } from '../../src/store/records'
import type { OpenDatabase, TestDatabase } from '../support/databases'
import { addressOf, look, note, open, sayOnce, tenant } from '../support/log-fixtures'

export function notificationStoreContract(name: string, openDatabase: OpenDatabase): void {
  describe(`notification store: ${name}`, () => {
    let under: TestDatabase
    beforeEach(async () => {
      under = await openDatabase()
    })
    afterEach(() => under.close())
    const store = () => under.database.notifications
    const conversations = () => under.database.conversations

    const notification = (): Notification => ({
      id: newId(),
      tenant,
      keyId: 'key',
      to: addressOf('+1'),
      state: 'waiting',
      reason: '',
      createdAt: under.clock.in(0),
      expiresAt: under.clock.in(60_000),
    })

    it('gives back a notification, and what became of it', async () => {
      const sent = notification()
      await note(conversations(), { kind: 'notification', notification: sent })
      expect(await store().find(tenant, sent.id)).toEqual(sent)
      const failed: Notification = { ...sent, state: 'failed', reason: 'blocked' }
      await note(conversations(), { kind: 'notification', notification: failed })
      expect(await store().find(tenant, sent.id)).toEqual(failed)
      expect(await store().find('other' as typeof tenant, sent.id)).toBeNull()
      expect((await look(conversations(), { tenant, notificationId: sent.id })).notification).toEqual(failed)
    })
    const deliveryOf = ({ to, id: notificationId }: Notification) => ({
      id: newDeliveryId(),
      to,
      conversationId: null,
      messageId: null,
      recipient: null,
      notificationId,
      body: '{}',
      expiresAt: null,
    })
    it('waits again when its dead letter is replayed', async () => {
      const sent: Notification = { ...notification(), state: 'failed', reason: 'gone' }
      const delivery = deliveryOf(sent)
      const { deliveries } = under.database
      await note(conversations(), { kind: 'notification', notification: sent }, { kind: 'deliver', delivery })
      const [leased] = await deliveries.claim(tenant, { ...sent.to, lease: 'l', limit: 1, leaseMs: 30_000 })
      const outcome = { state: 'dead', reason: 'gone' } as const
      await note(conversations(), { kind: 'settle', deliveryId: leased!.id, lease: 'l', outcome })
      expect(await deliveries.replay(tenant, delivery.id)).toBe(true)
      expect(await store().find(tenant, sent.id)).toEqual({ ...sent, state: 'waiting', reason: '' })
    })
    it('is found from its delivery', async () => {
      const sent = notification()
      const delivery = deliveryOf(sent)
      const { id } = delivery
      await note(conversations(), { kind: 'notification', notification: sent }, { kind: 'deliver', delivery })
      const view = await look(conversations(), { tenant, deliveryId: id })
      expect(view.notification).toEqual(sent)
      expect(view.conversation).toBeNull()
    })

    it('keeps the suppression list, per channel and account', async () => {
      const address = addressOf('+1')
      await note(conversations(), { kind: 'suppress', address }, { kind: 'suppress', address })
      const isSuppressed = async (suppressed: Address) =>
        (await look(conversations(), { tenant, suppressed })).suppressed
      expect(await isSuppressed(address)).toBe(true)
      expect(await isSuppressed({ ...address, account: '+2000' })).toBe(false)
      await note(conversations(), { kind: 'unsuppress', address })
      expect(await isSuppressed(address)).toBe(false)
    })
    it('pages the suppression list without losing an address that has two accounts', async () => {
      const all = ['+1', '+2', '+3'].map(addressOf)
      const twice = { ...addressOf('+2'), account: '+2000' }
      for (const address of [...all, twice, { ...all[0]!, channel: 'whatsapp' }])
        await note(conversations(), { kind: 'suppress', address })
      const first = await store().suppressed(tenant, 'sms', '', 2)
      expect(first).toEqual([all[0]])
      const second = await store().suppressed(tenant, 'sms', '+1', 2)
      expect(second).toEqual([all[1], twice])
      expect(await store().suppressed(tenant, 'sms', '+2', 2)).toEqual([all[2]])
    })

    it('sweeps what has outlived its time, and nothing else', async () => {
      const id = await open(conversations(), '+1')
      await sayOnce(conversations(), id, { key: 'short', expiresAt: under.clock.in(1_000) })
      await sayOnce(conversations(), id, { key: 'long', expiresAt: under.clock.in(365 * 86_400_000) })
      await sayOnce(conversations(), id, { key: 'forever' })
      const key = { channel: 'sms', account: '', providerId: 'p' }
      const receipt = { providerId: 'p', state: 'sent', reason: '' } as const
      await note(
        conversations(),
        { kind: 'park', key, receipt, expiresAt: under.clock.in(1_000) },
        { kind: 'countQuota', keyId: 'k', day: under.clock.in(0).slice(0, 10) },
      )
      expect(await store().sweep(tenant)).toBe(0)
      under.clock.forward(3 * 86_400_000)
      await note(conversations(), { kind: 'countQuota', keyId: 'k', day: under.clock.in(0).slice(0, 10) })
      expect(await store().sweep('other' as typeof tenant)).toBe(0)
      expect(await store().sweep(tenant)).toBe(3)
      expect(await store().sweep(tenant)).toBe(0)
      const once = async (name: string) =>
        (await look(conversations(), { tenant, once: { scope: id, key: name } })).once
      expect([await once('short'), await once('long'), await once('forever')]).toEqual([
        null,
        expect.anything(),
        expect.anything(),
      ])
    })
  })
}
