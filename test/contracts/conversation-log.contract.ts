// What every conversation store keeps of what was said, whatever it writes to.
import type { OpenDatabase, TestDatabase } from '../support/databases'
import { addressOf, ann, look, open, openingAt, said, sayOnce, tenant, whispered, write } from '../support/log-fixtures'

export function conversationLogContract(name: string, openDatabase: OpenDatabase): void {
  describe(`log of a conversation: ${name}`, () => {
    let under: TestDatabase
    beforeEach(async () => {
      under = await openDatabase()
    })
    afterEach(() => under.close())
    const store = () => under.database.conversations

    it('numbers positions and public positions from 1 without gaps', async () => {
      const id = await open(store(), '+1')
      await write(store(), id, said('a'), whispered('b'))
      await write(store(), id, whispered('c'), said('d'))
      const all = await store().events(tenant, id, 0, 100)
      expect(all.map((event) => event.position)).toEqual([1, 2, 3, 4, 5])
      expect(all.map((event) => event.publicPosition)).toEqual([1, 2, null, null, 3])
      const heard = await store().publicEvents(tenant, id, 0, 100)
      expect(heard.map((event) => event.publicPosition)).toEqual([1, 2, 3])
      expect(heard.map((event) => event.id)).toEqual([`${id}.1`, `${id}.2`, `${id}.3`])
    })
    it('pages from a position on', async () => {
      const id = await open(store(), '+1')
      await write(store(), id, said('a'), whispered('b'), said('c'), said('d'))
      const page = await store().events(tenant, id, 2, 2)
      expect(page.map((event) => event.position)).toEqual([3, 4])
      const heard = await store().publicEvents(tenant, id, 2, 1)
      expect(heard.map((event) => event.publicPosition)).toEqual([3])
      expect(await store().events(tenant, id, 5, 10)).toEqual([])
    })
    it('gives the same pages as they are stored, for whoever does not read them', async () => {
      const id = await open(store(), '+1')
      await write(store(), id, said('a'), whispered('b'), said('c'), said('d'))
      const [page, heard] = await Promise.all([
        store().storedEvents({ tenant, id, audience: 'staff', after: 2, limit: 2 }),
        store().storedEvents({ tenant, id, audience: 'public', after: 2, limit: 5 }),
      ])
      expect(page.map((text) => JSON.parse(text) as unknown)).toEqual(await store().events(tenant, id, 2, 2))
      expect(heard.map((text) => JSON.parse(text) as unknown)).toEqual(await store().publicEvents(tenant, id, 2, 5))
      expect(heard.join()).not.toContain('"b"')
    })
    it('gives back every event as it was announced', async () => {
      const id = await open(store(), '+1')
      const { events } = await write(store(), id, said('héllo 👋'), whispered('b'))
      expect(await store().events(tenant, id, 1, 10)).toEqual(events)
    })
    it('numbers concurrent updates of one conversation one after another', async () => {
      const id = await open(store(), '+1')
      const outcomes = await Promise.all(Array.from({ length: 60 }, (_, i) => write(store(), id, said(`${i}`))))
      expect(outcomes.map(({ events }) => events[0]!.position)).toEqual(Array.from({ length: 60 }, (_, i) => i + 2))
      expect(outcomes.at(-1)!.conversation!.position).toBe(61)
      expect(await store().find(tenant, id)).toEqual(outcomes.at(-1)!.conversation)
    })
    it('shows each decision what those before it in the batch decided', async () => {
      const id = await open(store(), '+1')
      const seen: number[] = []
      const say = () =>
        store().update({ tenant, conversationId: id }, (view) => {
          seen.push(view.conversation!.position)
          return { events: [said('x')] }
        })
      await Promise.all([say(), say(), say()])
      expect(seen).toEqual([1, 2, 3])
    })
    it('keeps the picture in step with the log', async () => {
      const id = await open(store(), '+1')
      under.clock.forward(1_000)
      await write(store(), id, said('a'))
      await write(store(), id, { type: 'idleWarned', endsAt: '', by: ann })
      const found = await store().find(tenant, id)
      expect(found).toMatchObject({ status: 'open', position: 3, idleWarned: true, activeAt: under.clock.in(0) })
      expect(found!.memberships).toMatchObject([{ id: ann.id, left: false, presence: 'carried' }])
      expect(found!.opening).toEqual(openingAt(addressOf('+1')))
      expect(await look(store(), { tenant, conversationId: id, eventId: `${id}.1` as never })).toMatchObject({
        conversation: found,
      })
    })
    it('keeps every character of what clients choose, and tells them apart', async () => {
      const id = await open(store(), '+1')
      const keys = ['a\u0000b', 'ab', 'a\u0001b', 'a\u00010b', 'ä\n', "'; drop table event; --", '{"a\\",null}']
      for (const key of keys) await sayOnce(store(), id, { key, text: `${key}\ud83d` })
      for (const [i, key] of keys.entries()) {
        const again = await sayOnce(store(), id, { key })
        expect(again.view.event).toMatchObject({ position: i + 2, content: { text: `${key}\ud83d` } })
      }
      const unknown = await look(store(), { tenant, conversationId: 'no\u0000body' as typeof id })
      expect(unknown.conversation).toBeNull()
      expect(await store().find(tenant, 'no\u0000body' as typeof id)).toBeNull()
      expect((await look(store(), { tenant, eventId: `${id}.999999999999` as never })).event).toBeNull()
    })
    it('knows nothing of a conversation of another tenant', async () => {
      const id = await open(store(), '+1')
      const other = 'other' as typeof tenant
      expect(await store().find(other, id)).toBeNull()
      expect(await store().events(other, id, 0, 10)).toEqual([])
      expect((await look(store(), { tenant: other, conversationId: id })).conversation).toBeNull()
    })
  })
}
