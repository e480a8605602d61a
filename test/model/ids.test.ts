// Ids: unguessable, readable back, and silent about what their reader may not know.
import fc from 'fast-check'
import { conversationId, eventId, parseEventId } from '../../src/model/ids'
import { newAccountId, newConversationId, newDeliveryId, newId, newParticipantId } from '../../src/model/new-id'
import { said, whispered } from '../support/log-fixtures'
import { logOf } from '../support/picture'

describe('ids', () => {
  it('are 128 random bits, never as long as a socket id of Socket.IO', () => {
    const makers = [newConversationId, newParticipantId, newDeliveryId, newAccountId, newId]
    const made = makers.flatMap((make): string[] => Array.from({ length: 200 }, make))
    for (const id of made) expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/)
    expect(new Set(made).size).toBe(made.length)
  })
  it('of conversations are refused when empty or longer than 64 characters', () => {
    expect(conversationId.safeParse('').success).toBe(false)
    expect(conversationId.safeParse('x'.repeat(65)).success).toBe(false)
    expect(conversationId.safeParse(newConversationId()).success).toBe(true)
  })
})

describe('the id of an event', () => {
  const position = fc.integer({ min: 1, max: 999_999_999_999 })
  it('is read back to where the event stands', () => {
    fc.assert(
      fc.property(position, fc.boolean(), (at, isPublic) => {
        const conversation = newConversationId()
        const id = eventId(conversation, { position: at, publicPosition: isPublic ? at : null })
        const place = isPublic ? { publicPosition: at } : { position: at }
        expect(parseEventId(id)).toEqual({ conversationId: conversation, ...place })
      }),
    )
  })
  it('tells nobody how many internal events lie before a public one', () => {
    const { events, conversation } = logOf([said('a'), whispered('b'), whispered('c'), said('d')])
    expect(events.map(({ id }) => id.slice(conversation.id.length))).toEqual(['.1', '.i2', '.i3', '.2'])
    const quiet = eventId(conversation.id, { position: 2, publicPosition: 2 })
    const whispering = eventId(conversation.id, { position: 900, publicPosition: 2 })
    expect(whispering).toBe(quiet)
  })
  it('is null for every text that is none of ours', () => {
    const id = newConversationId()
    const strange = ['', id, `${id}.`, `${id}.0`, `${id}.01`, `${id}.-1`, `${id}.1.2`, `${id}.x1`, `${id}.I1`]
    const stranger = [` ${id}.1`, `${id}.1\n`, `${id}x.1`, `${id.slice(1)}.1`, `${id}.1234567890123`, `${id}.1e3`]
    for (const text of [...strange, ...stranger]) expect(parseEventId(text)).toBeNull()
    fc.assert(fc.property(fc.string(), (text) => parseEventId(text) === null))
  })
})
