// Reliability row 26: every event of the catalog, tried by every stranger on conversations of others: all answers are the same, and nobody hears of it.
import { EVENTS, type EventName } from '../../src/dialects/customer-channel/catalog-events'
import { newConversationId, newParticipantId } from '../../src/model/new-id'
import type { Someone } from '../support/people'
import { EVENT_CASES, EVENT_NAMES, type Target } from './event-cases'
import { STRANGERS, type Lure } from './strangers'
import { openTown, type CustomerAuth, type Town } from './town'

const named = (conversationId: string, more: Partial<Target> = {}): Target => ({
  conversationId,
  messageId: `${conversationId}.2`,
  memberId: newParticipantId(),
  ...more,
})
/** What there is, what there was, and what never was. */
function targetsOf({ victims, ended }: Town): Readonly<Record<string, Target>> {
  const live = ({ conversationId, messageId, customerId }: Town['victims']['web' | 'sms']) =>
    named(conversationId, { messageId, memberId: customerId })
  return {
    unknown: named(newConversationId()),
    'a live one on the web': live(victims.web),
    'a live one on sms': live(victims.sms),
    'an ended one on the web': named(ended.web),
    'an ended one on sms': named(ended.sms),
    'another unknown one': named(newConversationId()),
    'a message’s id': named(victims.web.messageId),
    'a wrong case': named(victims.web.conversationId.toLowerCase()),
    'an id that is too long': named('x'.repeat(100)),
    'a path': named('../../admin'),
    'a name of JavaScript’s': named('__proto__'),
    'a name of SQL’s': named("' or 1=1 --"),
    'a key of several parts': named(`default\n${victims.web.conversationId}`),
  }
}
const isSecret = (name: string, event: EventName, isStaff: boolean): boolean =>
  // What is live is no secret from staff: they may join it.
  !(isStaff && event === 'joinConversation' && name.startsWith('a live one'))

/** The answer without what the stranger said itself. */
function plain(answer: unknown, target: Target): string {
  let text = JSON.stringify(answer)
  for (const [name, value] of Object.entries(target)) text = text.replaceAll(JSON.stringify(value), `"<${name}>"`)
  return text
}

async function answersTo(
  { someone, lure, event, isStaff }: { someone: Someone; lure: Lure; event: EventName; isStaff: boolean },
  targets: Readonly<Record<string, Target>>,
) {
  const answers: Record<string, string[]> = {}
  const codes: number[] = []
  for (const [name, target] of Object.entries(targets)) {
    if (!isSecret(name, event, isStaff)) continue
    answers[name] = []
    for (const { body, code = 404 } of EVENT_CASES[event](target, lure)) {
      const answer = await someone.call(event, body)
      answers[name].push(plain(answer, target))
      codes.push(event === 'joinConversation' && answer.code === 401 ? code : answer.code)
      expect(codes.at(-1)).toBe(code)
    }
  }
  return { answers, asked: codes.length }
}

describe('the catalog of events', () => {
  it('has a case for every event, and for none besides', () => {
    expect(Object.keys(EVENT_CASES).sort()).toEqual(Object.keys(EVENTS).sort())
  })
  it.each(EVENT_NAMES)('has cases for %s that name the conversation', (event) => {
    const target = named(newConversationId())
    const attempts = EVENT_CASES[event](target, {})
    expect(attempts.length).toBeGreaterThan(0)
    for (const { body } of attempts) expect(JSON.stringify(body)).toContain(target.conversationId)
  })
})

describe.each<CustomerAuth>(['handle', 'token'])('where customers join by %s', (customerAuth) => {
  let town: Town
  let asked = 0
  beforeAll(async () => {
    town = await openTown(customerAuth)
  })
  afterAll(async () => {
    await town.close()
    expect(asked).toBeGreaterThan(EVENT_NAMES.length * Object.keys(STRANGERS).length * 10)
  })

  describe.each(Object.entries(STRANGERS))('%s', (name, { arrive, isStaff = false }) => {
    it.each(EVENT_NAMES)('reaches nothing by %s, and can tell nothing', async (event) => {
      const before = await town.state()
      const { someone, lures } = await arrive(town)
      for (const lure of lures) {
        const targets = targetsOf(town)
        const { answers, asked: more } = await answersTo({ someone, lure, event, isStaff }, targets)
        asked += more
        const { unknown } = answers
        expect(answers).toEqual(Object.fromEntries(Object.keys(answers).map((target) => [target, unknown])))
      }
      expect(await town.state()).toEqual(before)
      await town.sentinel(`${name} tried ${event}`)
      await someone.call('registerBot', {}) // what was said before has been heard when this is answered
      const { web, sms } = town.victims
      for (const secret of [web.conversationId, sms.conversationId, ...Object.values(town.ended), `tried ${event}`])
        expect(someone.bytes.filter((packet) => packet.includes(secret))).toEqual([])
      expect(someone.socket.connected).toBe(true)
      someone.close()
    })
  })
})
