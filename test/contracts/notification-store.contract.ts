// What every notification store must do.
import type { ConversationId, DeliveryId } from '../../src/model/ids'
import { newDeliveryId, newId } from '../../src/model/new-id'
import type { Address } from '../../src/model/participant'
import type { Needs } from '../../src/store/conversation-store'
import type { Notification, ProviderKey } from '../../src/store/records'
import type { OpenDatabase, TestDatabase } from '../support/databases'
import { addressOf, deliver, look, note, open, sayOnce, tenant } from '../support/log-fixtures'

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

    describe('sweeping what was settled', () => {
      const DAY_MS = 86_400_000
      const shelf = () => under.database.deliveries
      const sweepAll = async (total = 0): Promise<number> => {
        const swept = await store().sweep(tenant)
        return swept === 0 ? total : sweepAll(total + swept)
      }
      const leased = async (conversation: ConversationId, refId: string) => {
        const { id, messageId } = await deliver(conversations(), conversation, { refId })
        await shelf().claim(tenant, { channel: 'sms', account: '+1000', lease: 'l', limit: 1_000, leaseMs: 1_000 })
        return { id, messageId }
      }
      const settle = (deliveryId: DeliveryId, state: 'done' | 'dead', ...parts: readonly ProviderKey[]) =>
        note(
          conversations(),
          { kind: 'settle', deliveryId, lease: 'l', outcome: state === 'done' ? { state } : { state, reason: 'gone' } },
          ...(parts.length > 0 ? [{ kind: 'parts', deliveryId, keys: parts } as const] : []),
        )
      const key = (providerId: string): ProviderKey => ({ channel: 'sms', account: '+1000', providerId })
      const isKnown = async (needs: Omit<Needs, 'tenant'>) =>
        (await look(conversations(), { tenant, ...needs })).delivery !== null

      it('takes a delivery 7 days after it was done, with the provider’s ids: then it is known under no name', async () => {
        const conversation = await open(conversations(), '+1')
        const { id, messageId } = await leased(conversation, '+1')
        under.clock.forward(3 * DAY_MS)
        await settle(id, 'done', key('a'), key('b'))
        const names: Omit<Needs, 'tenant'>[] = [
          { deliveryId: id },
          { providerKeys: [key('a')] },
          { providerKeys: [key('b')] },
          { eventId: messageId, carriedTo: addressOf('+1') },
        ]
        under.clock.forward(7 * DAY_MS - 1)
        expect(await sweepAll()).toBe(0)
        for (const name of names) expect(await isKnown(name)).toBe(true)
        under.clock.forward(1)
        expect(await store().sweep('other' as typeof tenant)).toBe(0)
        expect(await sweepAll()).toBe(3)
        for (const name of names) expect(await isKnown(name)).toBe(false)
        expect(await conversations().events(tenant, conversation, 0, 10)).toHaveLength(2)
      })
      it('leaves alone what is on its way, and a provider’s id that a newer delivery owns', async () => {
        const conversation = await open(conversations(), '+1')
        const old = await leased(conversation, '+1')
        await settle(old.id, 'done', key('again'))
        under.clock.forward(7 * DAY_MS)
        const newer = await leased(conversation, '+1')
        await settle(newer.id, 'done', key('again'))
        const waiting = await leased(conversation, '+1')
        const behind = await deliver(conversations(), conversation, { refId: '+1' })
        under.clock.forward(6 * DAY_MS)
        expect(await sweepAll()).toBe(1)
        expect(await isKnown({ deliveryId: old.id })).toBe(false)
        expect((await look(conversations(), { tenant, providerKeys: [key('again')] })).delivery?.id).toBe(newer.id)
        under.clock.forward(365 * DAY_MS)
        expect(await sweepAll()).toBe(2)
        for (const { id } of [waiting, behind]) expect(await isKnown({ deliveryId: id })).toBe(true)
        expect(await shelf().nextDueIn(tenant, { channel: 'sms', account: '+1000' })).toBe(0)
      })
      it('keeps a dead letter for 30 days, and one that was replayed for as long as it is tried', async () => {
        const conversation = await open(conversations(), '+1')
        const replayed = await leased(conversation, '+1')
        await settle(replayed.id, 'dead')
        const buried = await leased(conversation, '+1')
        await settle(buried.id, 'dead')
        under.clock.forward(30 * DAY_MS - 1)
        expect(await sweepAll()).toBe(0)
        expect(await shelf().replay(tenant, replayed.id)).toBe(true)
        under.clock.forward(1)
        expect(await sweepAll()).toBe(1)
        expect(await shelf().deadLetters(tenant, '', 10)).toEqual([])
        expect(await shelf().replay(tenant, buried.id)).toBe(false)
        under.clock.forward(365 * DAY_MS)
        expect(await sweepAll()).toBe(0)
        const again = await shelf().claim(tenant, {
          ...{ channel: 'sms', account: '+1000', lease: 'l', limit: 10, leaseMs: 1_000 },
        })
        expect(again.map(({ id }) => id)).toEqual([replayed.id])
      })
      it('goes on, however many there are', async () => {
        const conversation = await open(conversations(), '+1')
        const refIds = Array.from({ length: 600 }, (_, i) => `+${i}`)
        const sent = await Promise.all(refIds.map((refId) => deliver(conversations(), conversation, { refId })))
        await shelf().claim(tenant, { channel: 'sms', account: '+1000', lease: 'l', limit: 1_000, leaseMs: 1_000 })
        await Promise.all(sent.map(({ id }) => settle(id, 'done', key(`${id} 1`), key(`${id} 2`))))
        under.clock.forward(7 * DAY_MS)
        expect(await sweepAll()).toBe(3 * 600)
        expect(await isKnown({ deliveryId: sent.at(-1)!.id })).toBe(false)
        expect(await isKnown({ providerKeys: [key(`${sent.at(-1)!.id} 2`)] })).toBe(false)
      })
      it('takes a notification 30 days after it last changed, unless it is waiting still', async () => {
        const [waiting, sentOff, failed] = [notification(), notification(), notification()]
        for (const one of [waiting, sentOff, failed])
          await note(conversations(), { kind: 'notification', notification: one })
        await note(conversations(), { kind: 'notification', notification: { ...failed, state: 'failed' } })
        under.clock.forward(10 * DAY_MS)
        await note(conversations(), { kind: 'notification', notification: { ...sentOff, state: 'sent' } })
        under.clock.forward(20 * DAY_MS - 1)
        expect(await sweepAll()).toBe(0)
        under.clock.forward(1)
        expect(await sweepAll()).toBe(1)
        expect(await store().find(tenant, failed.id)).toBeNull()
        under.clock.forward(10 * DAY_MS)
        expect(await sweepAll()).toBe(1)
        expect(await store().find(tenant, sentOff.id)).toBeNull()
        under.clock.forward(365 * DAY_MS)
        expect(await sweepAll()).toBe(0)
        expect(await store().find(tenant, waiting.id)).toEqual(waiting)
      })
    })
  })
}
