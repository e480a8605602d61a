// The checker finds every kind of damage, and nothing where there is none: one that cannot fail would prove nothing.
import { check, summary, type Body, type Evidence, type Finding } from './checker'
import type { Entry, Outcome } from './history'

const MESSAGES = ['a 1', 'b 1', 'a 2', 'a 3']
const log = (keys: readonly string[] = MESSAGES): Body[] =>
  keys.map((text, i) => ({ type: 'ChatMessage', text, seq: i + 1 }))
const entry = (outcome: Outcome, messageId: string, more: Partial<Entry> = {}): Entry => {
  const [sender = '', number = ''] = messageId.split(' ')
  return { outcome, at: 0, conversation: 'c', sender, node: '0', messageId, number: Number(number), ...more }
}
/** Everything acknowledged, one after the other. */
const told = (keys: readonly string[] = MESSAGES): Entry[] =>
  keys.flatMap((key, i) => [entry('invoke', key), entry('ok', key, { seq: i + 1 })])
const reading = (heard: readonly Body[] = log(), stream = heard.map(({ seq }) => seq ?? 0)) => ({
  reader: 'r',
  audience: 'public' as const,
  stream,
  heard,
})
const judge = (more: Partial<Evidence> = {}): Finding['kind'][] => {
  const logs = more.logs ?? { public: log(), staff: log() }
  const audienceOf = { a: 'public', b: 'staff' } as const
  const all = { conversation: 'c', entries: told(), readings: [reading()], audienceOf, ...more, logs }
  return [...new Set(check(all).map(({ kind }) => kind))]
}
const both = (bodies: Body[]) => ({ public: bodies, staff: bodies })
const renumbered = (bodies: readonly Body[]) => bodies.map((body, i) => ({ ...body, seq: i + 1 }))

it('finds nothing where all is well', () => {
  expect(judge()).toEqual([])
})
it('lets what was not acknowledged be in the log, or not', () => {
  const unsure = [entry('invoke', 'a 4'), entry('info', 'a 4')]
  expect(judge({ entries: [...told(), ...unsure] })).toEqual([])
  const longer = log([...MESSAGES, 'a 4'])
  expect(judge({ entries: [...told(), ...unsure], logs: both(longer), readings: [reading(longer)] })).toEqual([])
})
it('finds what was acknowledged and is lost', () => {
  const less = renumbered(log().filter(({ text }) => text !== 'a 3'))
  expect(judge({ logs: both(less), readings: [reading(less)] })).toEqual(['lost'])
})
it('finds what stands elsewhere than acknowledged', () => {
  const entries = told().map((one) => (one.seq === 4 ? { ...one, seq: 3 } : one))
  expect(judge({ entries })).toContain('misplaced')
})
it('finds what is there twice', () => {
  const more = log([...MESSAGES, 'a 1'])
  expect(judge({ logs: both(more), readings: [reading(more)] })).toEqual(['doubled'])
})
it('finds what nobody said', () => {
  const more = log([...MESSAGES, 'a 9'])
  expect(judge({ logs: both(more), readings: [reading(more)] })).toEqual(['unsaid'])
})
it('finds a sender’s words that were swapped, acknowledged each or only said one after the other', () => {
  const swapped = log(['a 1', 'b 1', 'a 3', 'a 2'])
  const oneByOne = told().map((one) => ({ ...one, ...(one.seq !== undefined && { seq: placeIn(swapped, one) }) }))
  expect(judge({ entries: oneByOne, logs: both(swapped), readings: [reading(swapped)] })).toEqual(['misordered'])
  const invokes = MESSAGES.map((key) => entry('invoke', key))
  const lost = [...invokes, ...MESSAGES.map((key) => entry('info', key))]
  expect(judge({ entries: lost, logs: both(swapped), readings: [reading(swapped)] })).toEqual(['misordered'])
})
const placeIn = (bodies: readonly Body[], { messageId }: Entry) =>
  bodies.find(({ text }) => text === messageId)?.seq ?? 0
it('lets what was refused for now be overtaken by what was said meanwhile, and by nothing else', () => {
  const swapped = log(['a 1', 'b 1', 'a 3', 'a 2'])
  const first = [...told(['a 1']), entry('invoke', 'b 1'), entry('ok', 'b 1', { seq: 2 })]
  const meanwhile = [
    ...[entry('invoke', 'a 2'), entry('invoke', 'a 3'), entry('info', 'a 2', { code: 503 })],
    ...[entry('ok', 'a 3', { seq: 3 }), entry('invoke', 'a 2'), entry('ok', 'a 2', { seq: 4 })],
  ]
  const state = { logs: both(swapped), readings: [reading(swapped)] }
  expect(judge({ entries: [...first, ...meanwhile], ...state })).toEqual([])
  const early = log(['a 2', 'a 1', 'b 1', 'a 3'])
  const refused = [entry('invoke', 'a 1'), entry('ok', 'a 1', { seq: 2 }), entry('invoke', 'a 2')]
  const later = [entry('info', 'a 2', { code: 503 }), entry('invoke', 'b 1'), entry('invoke', 'a 3')]
  expect(judge({ entries: [...refused, ...later], logs: both(early), readings: [reading(early)] })).toEqual([
    'misordered',
  ])
})
it('finds a reader with a gap, one who heard twice, one who heard too little, and one who heard otherwise', () => {
  expect(judge({ readings: [reading(log().filter(({ seq }) => seq !== 2))] })).toEqual(['gap'])
  expect(judge({ readings: [reading([...log().slice(0, 2), ...log().slice(1)])] })).toEqual(['doubled'])
  expect(judge({ readings: [reading(log().slice(0, 3))] })).toEqual(['unread'])
  expect(judge({ readings: [reading(log(['a 1', 'b 1', 'a 2', 'a 4']))] })).toEqual(['altered'])
})
it('finds a log with a gap, a position twice, and audiences that read another order', () => {
  expect(judge({ logs: both(log().map((one) => (one.seq === 4 ? { ...one, seq: 5 } : one))) })).toContain('gap')
  expect(judge({ logs: both(log().map((one) => (one.seq === 4 ? { ...one, seq: 3 } : one))) })).toContain('gap')
  const other = log(['b 1', 'a 1', 'a 2', 'a 3'])
  expect(judge({ logs: { public: log(), staff: other } })).toContain('misordered')
})
it('finds what was refused for good', () => {
  expect(judge({ entries: [...told(), entry('invoke', 'a 4'), entry('fail', 'a 4', { code: 404 })] })).toEqual([
    'refused',
  ])
})
it('says it all in a line', () => {
  expect(summary(told(), 1, [{ kind: 'lost', sentence: '' }])).toBe(
    '4 messages through 1 door(s): 4 invoke, 4 ok, 0 fail, 0 info; lost 1, doubled 0, out of order 0, 1 readers with 0 holes',
  )
})
