// What each event means: the picture before and after it.
import fc from 'fast-check'
import { blank, memberOf } from '../../src/model/conversation'
import { isInternalDraft, isPublic, type EventDraft } from '../../src/model/events'
import { evolve } from '../../src/model/evolve'
import { DEFAULT_TENANT } from '../../src/model/ids'
import { newAccountId, newConversationId, newParticipantId } from '../../src/model/new-id'
import { SYSTEM, type Person } from '../../src/model/participant'
import { addressOf, ann, bo, done, ended, joined, openingAt, said, whispered } from '../support/log-fixtures'
import { after, logOf, timeOf } from '../support/picture'

const cy: Person = { id: newParticipantId(), role: 'supervisor', name: 'Cy' }
const account = newAccountId()
const boJoined: EventDraft = {
  type: 'participantJoined',
  presence: 'live',
  participant: bo,
  ordinal: 2,
  account,
  by: bo,
}
const boLeft: EventDraft = { type: 'participantLeft', participant: bo, reason: 'left', by: bo }
const cyWatches: EventDraft = { type: 'observerJoined', participant: cy, ordinal: 3, by: cy }
const cyGone: EventDraft = { type: 'observerLeft', participant: cy, reason: 'disconnected', by: SYSTEM }
const annLive: EventDraft = { type: 'presenceChanged', participant: ann, presence: 'live', by: ann }
const idleWarned: EventDraft = { type: 'idleWarned', endsAt: '', by: SYSTEM }

const EVERY: readonly EventDraft[] = [
  joined,
  boJoined,
  boLeft,
  cyWatches,
  cyGone,
  annLive,
  idleWarned,
  said('a'),
  whispered('b'),
  done('nod'),
  ended,
]

describe('a picture', () => {
  it('begins open, empty and as old as its opening', () => {
    const { conversation } = logOf([])
    expect(conversation).toMatchObject({ status: 'open', position: 0, publicPosition: 0, memberships: [] })
    expect(conversation.activeAt).toBe(conversation.opening.at)
  })
  it('counts every event, and public ones besides, without gaps', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVERY), { maxLength: 30 }), (drafts) => {
        const { conversation, events } = logOf(drafts)
        expect(events.map(({ position }) => position)).toEqual(drafts.map((_, i) => i + 1))
        const heard = events.filter(isPublic)
        expect(heard.map(({ publicPosition }) => publicPosition)).toEqual(heard.map((_, i) => i + 1))
        expect(heard).toHaveLength(drafts.filter((draft) => !isInternalDraft(draft)).length)
        expect(conversation).toMatchObject({ position: drafts.length, publicPosition: heard.length })
      }),
    )
  })
  it('is the same however its events are cut into batches, and changes nothing in place', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVERY), { maxLength: 20 }), fc.nat(20), (drafts, cut) => {
        const start = blank(DEFAULT_TENANT, newConversationId(), openingAt(addressOf('+1')))
        const frozen = JSON.stringify(start)
        const whole = after(start, drafts).conversation
        const half = after(start, drafts.slice(0, cut)).conversation
        expect(after(half, drafts.slice(cut)).conversation).toEqual(whole)
        expect(JSON.stringify(start)).toBe(frozen)
      }),
    )
  })
})

describe('a membership', () => {
  it('begins with a joining and ends with a leaving, and is never forgotten', () => {
    const { conversation } = logOf([joined, boJoined, boLeft])
    expect(conversation.memberships).toEqual([
      { ...ann, ordinal: 1, presence: 'carried', silent: false, left: false },
      { ...bo, ordinal: 2, presence: 'live', silent: false, left: true, account },
    ])
    expect(memberOf(conversation, bo.id)).toBeUndefined()
    expect(memberOf(conversation, ann.id)).toMatchObject({ name: 'Ann' })
  })
  it('that begins again keeps its place and its ordinal', () => {
    const renamed = { ...bo, name: 'Bo the second' }
    const again = { ...boJoined, participant: renamed, ordinal: 9 }
    const { conversation } = logOf([boJoined, joined, boLeft, again])
    expect(conversation.memberships).toMatchObject([
      { id: bo.id, name: 'Bo the second', ordinal: 2, left: false },
      { id: ann.id },
    ])
  })
  it('of an observer is silent and live, until it leaves', () => {
    const { conversation } = logOf([cyWatches])
    expect(conversation.memberships).toMatchObject([{ id: cy.id, silent: true, presence: 'live', left: false }])
    expect(after(conversation, [cyGone]).conversation.memberships).toMatchObject([{ left: true }])
  })
  it('changes its presence without coming or going', () => {
    expect(logOf([joined, annLive]).conversation.memberships).toMatchObject([{ presence: 'live', left: false }])
  })
})

describe('silence', () => {
  it('is counted from the last time that somebody visible came or spoke', () => {
    const wakes = EVERY.filter((draft) => logOf([cyWatches, draft]).conversation.activeAt === timeOf(2))
    expect(wakes.map(({ type }) => type)).toEqual([
      'participantJoined',
      'participantJoined',
      'messageSent',
      'whispered',
    ])
  })
  it('that was warned of is forgotten when somebody speaks, and not when somebody nods', () => {
    const { conversation } = logOf([joined, idleWarned])
    expect(conversation).toMatchObject({ idleWarned: true, activeAt: timeOf(1) })
    expect(after(conversation, [done('nod')]).conversation.idleWarned).toBe(true)
    expect(after(conversation, [said('a')]).conversation).toMatchObject({ idleWarned: false, activeAt: timeOf(3) })
  })
})

it('the end is an event like any other: it closes the picture and says when', () => {
  const { conversation, events } = logOf([joined, ended])
  expect(conversation).toMatchObject({ status: 'ended', endedAt: timeOf(2), position: 2 })
  expect(evolve(logOf([joined]).conversation, events[1]!)).toMatchObject({ status: 'ended' })
})
