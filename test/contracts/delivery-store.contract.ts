// What every delivery store must do: in order per recipient, fenced, and never lost.
import type { ConversationId, DeliveryId } from '../../src/model/ids'
import { newDeliveryId } from '../../src/model/new-id'
import type { Claim } from '../../src/store/delivery-store'
import type { Write } from '../../src/store/writes'
import type { OpenDatabase, TestDatabase } from '../support/databases'
import { addressOf, ann, deliver, look, note, open, said, tenant } from '../support/log-fixtures'

type Outcome = Extract<Write, { kind: 'settle' }>['outcome']
const LEASE_MS = 30_000

export function deliveryStoreContract(name: string, openDatabase: OpenDatabase): void {
  describe(`delivery store: ${name}`, () => {
    let under: TestDatabase
    let ann1: ConversationId
    beforeEach(async () => {
      under = await openDatabase()
      ann1 = await open(under.database.conversations, '+1')
    })
    afterEach(() => under.close())

    const store = () => under.database.conversations
    const shelf = () => under.database.deliveries
    const claim = (more: Partial<Claim> = {}) =>
      shelf().claim(tenant, { channel: 'sms', account: '+1000', lease: 'l', limit: 10, leaseMs: LEASE_MS, ...more })
    const ids = async (more: Partial<Claim> = {}) => (await claim(more)).map(({ id }) => id)
    const settle = (deliveryId: DeliveryId, outcome: Outcome, lease = 'l') =>
      note(store(), { kind: 'settle', deliveryId, lease, outcome })
    const send = (text: string, more: { refId?: string; expiresAt?: string | null } = {}) =>
      deliver(store(), ann1, { refId: '+1', text, ...more })

    describe('claiming', () => {
      it('gives what a connector must know, and counts the attempt', async () => {
        const { id, messageId } = await send('a')
        expect(await claim()).toEqual([
          {
            id,
            tenant,
            to: addressOf('+1'),
            conversationId: ann1,
            messageId,
            recipient: ann.id,
            notificationId: null,
            body: '{"text":"a"}',
            state: 'leased',
            attempts: 1,
            lease: 'l',
            createdAt: under.clock.in(0),
            expiresAt: null,
            reason: '',
          },
        ])
      })
      it('gives one per recipient, the oldest, and recipients side by side', async () => {
        const a1 = await send('a1')
        await send('a2')
        const b1 = await send('b1', { refId: '+2' })
        expect(await ids()).toEqual([a1.id, b1.id])
        expect(await ids({ lease: 'other' })).toEqual([])
      })
      it('gives no more than it is asked for, and the rest next time', async () => {
        const a = await send('a')
        const b = await send('b', { refId: '+2' })
        const c = await send('c', { refId: '+3' })
        expect(await ids({ limit: 2 })).toEqual([a.id, b.id])
        expect(await ids({ limit: 2 })).toEqual([c.id])
      })
      it('gives nothing of another channel, account or tenant', async () => {
        await send('a')
        expect(await claim({ channel: 'whatsapp' })).toEqual([])
        expect(await claim({ account: '+2000' })).toEqual([])
        const other = 'other' as typeof tenant
        const asked = { channel: 'sms', account: '+1000', lease: 'l', limit: 9, leaseMs: LEASE_MS }
        expect(await shelf().claim(other, asked)).toEqual([])
      })
      it('gives every account of the channel to who names none', async () => {
        const a = await send('a')
        const to = { ...addressOf('+1'), account: '+2000' }
        const b = await deliver(store(), ann1, { refId: '+1', to })
        expect(await shelf().nextDueIn(tenant, { channel: 'sms', account: '' })).toBe(0)
        expect(await ids({ account: '' })).toEqual([a.id, b.id])
        expect(await shelf().nextDueIn(tenant, { channel: 'sms', account: '' })).toBe(LEASE_MS)
        expect(await ids({ account: '', channel: 'whatsapp' })).toEqual([])
      })
      it('hands each delivery to one of many concurrent claims', async () => {
        await Promise.all(Array.from({ length: 20 }, (_, i) => send('x', { refId: `+${i}` })))
        const claims = await Promise.all(Array.from({ length: 5 }, (_, i) => ids({ lease: `l${i}`, limit: 7 })))
        expect(claims.flat()).toHaveLength(20)
        expect(new Set(claims.flat()).size).toBe(20)
      })
      it('keeps the order of one batch', async () => {
        const sent = await Promise.all(Array.from({ length: 5 }, (_, i) => send(`${i}`)))
        for (const { id } of sent) {
          expect(await ids()).toEqual([id])
          await settle(id, { state: 'done' })
        }
      })
    })

    describe('settling', () => {
      it('lets the next one of the recipient go when one is done', async () => {
        const first = await send('a')
        const second = await send('b')
        expect(await ids()).toEqual([first.id])
        await settle(first.id, { state: 'done' })
        expect(await ids()).toEqual([second.id])
      })
      it('lets the next one of the recipient go when one is dead', async () => {
        const first = await send('a')
        const second = await send('b')
        await claim()
        await settle(first.id, { state: 'dead', reason: 'blocked' })
        expect(await ids()).toEqual([second.id])
      })
      it('holds the recipient up while one waits for its next attempt', async () => {
        const first = await send('a')
        await send('b')
        await claim()
        await settle(first.id, { state: 'due', at: under.clock.in(5_000), reason: 'throttled' })
        expect(await ids()).toEqual([])
        under.clock.forward(5_000)
        expect(await claim()).toMatchObject([{ id: first.id, attempts: 2, reason: 'throttled' }])
      })
      it('starts at once for a recipient whose last delivery is settled', async () => {
        const first = await send('a')
        await claim()
        await settle(first.id, { state: 'done' })
        const second = await send('b')
        expect(await ids()).toEqual([second.id])
      })
      it('takes a stale lease for a conflict: the rule runs again on the truth', async () => {
        const { id } = await send('a')
        await claim({ lease: 'old' })
        under.clock.forward(LEASE_MS)
        await claim({ lease: 'new' })
        const seen: (string | undefined)[] = []
        await store().update({ tenant, deliveryId: id }, ({ delivery }) => {
          seen.push(delivery?.lease)
          const write: Write = { kind: 'settle', deliveryId: id, lease: 'old', outcome: { state: 'done' } }
          return seen.length === 1 ? { events: [said('never')], writes: [write] } : { events: [] }
        })
        expect(seen).toEqual(['new', 'new'])
        expect((await look(store(), { tenant, deliveryId: id })).delivery).toMatchObject({
          state: 'leased',
          lease: 'new',
        })
        expect(await store().events(tenant, ann1, 2, 10)).toEqual([])
      })
      it('settles once when two say so at the same time', async () => {
        const { id } = await send('a')
        await claim()
        const done = () =>
          store().update({ tenant, deliveryId: id }, ({ delivery }) => ({
            events: [],
            writes:
              delivery?.state === 'leased'
                ? [{ kind: 'settle', deliveryId: id, lease: 'l', outcome: { state: 'done' } } as const]
                : [],
          }))
        const outcomes = await Promise.all([done(), done(), done()])
        expect(outcomes.filter(({ decision }) => decision.writes.length > 0)).toHaveLength(1)
      })
    })

    describe('leases', () => {
      it('fall due again under the same id when they run out, and the attempt counts', async () => {
        const { id } = await send('a')
        await claim()
        under.clock.forward(LEASE_MS - 1)
        expect(await ids({ lease: 'l2' })).toEqual([])
        under.clock.forward(1)
        expect(await claim({ lease: 'l2' })).toMatchObject([{ id, attempts: 2, lease: 'l2' }])
      })
      it('are given back at once, with the attempt kept', async () => {
        const { id } = await send('a')
        await send('b', { refId: '+2' })
        await claim()
        expect(await shelf().release(tenant, 'nobody')).toBe(0)
        expect(await shelf().release(tenant, 'l')).toBe(2)
        expect(await claim({ lease: 'l2', limit: 1 })).toMatchObject([{ id, attempts: 2 }])
        expect(await shelf().release(tenant, 'l')).toBe(0)
      })
      it('tell when the next delivery falls due', async () => {
        const due = () => shelf().nextDueIn(tenant, { channel: 'sms', account: '+1000' })
        expect(await due()).toBeNull()
        const { id } = await send('a')
        expect(await due()).toBe(0)
        await claim()
        expect(await due()).toBe(LEASE_MS)
        await settle(id, { state: 'due', at: under.clock.in(500), reason: '' })
        expect(await due()).toBe(500)
        under.clock.forward(9_000)
        expect(await due()).toBe(0)
        expect(await shelf().nextDueIn(tenant, { channel: 'sms', account: '+2000' })).toBeNull()
      })
    })

    describe('expiry', () => {
      it('leases a delivery whose time has passed like any other: who leases it settles it for all to see', async () => {
        const late = await send('a', { expiresAt: under.clock.in(1_000) })
        const next = await send('b')
        under.clock.forward(1_000)
        expect(await claim()).toMatchObject([{ id: late.id, state: 'leased', expiresAt: under.clock.in(0) }])
        expect(await shelf().deadLetters(tenant, '', 10)).toEqual([])
        await settle(late.id, { state: 'dead', reason: 'expired' })
        expect(await ids()).toEqual([next.id])
        expect(await shelf().deadLetters(tenant, '', 10)).toMatchObject([
          { id: late.id, reason: 'expired', state: 'dead', lease: '' },
        ])
      })
      it('is told in UTC, whatever time zone it was given in', async () => {
        const local = under.clock.in(2 * 60 * 60 * 1_000 + 1_000).replace('Z', '+02:00')
        await send('a', { expiresAt: local })
        expect(await claim()).toMatchObject([{ expiresAt: under.clock.in(1_000) }])
      })
      it('is forgotten by a replay: who replays a dead letter wants it sent', async () => {
        const { id } = await send('a', { expiresAt: under.clock.in(1_000) })
        under.clock.forward(1_000)
        await claim()
        await settle(id, { state: 'dead', reason: 'expired' })
        expect(await shelf().replay(tenant, id)).toBe(true)
        expect(await claim()).toMatchObject([{ id, attempts: 1, expiresAt: null }])
      })
    })

    describe('dead letters', () => {
      const bury = async (refId: string) => {
        const { id } = await send('x', { refId })
        await claim()
        await settle(id, { state: 'dead', reason: 'gone' })
        return id
      }
      it('are listed oldest first, page by page', async () => {
        const buried = [await bury('+1'), await bury('+2'), await bury('+3')]
        const page = await shelf().deadLetters(tenant, '', 2)
        expect(page.map(({ id }) => id)).toEqual(buried.slice(0, 2))
        const rest = await shelf().deadLetters(tenant, page[1]!.id, 2)
        expect(rest).toMatchObject([{ id: buried[2], reason: 'gone' }])
      })
      it('are due again after a replay, with the attempts forgotten', async () => {
        const id = await bury('+1')
        expect(await shelf().replay(tenant, id)).toBe(true)
        expect(await shelf().replay(tenant, id)).toBe(false)
        expect(await shelf().deadLetters(tenant, '', 10)).toEqual([])
        expect(await claim()).toMatchObject([{ id, attempts: 1, reason: '' }])
      })
      it('wait after a replay while another one for the recipient is on its way', async () => {
        const id = await bury('+1')
        const later = await send('b')
        const last = await send('c')
        expect(await ids()).toEqual([later.id])
        await shelf().replay(tenant, id)
        expect(await ids({ lease: 'l2' })).toEqual([])
        await settle(later.id, { state: 'done' })
        expect(await ids()).toEqual([id])
        await settle(id, { state: 'done' })
        expect(await ids()).toEqual([last.id])
      })
      it('are the only ones that can be replayed', async () => {
        const { id } = await send('a')
        expect(await shelf().replay(tenant, id)).toBe(false)
        expect(await shelf().replay(tenant, newDeliveryId())).toBe(false)
      })
    })

    it('refuses a second delivery with one id, and a body over 512 KB', async () => {
      const { id } = await send('a')
      const delivery = {
        id,
        to: addressOf('+1'),
        conversationId: ann1,
        messageId: null,
        recipient: ann.id,
        notificationId: null,
        body: '{}',
        expiresAt: null,
      }
      const twice = note(store(), { kind: 'deliver', delivery })
      await expect(twice).rejects.toMatchObject({ code: 'internal' })
      const huge = note(store(), {
        kind: 'deliver',
        delivery: { ...delivery, id: newDeliveryId(), body: 'x'.repeat(512 * 1024 + 1) },
      })
      await expect(huge).rejects.toMatchObject({ code: 'internal' })
    })
  })
}
