// The rules of coming, going and ending: the truth and a wish in, events out.
import { end, idle, join, leave, seatOf, type Arrival } from '../../src/conversation/rules'
import type { AccountId } from '../../src/model/ids'
import { newAccountId, newParticipantId } from '../../src/model/new-id'
import { SYSTEM, type Person } from '../../src/model/participant'
import type { Decision } from '../../src/store/conversation-store'
import { ann, bo, ended } from '../support/log-fixtures'
import { after, logOf, timeOf, viewOf } from '../support/picture'

const boAccount = newAccountId()
const cy: Person = { id: newParticipantId(), role: 'supervisor', name: 'Cy' }
const cyAccount = newAccountId()

const asCustomer = (more: Partial<Arrival> = {}): Arrival => ({
  participant: ann,
  presence: 'carried',
  silent: false,
  ...more,
})
const asStaff = (participant: Person, account: AccountId, silent = false): Arrival => ({
  participant,
  account,
  presence: 'live',
  silent,
})
type Start = ReturnType<typeof logOf>['conversation']
/** What a decision leads to. */
const then = (start: Start, decide: (view: ReturnType<typeof viewOf>) => Decision) =>
  after(start, decide(viewOf(start)).events).conversation
const blankWeb = logOf([], { carried: false }).conversation
const withAnn = then(logOf([]).conversation, (view) => join(view, asCustomer()))
const withBo = then(withAnn, (view) => join(view, asStaff(bo, boAccount)))
const over = after(withBo, [ended]).conversation

describe('joining', () => {
  it('adds a member, who is told to all with a small number of its own', () => {
    const { events } = join(viewOf(withAnn), asStaff(bo, boAccount))
    expect(events).toEqual([
      { type: 'participantJoined', participant: bo, ordinal: 2, account: boAccount, presence: 'live', by: bo },
    ])
  })
  it('again says nothing new', () => {
    expect(join(viewOf(withBo), asCustomer()).events).toEqual([])
    expect(join(viewOf(withBo), asStaff(bo, boAccount)).events).toEqual([])
  })
  it('is refused where there is no conversation', () => {
    expect(() => join(viewOf(null), asCustomer())).toThrow('There is nothing here for you')
  })
  it('settles a customer’s name by the first join', () => {
    const first = then(blankWeb, (view) => join(view, asCustomer({ participant: { ...ann, name: 'Anna' } })))
    const gone = then(first, (view) => leave(view, ann.id, 'left'))
    const { events } = join(viewOf(gone), asCustomer({ participant: { ...ann, name: 'Mallory' }, presence: 'live' }))
    expect(events).toMatchObject([{ type: 'participantJoined', participant: { id: ann.id, name: 'Anna' }, ordinal: 1 }])
  })
  it('gives staff that was taken away a new participant id, and a number that nobody had', () => {
    const gone = then(withBo, (view) => leave(view, bo.id, 'removed'))
    const again = { ...bo, id: newParticipantId() }
    const back = then(gone, (view) => join(view, asStaff(again, boAccount)))
    expect(back.memberships.map(({ id, ordinal, left }) => [id, ordinal, left])).toEqual([
      [ann.id, 1, false],
      [bo.id, 2, true],
      [again.id, 3, false],
    ])
    expect(seatOf(back, asStaff(bo, boAccount))).toMatchObject({ id: again.id })
  })
  it('of a carried customer’s own socket makes the customer live, and a connector never unmakes it', () => {
    const { events } = join(viewOf(withAnn), asCustomer({ presence: 'live' }))
    expect(events).toEqual([{ type: 'presenceChanged', participant: ann, presence: 'live', by: ann }])
    const live = after(withAnn, events).conversation
    expect(join(viewOf(live), asCustomer({ presence: 'live' })).events).toEqual([])
    expect(join(viewOf(live), asCustomer({ presence: 'carried' })).events).toEqual([])
  })
})

describe('a silent supervisor', () => {
  const watched = then(withBo, (view) => join(view, asStaff(cy, cyAccount, true)))
  it('comes and goes without the public knowing', () => {
    expect(watched.publicPosition).toBe(withBo.publicPosition)
    const gone = then(watched, (view) => leave(view, cy.id, 'left'))
    expect(gone.publicPosition).toBe(withBo.publicPosition)
    expect(gone.memberships.at(-1)).toMatchObject({ id: cy.id, silent: true, left: true })
  })
  it('becomes visible by joining again, under another id, and silent again the same way', () => {
    const seen = { ...cy, id: newParticipantId() }
    const decision = join(viewOf(watched), asStaff(seen, cyAccount))
    expect(decision.events).toMatchObject([
      { type: 'observerLeft', participant: { id: cy.id }, reason: 'left' },
      { type: 'participantJoined', participant: { id: seen.id }, ordinal: 4 },
    ])
    const visible = after(watched, decision.events).conversation
    const hidden = { ...cy, id: newParticipantId() }
    expect(join(viewOf(visible), asStaff(hidden, cyAccount, true)).events).toMatchObject([
      { type: 'participantLeft', participant: { id: seen.id } },
      { type: 'observerJoined', participant: { id: hidden.id }, ordinal: 5 },
    ])
  })
  it('joining silently again says nothing new', () => {
    expect(join(viewOf(watched), asStaff(cy, cyAccount, true)).events).toEqual([])
  })
  it('cannot end the conversation', () => {
    expect(() => end(viewOf(watched), cy.id)).toThrow('You are here silently')
  })
})

