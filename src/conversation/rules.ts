// The rules of a conversation, as pure functions: the truth and a wish in, events and rows out.
import type { Content, JsonObject } from '../model/content'
import { memberOf, type Conversation } from '../model/conversation'
import { isErased } from '../model/erased'
import { GatewayError, notYours } from '../model/errors'
import { isUtterance, type EndReason, type EventDraft, type LeaveReason, type Utterance } from '../model/events'
import type { AccountId, ParticipantId } from '../model/ids'
import { newDeliveryId } from '../model/new-id'
import { isStaff, personOf, SYSTEM, type Membership, type Person } from '../model/participant'
import type { Decision, View } from '../store/conversation-store'
import type { Silence } from '../model/silence'
import type { Write } from '../store/writes'
import type { Suppression } from './suppression'

export interface Arrival {
  readonly participant: Person
  readonly account?: AccountId
  readonly presence: 'live' | 'carried'
  readonly silent: boolean
}

/** What somebody says or does, before it is known who hears it. */
export interface Saying {
  readonly from: ParticipantId
  readonly clientMessageId: string | null
  readonly digest: string
  /** Participant ids; empty: everybody. */
  readonly to: readonly string[]
  readonly whisper: boolean
  /** Where a connector gave its provider's id of what a customer said. It is then the key, and `clientMessageId` is none. */
  readonly external?: External
  readonly body:
    | { readonly type: 'message'; readonly content: Content }
    | { readonly type: 'activity'; readonly name: string; readonly info: JsonObject }
}

/** A provider's id of a message: one entry in its channel and account, whatever conversation a repeat names. */
export interface External {
  readonly channel: string
  readonly account: string
  readonly id: string
  /** Hash of who said what: a repeat must say the same. */
  readonly digest: string
}
/** How long a provider's id is remembered. */
const EXTERNAL_ID_MS = 7 * 24 * 3_600_000

/** A decision to say something, with the event it led to the first time, if this is not the first. */
export interface Said extends Decision {
  readonly repeated: Utterance | null
}

export function requireConversation({ conversation }: View): Conversation {
  if (!conversation) throw notYours()
  return conversation
}
function requireOpen({ status }: Conversation): void {
  if (status === 'ended')
    throw new GatewayError('conversationEnded', 'This conversation has ended. Start a new one to go on.')
}
export function requireMember(conversation: Conversation, id: string): Membership {
  const member = memberOf(conversation, id)
  if (!member) throw notYours()
  return member
}

/** Takes a seat. Who is a member already stays one; in an ended conversation a former member may read. */
export function join(view: View, arrival: Arrival): Decision {
  const conversation = requireConversation(view)
  const known = seatOf(conversation, arrival) ?? null
  if (conversation.status === 'ended') {
    if (mayRead(conversation, known, arrival)) return { events: [] }
    throw notYours()
  }
  if (!known || known.left) return { events: [entry(conversation, known, arrival)] }
  if (known.silent === arrival.silent)
    return { events: comesLive(known, arrival) ? [changePresence(known, 'live')] : [] }
  return { events: [departure(known, 'left'), entry(conversation, known, arrival)] }
}
/** What is left of an erased one is for staff who were there: to its customer it is gone. */
function mayRead(conversation: Conversation, known: Membership | null, { participant }: Arrival): boolean {
  if (isErased(conversation)) return known !== null && isStaff(participant.role)
  return known !== null || conversation.opening.customer.participantId === participant.id
}
const comesLive = (known: Membership, arrival: Arrival): boolean =>
  known.role === 'customer' && known.presence === 'carried' && arrival.presence === 'live'

function entry({ memberships }: Conversation, known: Membership | null, arrival: Arrival): EventDraft {
  const { account, presence, silent } = arrival
  const isBack = known?.id === arrival.participant.id
  // A customer's name is settled by the first join.
  const participant = isBack ? personOf(known) : arrival.participant
  const ordinal = isBack ? known.ordinal : memberships.length + 1
  const coming = { participant, ordinal, ...(account && { account }), by: participant }
  return silent ? { type: 'observerJoined', ...coming } : { type: 'participantJoined', ...coming, presence }
}

/** The latest membership of whoever comes: an account may have had several, a customer has one. */
export function seatOf(
  { memberships }: Conversation,
  { participant, account }: Pick<Arrival, 'participant' | 'account'>,
) {
  return memberships.findLast((m) => (account ? m.account === account : m.id === participant.id))
}

