// What every database must do to erase: nothing of anybody's words and names is left, and everything else is in its place.
import { isErased } from '../../src/model/erased'
import type { ConversationId } from '../../src/model/ids'
import { newDeliveryId, newId } from '../../src/model/new-id'
import type { Address } from '../../src/model/participant'
import type { Who } from '../../src/store/custody-store'
import type { Notification } from '../../src/store/records'
import type { OpenDatabase, TestDatabase } from '../support/databases'
import {
  addressOf,
  ann,
  bo,
  deliver,
  done,
  ended,
  look,
  note,
  open,
  said,
  sayOnce,
  tenant,
  whispered,
  write,
} from '../support/log-fixtures'

const other = 'other' as typeof tenant

export function erasureContract(name: string, openDatabase: OpenDatabase): void {
  describe(`erasing: ${name}`, () => {
    let under: TestDatabase
    beforeEach(async () => {
      under = await openDatabase()
    })
    afterEach(() => under.close())
    const store = () => under.database.conversations
    const erasures = () => under.database.erasures
    const at = (conversationId: ConversationId) => ({ tenant, conversationId })
    const hanging = { address: addressOf('+1'), scope: 'request\nsms\n+1000' }
    const who: Who = { channel: 'sms', account: '+1000', refId: '+1' }
    const claimDeliveries = (lease = 'l') =>
      under.database.deliveries.claim(tenant, { channel: 'sms', account: '', lease, limit: 10, leaseMs: 60_000 })
    const eraseAll = async (id: ConversationId) => {
      const erased = { events: 0, deliveries: 0 }
      for (let after = 0; ;) {
        const page = await erasures().eraseEvents(at(id), after, 2)
        erased.events += page.events
        erased.deliveries += page.deliveries
        if (page.last === after) return erased
        after = page.last
      }
    }

    it('leaves every event in its place, under its id, with its key, and not a word in it', async () => {
      const id = await open(store(), '+1')
      await sayOnce(store(), id, { key: 'k', text: 'secret one' })
      await write(
        store(),
        id,
        whispered('secret two'),
        done('secret three', { a: 'secret four' }),
        said('secret five', ann),
      )
      const before = await store().events(tenant, id, 0, 100)
      expect(await eraseAll(id)).toEqual({ events: before.length, deliveries: 0 })
      const after = await store().events(tenant, id, 0, 100)
      expect(JSON.stringify(after)).not.toMatch(/secret|\b(?:Ann|Bo)\b/)
      const kept = ({ position, publicPosition, id, at, type, by }: (typeof before)[number]) => ({
        ...{ position, publicPosition, id, at, type },
        by: { id: by.id, role: by.role },
      })
      expect(after.map(kept)).toEqual(before.map(kept))
      expect(JSON.stringify(await store().publicEvents(tenant, id, 0, 100))).not.toMatch(/secret|\b(?:Ann|Bo)\b/)
      expect((await sayOnce(store(), id, { key: 'k', text: 'again' })).view.event).toMatchObject({ position: 2 })
      expect(await eraseAll(id)).toEqual({ events: 0, deliveries: 0 })
    })
    it('erases nothing of another conversation or tenant', async () => {
      const [id, another] = [await open(store(), '+1'), await open(store(), '+2')]
      await write(store(), id, said('of the first'))
      await write(store(), another, said('of the second'))
      expect(await erasures().eraseEvents({ tenant: other, conversationId: id }, 0, 10)).toEqual({
        ...{ last: 0, events: 0, deliveries: 0 },
      })
      await eraseAll(id)
      expect(JSON.stringify(await store().events(tenant, another, 0, 10))).toContain('of the second')
    })
    it('has no name left once the record of it is written, in the picture and after it', async () => {
      const id = await open(store(), '+1', {
        comment: 'secret',
        subject: 'secret',
        url: 'secret',
        channelData: { a: 1 },
      })
      await write(store(), id, ended)
      const counts = { events: 2, deliveries: 0, files: 0 }
      await write(store(), id, { type: 'conversationErased', counts, by: bo })
      const found = (await store().find(tenant, id))!
      expect(isErased(found)).toBe(true)
      expect(JSON.stringify(found)).not.toMatch(/secret|\bAnn\b|\+1"|theme/)
      expect((await look(store(), { tenant, conversationId: id })).conversation).toEqual(found)
      expect((await store().list(tenant, 'ended', '', 10)).map(isErased)).toEqual([true])
    })

    it('deletes deliveries with their provider ids, and lets go who waited behind them', async () => {
      const [id, another] = [await open(store(), '+1'), await open(store(), '+2')]
      const first = await deliver(store(), id, { refId: '+1', text: 'secret' })
      const behind = await deliver(store(), another, { refId: '+1', text: 'goes on' })
      await claimDeliveries('mine')
      const keys = [{ channel: 'sms', account: '+1000', providerId: 'p1' }]
      await note(store(), { kind: 'parts', deliveryId: first.id, keys })
      expect(await eraseAll(id)).toEqual({ events: 2, deliveries: 1 })
      expect((await look(store(), { tenant, deliveryId: first.id })).delivery).toBeNull()
      expect((await look(store(), { tenant, providerKeys: keys })).delivery).toBeNull()
      expect(await claimDeliveries('next')).toMatchObject([{ id: behind.id }])
    })
    it('deletes one that waits, and leaves the one before it in hand', async () => {
      const [id, another] = [await open(store(), '+1'), await open(store(), '+2')]
      const first = await deliver(store(), another, { refId: '+1' })
      await deliver(store(), id, { refId: '+1', text: 'secret' })
      const last = await deliver(store(), another, { refId: '+1' })
      expect(await claimDeliveries()).toMatchObject([{ id: first.id }])
      expect(await eraseAll(id)).toMatchObject({ deliveries: 1 })
      expect(await claimDeliveries()).toEqual([])
      await note(store(), { kind: 'settle', deliveryId: first.id, lease: 'l', outcome: { state: 'done' } })
      expect(await claimDeliveries()).toMatchObject([{ id: last.id }])
    })
    it('gives nothing of a deleted delivery to the dead letters', async () => {
      const id = await open(store(), '+1')
      const { id: deliveryId } = await deliver(store(), id, { refId: '+1' })
      await claimDeliveries()
      const outcome = { state: 'dead', reason: 'secret' } as const
      await note(store(), { kind: 'settle', deliveryId, lease: 'l', outcome })
      await eraseAll(id)
      expect(await under.database.deliveries.deadLetters(tenant, '', 10)).toEqual([])
      expect(await under.database.deliveries.replay(tenant, deliveryId)).toBe(false)
    })

    it('forgets the request ids of a conversation, and keeps what providers brought', async () => {
      const id = await open(store(), '+1')
      const keep = async (scope: string, key: string) =>
        store().update({ ...at(id), once: { scope, key } }, () => ({
          events: [said('x')],
          once: { note: 'n', expiresAt: under.clock.in(60_000) },
        }))
      for (let i = 0; i < 5; i++) await keep(hanging.scope, `r${i}`)
      await keep('external\nsms\n+1000', 'brought')
      let rows = 0
      for (let n = 1; n > 0; rows += n) n = await erasures().eraseRest(at(id), hanging, 2)
      expect(rows).toBeGreaterThanOrEqual(5)
      const once = async (scope: string, key: string) => (await look(store(), { tenant, once: { scope, key } })).once
      expect(await once(hanging.scope, 'r3')).toBeNull()
      expect(await once('external\nsms\n+1000', 'brought')).not.toBeNull()
      expect(await erasures().eraseRest(at(id), hanging, 2)).toBe(0)
    })
    it('still carries to a recipient of whom it has forgotten everything', async () => {
      const id = await open(store(), '+1')
      await deliver(store(), id, { refId: '+1' })
      await eraseAll(id)
      while ((await erasures().eraseRest(at(id), hanging, 10)) > 0);
      await write(store(), id, ended)
      const next = await open(store(), '+1')
      const { id: deliveryId } = await deliver(store(), next, { refId: '+1' })
      const later = await deliver(store(), next, { refId: '+1' })
      expect(await claimDeliveries()).toMatchObject([{ id: deliveryId }])
      await note(store(), { kind: 'settle', deliveryId, lease: 'l', outcome: { state: 'done' } })
      expect(await claimDeliveries()).toMatchObject([{ id: later.id }])
    })

    const notify = async (to: Address, state: Notification['state'] = 'waiting') => {
      const id = newId()
      const times = { createdAt: under.clock.in(0), expiresAt: null }
      const notification: Notification = { id, tenant, keyId: 'key', to, state, reason: 'secret', ...times }
      const delivery = {
        ...{ id: newDeliveryId(), to, conversationId: null, messageId: null, recipient: null },
        ...{ notificationId: id, body: '{"text":"secret"}', expiresAt: null },
      }
      await note(store(), { kind: 'notification', notification }, { kind: 'deliver', delivery })
      return { id, deliveryId: delivery.id }
    }
    it('takes the address from notifications, sends none of them any more, and keeps what became of them', async () => {
      const told = await notify(addressOf('+1'), 'delivered')
      const waiting = await notify(addressOf('+1'))
      const theirs = await notify(addressOf('+2'))
      const found = (id: string) => under.database.notifications.find(tenant, id)
      const first = await erasures().eraseAddress(tenant, who, 1)
      const second = await erasures().eraseAddress(tenant, who, 10)
      expect([first, second]).toEqual([
        { notifications: 1, deliveries: 1, suppressed: false },
        { notifications: 1, deliveries: 1, suppressed: false },
      ])
      expect(await found(told.id)).toMatchObject({ state: 'delivered', reason: '', to: { refId: `erased:${told.id}` } })
      expect(await found(waiting.id)).toMatchObject({ state: 'failed', reason: 'erased' })
      expect(await claimDeliveries()).toMatchObject([{ id: theirs.deliveryId }])
      expect(await erasures().eraseAddress(tenant, who, 10)).toMatchObject({ notifications: 0, deliveries: 0 })
    })
    it('erases by one account of ours, or by all', async () => {
      const elsewhere = { ...addressOf('+1'), account: '+2000' }
      await notify(addressOf('+1'))
      await notify(elsewhere)
      expect(await erasures().eraseAddress(tenant, who, 10)).toMatchObject({ notifications: 1 })
      expect(await erasures().eraseAddress(tenant, { ...who, account: null }, 10)).toMatchObject({ notifications: 1 })
    })
    it('keeps an opt-out as a hash, which still holds, and which an opt-in lifts', async () => {
      const address = { channel: 'sms', account: '', refId: '+1' }
      await note(store(), { kind: 'suppress', address })
      const isSuppressed = async () => (await look(store(), { tenant, suppressed: address })).suppressed
      expect(await erasures().eraseAddress(tenant, who, 10)).toMatchObject({ suppressed: true })
      expect(await erasures().eraseAddress(tenant, who, 10)).toMatchObject({ suppressed: false })
      expect(await isSuppressed()).toBe(true)
      expect(JSON.stringify(await under.database.notifications.suppressed(tenant, 'sms', '', 10))).not.toContain('+1')
      const [listed] = await under.database.notifications.suppressed(tenant, 'sms', '', 10)
      await note(store(), { kind: 'unsuppress', address }, { kind: 'unsuppress', address: listed! })
      expect(await isSuppressed()).toBe(false)
    })
  })
}
