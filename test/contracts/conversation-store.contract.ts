// What every conversation store must do, whatever it writes to.
import { newConversationId } from '../../src/model/new-id'
import type { OpenDatabase, TestDatabase } from '../support/databases'
import {
  addressOf,
  ann,
  arrive,
  done,
  ended,
  look,
  open,
  openingAt,
  joined,
  said,
  sayOnce,
  tenant,
  whispered,
  write,
} from '../support/log-fixtures'

/** Claims nothing. */
const LOOK = { limit: 10, claimMs: 0 }

export function conversationStoreContract(name: string, openDatabase: OpenDatabase): void {
  describe(`conversation store: ${name}`, () => {
    let under: TestDatabase
    beforeEach(async () => {
      under = await openDatabase()
    })
    afterEach(() => under.close())
    const store = () => under.database.conversations

    describe('opening by address', () => {
      it('gives one conversation to 50 concurrent arrivals from one address', async () => {
        const arrivals = await Promise.all(Array.from({ length: 50 }, () => arrive(store(), '+1')))
        expect(new Set(arrivals.map(({ conversation }) => conversation!.id)).size).toBe(1)
        expect(arrivals.filter(({ decision }) => decision.open)).toHaveLength(1)
      })
      it('gives each of many concurrent addresses its own', async () => {
        const ids = await Promise.all(Array.from({ length: 30 }, (_, i) => open(store(), `+${i}`)))
        expect(new Set(ids).size).toBe(30)
      })
      it('frees the address when the conversation ends', async () => {
        const first = await open(store(), '+1')
        await write(store(), first, ended)
        const second = await open(store(), '+1')
        expect(second).not.toBe(first)
        expect((await store().find(tenant, first))!.status).toBe('ended')
        expect((await look(store(), { tenant, address: addressOf('+1') })).conversation!.id).toBe(second)
      })
      it('keeps the address of the next conversation when the last one is written to again', async () => {
        const first = await open(store(), '+1')
        await write(store(), first, ended)
        const second = await open(store(), '+1')
        await write(store(), first, done('survey'))
        expect((await look(store(), { tenant, address: addressOf('+1') })).conversation!.id).toBe(second)
      })
      it('holds no address for a conversation on the web', async () => {
        const id = await open(store(), '+1', { carried: false })
        expect((await look(store(), { tenant, address: addressOf('+1') })).conversation).toBeNull()
        expect(await store().find(tenant, id)).not.toBeNull()
      })
    })

    describe('idempotency keys', () => {
      it('decide ten concurrent calls with one key as new exactly once, and the rest see the event', async () => {
        const id = await open(store(), '+1')
        const outcomes = await Promise.all(Array.from({ length: 10 }, () => sayOnce(store(), id, { key: 'k' })))
        const fresh = outcomes.filter(({ view }) => !view.once)
        expect(fresh).toHaveLength(1)
        const event = fresh[0]!.events[0]!
        const repeats = outcomes.filter(({ view }) => view.once)
        expect(repeats.map(({ view }) => view.event)).toEqual(Array.from({ length: 9 }, () => event))
        expect(repeats[0]!.view.once).toEqual({ conversationId: id, position: 2, note: 'n', expiresAt: null })
      })
      it('lead from a repeat to the conversation, even when that has ended', async () => {
        const id = await open(store(), '+1')
        await sayOnce(store(), id, { key: 'k' })
        await write(store(), id, ended)
        const view = await look(store(), { tenant, address: addressOf('+1'), once: { scope: id, key: 'k' } })
        expect(view.conversation!.id).toBe(id)
        expect(view.event).toMatchObject({ position: 2, type: 'messageSent' })
      })
      it('lead to the event that they were written with, be it not the first', async () => {
        const id = await open(store(), '+1')
        const needs = { tenant, conversationId: id, once: { scope: 'external', key: 'k' } }
        const once = { note: '', expiresAt: null, event: 1 }
        await store().update(needs, () => ({ events: [said('one'), said('two')], once }))
        expect((await look(store(), needs)).event).toMatchObject({ position: 3, content: { text: 'two' } })
      })
      it('are free again when they have expired', async () => {
        const id = await open(store(), '+1')
        await sayOnce(store(), id, { key: 'k', expiresAt: under.clock.in(1_000) })
        expect((await sayOnce(store(), id, { key: 'k' })).view.once).not.toBeNull()
        under.clock.forward(1_001)
        const again = await sayOnce(store(), id, { key: 'k', text: 'again' })
        expect(again.view.once).toBeNull()
        expect(again.events).toHaveLength(1)
        expect((await sayOnce(store(), id, { key: 'k' })).view.event!.position).toBe(3)
      })
      it('may be written without a conversation', async () => {
        const once = { scope: 'notification', key: 'k' }
        await store().update({ tenant, once }, () => ({ events: [], once: { note: 'id', expiresAt: null } }))
        expect((await look(store(), { tenant, once })).once).toMatchObject({
          conversationId: '',
          position: 0,
          note: 'id',
        })
      })
    })

    describe('looking around', () => {
      it('finds an event by its public id and by its internal id', async () => {
        const id = await open(store(), '+1')
        const { events } = await write(store(), id, said('a'), whispered('b'))
        for (const event of events) {
          const view = await look(store(), { tenant, eventId: event.id })
          expect(view.event).toEqual(event)
          expect(view.conversation!.id).toBe(id)
        }
      })
      it('finds no event of another conversation under a conversation that is named', async () => {
        const id = await open(store(), '+1')
        const other = await open(store(), '+2')
        const { events } = await write(store(), other, said('a'))
        const view = await look(store(), { tenant, conversationId: id, eventId: events[0]!.id })
        expect(view.conversation!.id).toBe(id)
        expect(view.event).toBeNull()
      })
      it('tells the last position of many conversations at once, and leaves out who is unknown', async () => {
        const [a, b, c] = await Promise.all(['+1', '+2', '+3'].map((refId) => open(store(), refId)))
        await write(store(), a!, said('one'), whispered('two'))
        await write(store(), b!, said('one'))
        const address = addressOf('+4')
        const opening = { id: newConversationId(), opening: openingAt(address) }
        const empty = await store().update({ tenant, address }, () => ({ open: opening, events: [] }))
        const ids = [a!, b!, empty.conversation!.id, newConversationId()]
        const positions = await store().positions(tenant, ids)
        expect([...positions].sort()).toEqual(
          [
            [a, 3],
            [b, 2],
            [ids[2], 0],
          ].sort(),
        )
        expect(await store().positions('other' as typeof tenant, [a!, c!])).toEqual(new Map())
        expect(await store().positions(tenant, [])).toEqual(new Map())
      })
      it('lists conversations by status, page by page', async () => {
        const ids = await Promise.all(Array.from({ length: 5 }, (_, i) => open(store(), `+${i}`)))
        const [gone, ...alive] = ids
        await write(store(), gone!, ended)
        const first = await store().list(tenant, 'open', '', 3)
        const second = await store().list(tenant, 'open', first.at(-1)!.id, 3)
        expect([...first, ...second].map((conversation) => conversation.id)).toEqual([...alive].sort())
        expect(await store().list(tenant, 'ended', '', 9)).toMatchObject([{ id: gone }])
      })
      it('finds those in which nobody spoke for long, longest first', async () => {
        const [a, b, c] = await Promise.all(['+1', '+2', '+3'].map((refId) => open(store(), refId)))
        under.clock.forward(1_000)
        await write(store(), a!, said('still here'))
        under.clock.forward(1_000)
        await write(store(), b!, said('me too'))
        await write(store(), c!, ended)
        const before = (endBefore: string) => ({ warnBefore: '', endBefore, unjoinedBefore: '' })
        const idle = await store().claimIdle(tenant, before(under.clock.in(1)), LOOK)
        expect(idle.map((conversation) => conversation.id)).toEqual([a, b])
        expect(await store().claimIdle(tenant, before(under.clock.in(1)), { ...LOOK, limit: 1 })).toHaveLength(1)
        expect(await store().claimIdle(tenant, before(under.clock.in(-1_000)), LOOK)).toEqual([])
        expect(await store().claimIdle(tenant, before(''), LOOK)).toEqual([])
      })
      it('finds the silent only while something is due: who was warned is left out until the end is, who never joined is not warned', async () => {
        const [warned, fresh] = await Promise.all(['+1', '+2'].map((refId) => open(store(), refId)))
        await write(store(), warned!, { type: 'idleWarned', endsAt: '', by: ann })
        const address = addressOf('+3')
        const opened = await store().update({ tenant, address }, () => ({
          open: { id: newConversationId(), opening: openingAt(address) },
          events: [],
        }))
        const later = under.clock.in(1)
        const due = async (silence: object) => {
          const nothing = { warnBefore: '', endBefore: '', unjoinedBefore: '' }
          const found = await store().claimIdle(tenant, { ...nothing, ...silence }, LOOK)
          return found.map((conversation) => conversation.id).sort()
        }
        const unjoined = opened.conversation!.id
        expect(await due({ warnBefore: later })).toEqual([fresh!])
        expect(await due({ endBefore: later })).toEqual([warned!, fresh!].sort())
        expect(await due({ unjoinedBefore: later })).toEqual([unjoined])
        await write(store(), warned!, said('here again'))
        expect(await due({ warnBefore: later })).toEqual([warned!, fresh!].sort())
      })
      it('gives what is silent to one who asks, in parts, and to another when the claim has run out', async () => {
        const ids = await Promise.all(Array.from({ length: 5 }, (_, i) => open(store(), `+${i}`)))
        under.clock.forward(1_000)
        const silence = { warnBefore: '', endBefore: under.clock.in(0), unjoinedBefore: '' }
        const claim = async (limit: number) =>
          (await store().claimIdle(tenant, silence, { limit, claimMs: 500 })).map((conversation) => conversation.id)
        const parts = await Promise.all([claim(2), claim(2), claim(2)])
        expect(parts.flat().sort()).toEqual([...ids].sort())
        expect(await claim(9)).toEqual([])
        await write(store(), ids[0]!, said('still here'))
        under.clock.forward(499)
        expect(await claim(9)).toEqual([])
        under.clock.forward(1)
        expect((await claim(9)).sort()).toEqual(ids.slice(1).sort())
      })
      it('opens and ends in one decision without holding the address', async () => {
        await store().update({ tenant, address: addressOf('+1') }, () => ({
          open: { id: newConversationId(), opening: openingAt(addressOf('+1')) },
          events: [joined, ended],
        }))
        expect((await look(store(), { tenant, address: addressOf('+1') })).conversation).toBeNull()
      })
    })
  })
}