const changePresence = (member: Membership, presence: 'live' | 'carried'): EventDraft => ({
  type: 'presenceChanged',
  participant: personOf(member),
  presence,
  by: personOf(member),
})

/** Gives a seat up. A customer of a channel that carries is carried again; leaving twice is a success. */
export function leave(view: View, id: ParticipantId, reason: LeaveReason): Decision {
  const conversation = requireConversation(view)
  const member = memberOf(conversation, id)
  if (!member || conversation.status === 'ended') return { events: [] }
  if (member.role === 'customer' && conversation.opening.carried)
    return { events: member.presence === 'live' ? [changePresence(member, 'carried')] : [] }
  return { events: [departure(member, reason)] }
}

function departure(member: Membership, reason: LeaveReason): EventDraft {
  const participant = personOf(member)
  const type = member.silent ? 'observerLeft' : 'participantLeft'
  return { type, participant, reason, by: reason === 'left' ? participant : SYSTEM }
}

/** Says something once: a repeat of the same words under the same key is answered with the first time's event. */
export function say(view: View, saying: Saying, suppression: Suppression): Said {
  const conversation = requireConversation(view)
  const sender = requireMember(conversation, saying.from)
  if (view.once) return { events: [], repeated: repeatOf(view, saying) }
  requireOpen(conversation)
  const to = addressees(conversation, saying.to)
  const internal = isInternal(sender, to, saying.whisper)
  const carried = !internal && saying.body.type === 'message'
  return {
    events: [utterance(saying, personOf(sender), { to: named(to, internal), internal })],
    writes: carried
      ? [
          ...deliveries(conversation, sender, { saying, at: view.now }),
          ...optOut(conversation, sender, { saying, suppression }),
        ]
      : [],
    repeated: null,
    ...onceOf(view, saying),
  }
}

function onceOf({ now }: View, { external, clientMessageId }: Saying): Pick<Decision, 'once'> {
  if (external) return { once: remembered(now, external) }
  return clientMessageId === null ? {} : { once: { note: '', expiresAt: null } }
}
/** Under a provider's id the digest stands with the key: there are two ways to say it, and they are one message. */
export const remembered = (now: string, { digest }: Pick<External, 'digest'>) => ({
  note: digest,
  expiresAt: new Date(Date.parse(now) + EXTERNAL_ID_MS).toISOString(),
})
function repeatOf(view: View, { external, digest }: Saying): Utterance {
  if (external) return broughtAgain(view, external)
  if (isUtterance(view.event) && view.event.digest === digest) return view.event
  throw new GatewayError('conflict', 'This messageId was used for another message. Use a new one.')
}
/** What a provider that calls again brought the first time. */
export function broughtAgain({ once, event }: View, { digest }: Pick<External, 'digest'>): Utterance {
  if (isUtterance(event) && once?.note === digest) return event
  throw new GatewayError('conflict', 'This externalMessageId was used for another message. Use a new one.')
}

function utterance(saying: Saying, by: Person, heard: { to: readonly Person[]; internal: boolean }): EventDraft {
  const { clientMessageId, digest, whisper, body } = saying
  const { to } = heard
  const tag = whisper ? 'whisper' : ''
  if (body.type === 'message') {
    const said = { clientMessageId, digest, to, by, content: body.content }
    return heard.internal ? { type: 'whispered', tag, ...said } : { type: 'messageSent', ...said }
  }
  const done = { clientMessageId, digest, to, by, name: body.name, info: body.info }
  return heard.internal ? { type: 'internalActivity', tag, ...done } : { type: 'activity', ...done }
}

function addressees(conversation: Conversation, ids: readonly string[]): Membership[] {
  return ids.map((id) => {
    const member = memberOf(conversation, id)
    if (!member) throw new GatewayError('invalidRequest', 'to names somebody who is not a member.', { details: ['to'] })
    return member
  })
}

/** Whom an utterance names. In public nobody is named who is here silently. */
const named = (to: readonly Membership[], internal: boolean): Person[] =>
  to.filter(({ silent }) => internal || !silent).map(personOf)

