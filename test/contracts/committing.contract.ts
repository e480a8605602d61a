// What becomes of calls that share a commit: who fails alone, who hears what, and what closing means.
import type { ConversationEvent } from '../../src/model/events'
import { newConversationId, newDeliveryId } from '../../src/model/new-id'
import type { Write } from '../../src/store/writes'
import type { OpenDatabase, TestDatabase } from '../support/databases'
import {
  addressOf,
  ann,
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

export function committingContract(name: string, openDatabase: OpenDatabase): void {
  describe(`committing: ${name}`, () => {
    let under: TestDatabase
    beforeEach(async () => {
      under = await openDatabase()
    })
    afterEach(() => under.close())
    const store = () => under.database.conversations

    describe('when something fails', () => {
      it('fails a poisoned row alone, and writes its 20 neighbours of the same batch', async () => {
        const id = await open(store(), '+1')
        const poison: Write = {
          kind: 'parts',
          deliveryId: newDeliveryId(),
          keys: [{ channel: 'sms', account: '+1000', providerId: 'p' }],
        }
        const calls = Array.from({ length: 21 }, (_, i) =>
          i === 7
            ? store().update({ tenant, conversationId: id }, () => ({ events: [said('poison')], writes: [poison] }))
            : write(store(), id, said(`${i}`)),
        )
        const outcomes = await Promise.allSettled(calls)
        expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1)
        expect(outcomes[7]).toMatchObject({ status: 'rejected', reason: { code: 'internal' } })
        const all = await store().events(tenant, id, 0, 100)
        expect(all.map((event) => event.position)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1))
        expect(JSON.stringify(all)).not.toContain('poison')
      })
      it('fails an event alone that cannot be written as JSON', async () => {
        const id = await open(store(), '+1')
        const poison = done('x', { big: 1n as never })
        const calls = [write(store(), id, said('a')), write(store(), id, poison), write(store(), id, said('b'))]
        const outcomes = await Promise.allSettled(calls)
        expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
        expect(await store().events(tenant, id, 1, 10)).toHaveLength(2)
      })
      it('fails a key alone that is too long', async () => {
        const id = await open(store(), '+1')
        const calls = [sayOnce(store(), id, { key: 'k'.repeat(257) }), sayOnce(store(), id, { key: 'k' })]
        const outcomes = await Promise.allSettled(calls)
        expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
      })
      it('rejects only the call whose rule throws, with what it threw', async () => {
        const id = await open(store(), '+1')
        const refusal = new Error('not open')
        const refused = store().update({ tenant, conversationId: id }, () => {
          throw refusal
        })
        const outcomes = await Promise.allSettled([write(store(), id, said('a')), refused, write(store(), id, ended)])
        expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
        expect(outcomes[1]).toEqual({ status: 'rejected', reason: refusal })
      })
      it('writes nothing of a decision of which one row cannot be written', async () => {
        const id = await open(store(), '+1')
        const deliveryId = newDeliveryId()
        const address = addressOf('+66')
        const writes: Write[] = [
          { kind: 'suppress', address },
          { kind: 'parts', deliveryId, keys: [{ channel: 'sms', account: '', providerId: 'p' }] },
        ]
        const call = store().update({ tenant, conversationId: id }, () => ({ events: [ended], writes }))
        await expect(call).rejects.toMatchObject({ code: 'internal' })
        expect((await look(store(), { tenant, suppressed: address })).suppressed).toBe(false)
        expect(await store().find(tenant, id)).toMatchObject({ status: 'open', position: 1 })
        expect((await look(store(), { tenant, address: addressOf('+1') })).conversation!.id).toBe(id)
      })
      it('refuses events that belong to no conversation', async () => {
        const call = store().update({ tenant, conversationId: newConversationId() }, () => ({ events: [said('a')] }))
        await expect(call).rejects.toThrow('without a conversation')
      })
      it('writes nothing where the rule decides nothing', async () => {
        const id = await open(store(), '+1')
        let heard = 0
        store().onCommitted(() => heard++)
        const outcome = await store().update({ tenant, conversationId: id }, () => ({ events: [] }))
        expect(outcome).toMatchObject({ events: [], conversation: { id, position: 1 } })
        expect(heard).toBe(0)
      })
    })

    describe('listeners', () => {
      it('hear events in order, before the calls that wrote them return', async () => {
        const id = await open(store(), '+1')
        const heard: ConversationEvent[] = []
        store().onCommitted((events) => heard.push(...events))
        const calls = Array.from({ length: 20 }, async (_, i) => {
          const { events } = await write(store(), id, said(`${i}`), whispered(`${i}`))
          expect(heard).toEqual(expect.arrayContaining([...events]))
        })
        await Promise.all(calls)
        expect(heard.map((event) => event.position)).toEqual(Array.from({ length: 40 }, (_, i) => i + 2))
      })
      it('hear the writes, with the ids that were stamped', async () => {
        const id = await open(store(), '+1')
        const heard: Write[] = []
        store().onCommitted((_events, writes) => heard.push(...writes))
        const receipt = { kind: 'receipt', conversationId: id, recipient: ann.id, state: 'sent' } as const
        await store().update({ tenant, conversationId: id }, () => ({
          events: [said('a')],
          writes: [{ ...receipt, messageId: 'first' }],
        }))
        expect(heard).toEqual([{ ...receipt, messageId: `${id}.2` }])
      })
      it('cannot undo what is written by throwing', async () => {
        const id = await open(store(), '+1')
        const broken = new Error('broken listener')
        store().onCommitted(() => {
          throw broken
        })
        await write(store(), id, said('a'))
        expect(under.faults).toEqual([broken])
        expect(await store().events(tenant, id, 1, 10)).toHaveLength(1)
      })
    })

    describe('closing', () => {
      it('finishes what was accepted and refuses what comes later', async () => {
        const id = await open(store(), '+1')
        const accepted = write(store(), id, said('a'))
        const closing = under.database.close()
        await expect(write(store(), id, said('b'))).rejects.toMatchObject({ code: 'unavailable' })
        await expect(accepted).resolves.toMatchObject({ events: [{ position: 2 }] })
        await closing
      })
      it('is ready while it is open', async () => {
        await expect(under.database.ready()).resolves.toBeUndefined()
      })
    })

    describe('suppression and quotas', () => {
      it('counts a quota by key and day', async () => {
        const count = { kind: 'countQuota', keyId: 'k', day: '2030-01-01' } as const
        await Promise.all([note(store(), count), note(store(), count), note(store(), { ...count, keyId: 'other' })])
        expect((await look(store(), { tenant, quota: { keyId: 'k', day: '2030-01-01' } })).quotaUsed).toBe(2)
        expect((await look(store(), { tenant, quota: { keyId: 'k', day: '2030-01-02' } })).quotaUsed).toBe(0)
      })
      it('lets exactly as many through as a quota allows, however concurrently they come', async () => {
        const quota = { keyId: 'k', day: '2030-01-01' }
        const spend = () =>
          store().update({ tenant, quota }, (view) => ({
            events: [],
            writes: view.quotaUsed < 3 ? [{ kind: 'countQuota', ...quota } as const] : [],
          }))
        const outcomes = await Promise.all(Array.from({ length: 10 }, spend))
        expect(outcomes.filter(({ decision }) => decision.writes.length > 0)).toHaveLength(3)
      })
    })
  })
}
