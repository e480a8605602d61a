// What is left of an event and a picture that are erased: everything but words and names, whichever event it is.
import { blank } from '../../src/model/conversation'
import { erasedEvent, isErased } from '../../src/model/erased'
import { evolve } from '../../src/model/evolve'
import type { EventDraft } from '../../src/model/events'
import type { EventId } from '../../src/model/ids'
import { addressOf, ann, bo, done, ended, joined, openingAt, said, tenant, whispered } from '../support/log-fixtures'
import { newConversationId } from '../../src/model/new-id'
import { after, logOf } from '../support/picture'

const quiet: EventDraft = { type: 'observerJoined', participant: bo, ordinal: 2, by: bo }
const receipt = { participant: ann, state: 'failed', messageId: 'm' as EventId, reason: 'secret', by: ann } as const
const EVERY: readonly EventDraft[] = [
  joined,
  quiet,
  { ...said('secret'), to: [ann] } as EventDraft,
  whispered('secret'),
  done('secret', { secret: 'secret' }),
  { ...done('secret'), type: 'internalActivity', tag: '' } as EventDraft,
  { type: 'receiptAdvanced', ...receipt },
  { type: 'internalReceiptAdvanced', ...receipt },
  { type: 'presenceChanged', participant: ann, presence: 'live', by: ann },
  { type: 'idleWarned', endsAt: '2030-01-01T00:00:00.000Z', by: { id: 'system', role: 'system', name: 'System' } },
  { type: 'observerLeft', participant: bo, reason: 'left', by: bo },
  { type: 'participantLeft', participant: ann, reason: 'disconnected', by: ann },
  ended,
]
const record: EventDraft = { type: 'conversationErased', counts: { events: 1, deliveries: 2, files: 3 }, by: bo }

describe('an erased event', () => {
  const { events } = logOf(EVERY)
  it.each(events.map((event) => [event.type, event] as const))(
    '%s has no word and no name, and keeps its place',
    (_, event) => {
      const erased = erasedEvent(event)
      expect(JSON.stringify(erased)).not.toMatch(/secret|\b(?:Ann|Bo)\b/)
      const { id, type, at, position, publicPosition } = event
      expect(erased).toMatchObject({
        id,
        type,
        at,
        position,
        publicPosition,
        by: { id: event.by.id, role: event.by.role },
      })
      expect(erasedEvent(erased)).toEqual(erased)
    },
  )
  it('keeps the keys under which it was said', () => {
    const keyed = logOf([{ ...said('secret'), clientMessageId: 'key', digest: 'digest' } as EventDraft]).events[0]!
    expect(erasedEvent(keyed)).toMatchObject({ clientMessageId: 'key', digest: 'digest', content: { text: '' } })
  })
  it('that is the record of an erasure says who had it erased', () => {
    const { events } = logOf([record])
    expect(erasedEvent(events[0]!)).toEqual(events[0])
  })
})

describe('an erased picture', () => {
  it('has members without names, and an opening without anybody', () => {
    const { conversation } = logOf([...EVERY, record], { comment: 'secret', channelData: { secret: 1 } })
    expect(isErased(conversation)).toBe(true)
    expect(JSON.stringify(conversation)).not.toMatch(/secret|\b(?:Ann|Bo)\b|"\+1"/)
    expect(conversation.memberships.map(({ id, ordinal, left }) => ({ id, ordinal, left }))).toEqual([
      { id: ann.id, ordinal: 1, left: true },
      { id: bo.id, ordinal: 2, left: true },
    ])
    expect(conversation.opening.customer.participantId).toBe(ann.id)
  })
  it('is the same whether it was written before its events were erased or after', () => {
    const { events } = logOf([...EVERY, record])
    const start = blank(tenant, events[0]!.conversationId, openingAt(addressOf('+1')))
    expect(events.map(erasedEvent).reduce(evolve, start)).toEqual(events.reduce(evolve, start))
  })
  it('stays erased whatever is written behind it, and no other picture is', () => {
    const { conversation } = logOf([joined, ended, record])
    expect(isErased(after(conversation, [{ type: 'receiptAdvanced', ...receipt }]).conversation)).toBe(true)
    expect(isErased(blank(tenant, newConversationId(), openingAt(addressOf('+1'))))).toBe(false)
  })
})
