// Judges what a conversation went through: nothing acknowledged is lost, nothing is doubled or out of order, every reader heard the log.
import type { Entry } from './history'

export interface Body {
  readonly seq?: number
  readonly [field: string]: unknown
}
/** Who counts alike: customers, or the staff. */
export type Audience = 'public' | 'staff'
/** What one reader heard in all its lives, one after the other. */
export interface Reading {
  readonly reader: string
  readonly audience: Audience
  /** The `seq` of all that it heard, and of the acknowledgements that stood in the place of its own words. */
  readonly stream: readonly number[]
  readonly heard: readonly Body[]
}
export interface Evidence {
  readonly conversation: string
  readonly entries: readonly Entry[]
  readonly audienceOf: Readonly<Record<string, Audience>>
  /** The whole log as somebody of each audience reads it who was never there before. */
  readonly logs: Readonly<Record<Audience, readonly Body[]>>
  readonly readings: readonly Reading[]
}
export interface Finding {
  readonly kind: 'lost' | 'doubled' | 'misplaced' | 'misordered' | 'unsaid' | 'unread' | 'altered' | 'gap' | 'refused'
  readonly sentence: string
}

/** Everything that is wrong, none of it twice; empty: all is well. */
export function check(evidence: Evidence): Finding[] {
  const { conversation, entries, logs, readings, audienceOf } = evidence
  const senders = new Set(entries.map(({ sender }) => sender))
  const findings = [
    ...[...senders].flatMap((sender) => {
      const own = entries.filter((entry) => entry.sender === sender)
      return checkSender(own, logs[audienceOf[sender] ?? 'staff'])
    }),
    ...checkLog('public', logs.public),
    ...checkLog('staff', logs.staff),
    ...checkUnsaid(entries, logs.staff),
    ...checkOneOrder(logs.public, logs.staff),
    ...readings.flatMap((reading) => checkReading(reading, logs[reading.audience])),
  ]
  return findings.map(({ kind, sentence }) => ({ kind, sentence: `${conversation}: ${sentence}` }))
}

const finding = (kind: Finding['kind'], sentence: string): Finding => ({ kind, sentence })
const said = (log: readonly Body[]): Body[] => log.filter(({ type }) => type === 'ChatMessage')
const keyOf = ({ text }: Body): string => String(text)

function placesIn(log: readonly Body[]): Map<string, number[]> {
  const places = new Map<string, number[]>()
  for (const body of said(log)) places.set(keyOf(body), [...(places.get(keyOf(body)) ?? []), body.seq ?? 0])
  return places
}

function checkSender(entries: readonly Entry[], log: readonly Body[]): Finding[] {
  const places = placesIn(log)
  const findings: Finding[] = []
  for (const { messageId, outcome, seq, code } of entries) {
    const found = places.get(messageId) ?? []
    if (outcome === 'fail') findings.push(finding('refused', `${messageId} was refused with ${code ?? 'nothing'}`))
    if (outcome !== 'ok') continue
    if (found.length === 0) findings.push(finding('lost', `${messageId} was acknowledged at ${seq} and is nowhere`))
    else if (!found.includes(seq ?? 0))
      findings.push(finding('misplaced', `${messageId} was acknowledged at ${seq} and stands at ${found.join()}`))
  }
  return [...findings, ...checkOrder(entries, places)]
}

/**
 * Two rules. What is said after another was acknowledged stands behind it. And what was said on one connection stands in the
 * order in which it was said, lost connections or not; only what was refused by an answer may be overtaken meanwhile.
 */