/** Whispers, and what staff say to staff only. Customers have no way to speak internally. */
function isInternal(sender: Membership, to: readonly Membership[], whisper: boolean): boolean {
  if (!isStaff(sender.role)) {
    if (whisper) throw new GatewayError('forbidden', 'Only staff can whisper.')
    return false
  }
  const internal = whisper || (to.length > 0 && to.every(({ role }) => isStaff(role)))
  if (sender.silent && !internal)
    throw new GatewayError('forbidden', 'You are here silently. Whisper, or join again to be seen.')
  return internal
}

/** What a connector is told; its codec reads it back. */
export interface DeliveryBody {
  readonly messageId: string | null
  readonly from: Person | null
  readonly seq: number | null
  readonly at: string
  readonly content: Content
}

/**
 * One delivery for a carried customer, whatever socket sits in the conversation for them, and whether or not one ever
 * did: who came by a channel is reached by it, until they come live.
 */
function deliveries(
  { id: conversationId, opening, memberships, publicPosition }: Conversation,
  sender: Membership,
  { saying, at }: { saying: Saying; at: string },
): Write[] {
  const { participantId: recipient } = opening.customer
  const isLive = memberships.some((m) => m.id === recipient && m.presence === 'live' && !m.left)
  if (saying.body.type !== 'message' || !opening.carried || isLive || sender.id === recipient) return []
  const body: DeliveryBody = {
    messageId: saying.clientMessageId,
    from: personOf(sender),
    seq: publicPosition + 1,
    at,
    content: saying.body.content,
  }
  const delivery = {
    id: newDeliveryId(),
    to: opening.address,
    conversationId,
    messageId: 'first' as const,
    recipient,
    notificationId: null,
    body: JSON.stringify(body),
    expiresAt: null,
  }
  return [{ kind: 'deliver', delivery }]
}

/** What the customer of a channel says may opt them out of notifications, or in again. */
function optOut(
  { opening }: Conversation,
  { role }: Membership,
  { saying: { body }, suppression }: { saying: Saying; suppression: Suppression },
): Write[] {
  if (role !== 'customer' || !opening.carried || body.type !== 'message') return []
  return suppression.writesFor(opening.address, opening.language, body.content.text)
}

/** Is this member allowed to be heard now, and by whom? For what is carried and never stored. */
export function speak(conversation: Conversation, { from, to, whisper }: Pick<Saying, 'from' | 'to' | 'whisper'>) {
  const sender = requireMember(conversation, from)
  requireOpen(conversation)
  const heard = addressees(conversation, to)
  const internal = isInternal(sender, heard, whisper) || sender.silent
  return { by: personOf(sender), to: named(heard, internal), internal }
}

/** The mail server took the transcript: staff may know. */
export function mailed(view: View, mailId: string): Decision {
  requireConversation(view)
  return { events: [{ type: 'transcriptMailed', state: 'sent', mailId, by: SYSTEM }] }
}

/** Ends the conversation for all. Ending twice is a success. */
export function end(view: View, by: ParticipantId): Decision {
  const conversation = requireConversation(view)
  const member = conversation.memberships.find(({ id }) => id === by)
  if (!member) throw notYours()
  if (conversation.status === 'ended') return { events: [] }
  requireMember(conversation, by)
  if (member.silent) throw new GatewayError('forbidden', 'You are here silently. Join again to end the conversation.')
  const reason: EndReason = isStaff(member.role) ? 'agent' : member.role === 'customer' ? 'customer' : 'system'
  return { events: [{ type: 'conversationEnded', reason, by: personOf(member) }] }
}

export interface Idleness extends Silence {
  /** Milliseconds of silence before the end, which a warning announces; 0: never. */
  readonly endMs: number
}
/** What silence leads to. Decided on the truth: who spoke meanwhile is left alone. */
export function idle(view: View, { warnBefore, endBefore, endMs, unjoinedBefore }: Idleness): Decision {
  const conversation = requireConversation(view)
  const { status, activeAt, idleWarned, position } = conversation
  if (status === 'ended') return { events: [] }
  // Nobody to warn yet.
  if (position === 0)
    return { events: activeAt < unjoinedBefore ? [{ type: 'conversationEnded', reason: 'system', by: SYSTEM }] : [] }
  if (activeAt < endBefore) return { events: [{ type: 'conversationEnded', reason: 'inactivity', by: SYSTEM }] }
  if (activeAt >= warnBefore || idleWarned) return { events: [] }
  const endsAt = endMs > 0 ? new Date(Date.parse(activeAt) + endMs).toISOString() : ''
  return { events: [{ type: 'idleWarned', endsAt, by: SYSTEM }] }
}