describe('joining an ended conversation', () => {
  it('is reading it, for whoever was a member', () => {
    expect(join(viewOf(over), asCustomer()).events).toEqual([])
    expect(join(viewOf(over), asStaff({ ...bo, id: newParticipantId() }, boAccount)).events).toEqual([])
  })
  it('is reading it for its customer, even if they never came', () => {
    const never = after(blankWeb, [{ type: 'conversationEnded', reason: 'system', by: SYSTEM }]).conversation
    expect(join(viewOf(never), asCustomer()).events).toEqual([])
  })
  it('is refused to everybody else as if there were none', () => {
    expect(() => join(viewOf(over), asStaff(cy, cyAccount))).toThrow('There is nothing here for you')
  })
})

describe('leaving', () => {
  it('is told to all with its reason: one’s own doing, or the gateway’s', () => {
    expect(leave(viewOf(withBo), bo.id, 'left').events).toEqual([
      { type: 'participantLeft', participant: bo, reason: 'left', by: bo },
    ])
    expect(leave(viewOf(withBo), bo.id, 'disconnected').events).toMatchObject([{ by: SYSTEM }])
  })
  it('twice, as a stranger, or after the end is a success without an event', () => {
    const gone = then(withBo, (view) => leave(view, bo.id, 'left'))
    expect(leave(viewOf(gone), bo.id, 'left').events).toEqual([])
    expect(leave(viewOf(withBo), cy.id, 'left').events).toEqual([])
    expect(leave(viewOf(over), bo.id, 'left').events).toEqual([])
  })
  it('makes a customer of a channel that carries carried again, and never takes them out', () => {
    const live = then(withAnn, (view) => join(view, asCustomer({ presence: 'live' })))
    const { events } = leave(viewOf(live), ann.id, 'disconnected')
    expect(events).toMatchObject([{ type: 'presenceChanged', participant: ann, presence: 'carried' }])
    expect(leave(viewOf(withAnn), ann.id, 'left').events).toEqual([])
  })
  it('takes a customer of the web out', () => {
    const web = then(blankWeb, (view) => join(view, asCustomer({ presence: 'live' })))
    expect(leave(viewOf(web), ann.id, 'disconnected').events).toMatchObject([{ type: 'participantLeft' }])
  })
})

describe('ending', () => {
  it('says who ended it', () => {
    expect(end(viewOf(withBo), ann.id).events).toMatchObject([{ reason: 'customer', by: ann }])
    expect(end(viewOf(withBo), bo.id).events).toMatchObject([{ reason: 'agent', by: bo }])
    const bot: Person = { id: newParticipantId(), role: 'bot', name: 'Botty' }
    const withBot = then(withBo, (view) => join(view, asStaff(bot, newAccountId())))
    expect(end(viewOf(withBot), bot.id).events).toMatchObject([{ reason: 'system', by: bot }])
  })
  it('twice is a success, for former members too', () => {
    expect(end(viewOf(over), ann.id).events).toEqual([])
    const gone = then(withBo, (view) => leave(view, bo.id, 'left'))
    expect(end(viewOf(after(gone, [ended]).conversation), bo.id).events).toEqual([])
  })
  it('is refused to strangers and to those who have left', () => {
    const gone = then(withBo, (view) => leave(view, bo.id, 'left'))
    for (const [conversation, id] of [
      [withBo, cy.id],
      [gone, bo.id],
    ] as const)
      expect(() => end(viewOf(conversation), id)).toThrow('There is nothing here for you')
  })
})

describe('silence', () => {
  const never = { warnBefore: '', endBefore: '', unjoinedBefore: '', endMs: 0 }
  const [active, later] = [timeOf(2), timeOf(3)]
  it('is warned of once, with the time of the end', () => {
    const idleness = { ...never, warnBefore: later, endMs: 97_000 }
    const { events } = idle(viewOf(withBo), idleness)
    expect(events).toEqual([{ type: 'idleWarned', endsAt: timeOf(99), by: SYSTEM }])
    const endless = idle(viewOf(withBo), { ...never, warnBefore: later }).events
    expect(endless).toEqual([{ type: 'idleWarned', endsAt: '', by: SYSTEM }])
    expect(idle(viewOf(after(withBo, events).conversation), idleness).events).toEqual([])
  })
  it('ends the conversation when it has lasted, warned or not', () => {
    const ends = idle(viewOf(withBo), { ...never, warnBefore: later, endBefore: later }).events
    expect(ends).toEqual([{ type: 'conversationEnded', reason: 'inactivity', by: SYSTEM }])
  })
  it('ends what nobody ever joined', () => {
    const unjoined = idle(viewOf(blankWeb), { ...never, unjoinedBefore: later }).events
    expect(unjoined).toMatchObject([{ type: 'conversationEnded', reason: 'system' }])
    expect(idle(viewOf(withBo), { ...never, unjoinedBefore: later }).events).toEqual([])
  })
  it('is none where somebody was active at that very moment, where nothing is set, and after the end', () => {
    expect(idle(viewOf(withBo), { ...never, warnBefore: active, endBefore: active }).events).toEqual([])
    expect(idle(viewOf(withBo), never).events).toEqual([])
    expect(idle(viewOf(over), { ...never, endBefore: later }).events).toEqual([])
  })
})