function checkOrder(entries: readonly Entry[], places: ReadonlyMap<string, readonly number[]>): Finding[] {
  const findings: Finding[] = []
  const refused = new Set(entries.flatMap(({ code, messageId }) => (code === undefined ? [] : [messageId])))
  const begun = new Set<string>()
  let acknowledged = 0
  let before = 0
  const judge = (messageId: string, place: number) => {
    const floor = refused.has(messageId) ? acknowledged : Math.max(acknowledged, before)
    if (place <= floor)
      findings.push(finding('misordered', `${messageId} stands at ${place}, before what was said earlier, at ${floor}`))
    if (!refused.has(messageId)) before = Math.max(before, place)
  }
  for (const { outcome, messageId, seq } of entries) {
    if (outcome === 'ok') acknowledged = Math.max(acknowledged, seq ?? 0)
    const place = places.get(messageId)?.[0]
    if (outcome !== 'invoke' || begun.has(messageId) || place === undefined) continue
    begun.add(messageId)
    judge(messageId, place)
  }
  return findings
}

function checkLog(audience: Audience, log: readonly Body[]): Finding[] {
  const findings: Finding[] = []
  log.forEach(({ seq }, i) => {
    const before = log[i - 1]?.seq ?? 0
    if (seq !== before + 1) findings.push(finding('gap', `in the ${audience} log ${seq} comes after ${before}`))
  })
  for (const [key, found] of placesIn(log))
    if (found.length > 1) findings.push(finding('doubled', `${key} stands at ${found.join(' and ')}, ${audience}`))
  return findings
}

/** Whatever was not acknowledged may be in the log or not; what nobody said may not. */
function checkUnsaid(entries: readonly Entry[], log: readonly Body[]): Finding[] {
  const known = new Set(entries.map(({ messageId }) => messageId))
  const strange = said(log).filter((body) => !known.has(keyOf(body)))
  return strange.map((body) => finding('unsaid', `${keyOf(body)} was said by nobody`))
}

/** The audiences count differently, and read one order. */
function checkOneOrder(publicLog: readonly Body[], staffLog: readonly Body[]): Finding[] {
  const shared = new Set(said(publicLog).map(keyOf))
  const staff = said(staffLog).map(keyOf)
  const same = staff.filter((key) => shared.has(key))
  const differs = said(publicLog).findIndex((body, i) => keyOf(body) !== same[i])
  if (differs < 0) return []
  return [
    finding('misordered', `for customers ${keyOf(said(publicLog)[differs]!)} stands elsewhere than for the staff`),
  ]
}

function checkReading({ reader, stream, heard }: Reading, log: readonly Body[]): Finding[] {
  const findings: Finding[] = []
  stream.forEach((seq, i) => {
    const before = stream[i - 1] ?? 0
    if (seq === before + 1) return
    const kind = seq <= before ? 'doubled' : 'gap'
    findings.push(finding(kind, `${reader} heard ${seq} after ${before}`))
  })
  const last = stream.at(-1) ?? 0
  if (last < log.length) findings.push(finding('unread', `${reader} heard nothing after ${last} of ${log.length}`))
  for (const body of heard)
    if (JSON.stringify(body) !== JSON.stringify(log[(body.seq ?? 0) - 1]))
      findings.push(finding('altered', `${reader} heard something else at ${body.seq ?? 'no place'}`))
  return findings
}

/** The line that is printed. */
export function summary(entries: readonly Entry[], readers: number, findings: readonly Finding[]): string {
  const count = (outcome: Entry['outcome']) => entries.filter((entry) => entry.outcome === outcome).length
  const keys = new Set(entries.map(({ messageId, conversation }) => `${conversation} ${messageId}`)).size
  const nodes = new Set(entries.map(({ node }) => node)).size
  const of = (...kinds: Finding['kind'][]) => findings.filter(({ kind }) => kinds.includes(kind)).length
  return (
    `${keys} messages through ${nodes} door(s): ${count('invoke')} invoke, ${count('ok')} ok, ${count('fail')} fail, ` +
    `${count('info')} info; lost ${of('lost')}, doubled ${of('doubled')}, out of order ${of('misordered', 'misplaced')}, ` +
    `${readers} readers with ${of('gap', 'unread', 'altered', 'unsaid')} holes`
  )
}
