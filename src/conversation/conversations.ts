// The use cases. Each one decides and writes; what is written is announced by the store's commit: durable first, loud second.
import { createHash } from 'node:crypto'
import type { Bus } from '../bus/bus'
import type { Conversation, Opening, Status } from '../model/conversation'
import { notYours } from '../model/errors'
import {
  isUtterance,
  type ConversationEvent,
  type Ephemeral,
  type LeaveReason,
  type ReceiptState,
  type Utterance,
} from '../model/events'
import type { ConversationId, DeliveryId, EventId, ParticipantId, Place, Tenant } from '../model/ids'
import { newConversationId } from '../model/new-id'
import type { Content } from '../model/content'
import type { Address } from '../model/participant'
import type { ConversationStore, IdleClaim, Needs } from '../store/conversation-store'
import type { Delivery, OnceKey, ProviderKey } from '../store/records'
import type { Silence } from '../model/silence'
import type { Write } from '../store/writes'
import * as deliveryRules from './delivery-rules'
import * as openingRules from './opening-rules'
import * as rules from './rules'
import type { Suppression } from './suppression'

const HOUR = 3_600_000
/** How long a request id repeats its answer. */
const REQUEST_ID_MS = 24 * HOUR
/** How long a receipt waits for the message that it names. */
const PARK_MS = 10 * 60_000

export interface OpenRequest {
  readonly tenant: Tenant
  readonly opening: Opening
  readonly requestId: string
  readonly digest: string
  readonly mayRepeat: openingRules.Request['mayRepeat']
}
export interface InboundMessage {
  readonly tenant: Tenant
  readonly opening: Opening
  readonly externalMessageId: string
  readonly clientMessageId: string | null
  readonly digest: string
  readonly content: Content
}
/** A message as it was written: now, or the first time that its key was used. */
export interface Stored {
  readonly event: Utterance
  readonly repeated: boolean
}
export interface Joined {
  readonly conversation: Conversation
  readonly id: ParticipantId
}
export interface Report {
  readonly tenant: Tenant
  readonly state: ReceiptState
  readonly reason: string
  /** One of the three names the message. */
  readonly key: ProviderKey | null
  readonly deliveryId: DeliveryId | null
  readonly carried: { readonly eventId: EventId; readonly to: Pick<Address, 'channel' | 'account'> } | null
  readonly mayReport: (delivery: Delivery) => boolean
}

export class Conversations {
  readonly #store: ConversationStore
  readonly #bus: Bus
  readonly #suppression: Suppression
  readonly #now: () => Date

  constructor(deps: { store: ConversationStore; bus: Bus; suppression: Suppression; now?: () => Date }) {
    this.#store = deps.store
    this.#bus = deps.bus
    this.#suppression = deps.suppression
    this.#now = deps.now ?? (() => new Date())
    deps.store.onCommitted((...committed) => this.#announce(...committed))
  }

  /** Opens a conversation; on a carried channel the live one of the address is found instead, however many race. */
  async open({ tenant, opening, requestId, digest, mayRepeat }: OpenRequest): Promise<openingRules.Opened> {
    const { channel, account } = opening.address
    const request: openingRules.Request = {
      id: newConversationId(),
      opening,
      digest,
      repeatUntil: this.#in(REQUEST_ID_MS),
      mayRepeat,
    }
    const needs: Needs = {
      tenant,
      once: { scope: requestScope({ channel, account }), key: requestId },
      ...(opening.carried && { address: opening.address }),
    }
    const { decision } = await this.#store.update(needs, (view) => openingRules.open(view, request))
    return decision
  }

  /** A customer's message from a channel, with or without a conversation yet. */
  async receive({ tenant, opening, externalMessageId, ...said }: InboundMessage): Promise<Stored> {
    const { address } = opening
    const inbound = { id: newConversationId(), opening, ...said }
    const once = externalKey({ ...address, id: externalMessageId })
    const { decision, events } = await this.#store.update({ tenant, address, once }, (view) =>
      openingRules.receive(view, inbound, this.#suppression),
    )
    return stored(decision.repeated, events[decision.message])
  }

  /** Takes a seat; answers it, and the picture that the joiner starts from. */
  async join(place: Place, arrival: rules.Arrival): Promise<Joined> {
    const { conversation } = await this.#store.update(place, (view) => rules.join(view, arrival))
    const member = conversation && rules.seatOf(conversation, arrival)
    if (!conversation) throw notYours()
    return { conversation, id: member?.id ?? arrival.participant.id }
  }
  /** Notes that the mail server took the transcript for the customer, under this name of the mail. */
  async mailed({ tenant, conversationId }: Place, mailId: string): Promise<void> {
    await this.#store.update({ tenant, conversationId }, (view) => rules.mailed(view, mailId))
  }
  async leave({ tenant, conversationId }: Place, id: ParticipantId, reason: LeaveReason): Promise<void> {
    await this.#store.update({ tenant, conversationId }, (view) => rules.leave(view, id, reason))
  }

  async say({ tenant, conversationId }: Place, saying: rules.Saying): Promise<Stored> {
    const once = keyOf(conversationId, saying)
    const needs: Needs = once ? { tenant, conversationId, once } : { tenant, conversationId }
    const { decision, events } = await this.#store.update(needs, (view) => rules.say(view, saying, this.#suppression))
    return stored(decision.repeated, events[0])
  }
  /** Typing: carried to whoever listens now, never stored. */
  async type(
    place: Place,
    typing: Pick<rules.Saying, 'from' | 'to' | 'whisper'>,
    state: Ephemeral['state'],
  ): Promise<void> {
    const conversation = await this.get(place)
    const at = this.#now().toISOString()
    this.#bus.publishEphemeral({ ...place, type: 'typing', state, at, ...rules.speak(conversation, typing) })
  }
  /** A member's own receipt; one that says nothing new is a success without an event. */
  async acknowledge(
    { tenant, conversationId }: Place,
    from: ParticipantId,
    receipt: { state: ReceiptState; eventId: EventId },
  ) {
    const needs = { tenant, conversationId, eventId: receipt.eventId, recipient: from }
    await this.#store.update(needs, (view) => deliveryRules.acknowledge(view, from, receipt.state))
  }
  /** A provider's receipt for what a connector delivered. */
  async report({ tenant, key, deliveryId, carried, ...said }: Report): Promise<void> {
    const needs: Needs = {
      tenant,
      ...(key && { providerKeys: [key] }),
      ...(deliveryId && { deliveryId }),
      ...(carried && { eventId: carried.eventId, carriedTo: carried.to }),
    }
    const parkUntil = this.#in(PARK_MS)
    await this.#store.update(needs, (view) => deliveryRules.report(view, { ...said, key, parkUntil }))
  }
  /** A connector's answer to a leased delivery; false when the lease was no longer its own. */
  async settle(
    tenant: Tenant,
    leased: Pick<Delivery, 'id' | 'lease'>,
    outcome: deliveryRules.Outcome,
  ): Promise<boolean> {
    const providerKeys = outcome.type === 'accepted' ? outcome.keys : []
    const needs: Needs = { tenant, deliveryId: leased.id, providerKeys }
    const { decision } = await this.#store.update(needs, (view) => deliveryRules.settle(view, leased.lease, outcome))
    return !decision.stale
  }
  async end({ tenant, conversationId }: Place, by: ParticipantId): Promise<void> {
    await this.#store.update({ tenant, conversationId }, (view) => rules.end(view, by))
  }
  /** True when the silence led to something. */
  async idle({ tenant, conversationId }: Place, idleness: rules.Idleness): Promise<boolean> {
    const { events } = await this.#store.update({ tenant, conversationId }, (view) => rules.idle(view, idleness))
    return events.length > 0
  }

  async get({ tenant, conversationId }: Place): Promise<Conversation> {
    const found = await this.#store.find(tenant, conversationId)
    if (!found) throw notYours()
    return found
  }
  find(tenant: Tenant, id: ConversationId): Promise<Conversation | null> {
    return this.#store.find(tenant, id)
  }
  list(tenant: Tenant, status: Status, page: { after: string; limit: number }): Promise<Conversation[]> {
    return this.#store.list(tenant, status, page.after, page.limit)
  }
  claimIdle(tenant: Tenant, silence: Silence, claim: IdleClaim): Promise<Conversation[]> {
    return this.#store.claimIdle(tenant, silence, claim)
  }

  #announce(events: readonly ConversationEvent[], writes: readonly Write[], bodies: readonly string[]): void {
    if (events.length > 0) this.#bus.publish(events, bodies)
    for (const event of events) if (isBeginning(event)) this.#bus.announce({ kind: 'begun', ...placeOf(event) })
    for (const write of writes)
      if (write.kind === 'deliver') this.#bus.wake(write.delivery.to.channel, write.delivery.to.account)
  }
  #in(ms: number): string {
    return new Date(this.#now().getTime() + ms).toISOString()
  }
}

/** Neither holds a line break: the wire keeps control characters out of both. */
const scopeOf = (kind: 'request' | 'external', { channel, account }: Pick<Address, 'channel' | 'account'>): string =>
  `${kind}\n${channel}\n${account}`

/** Under which the request ids of a channel and account are unique. */
export const requestScope = (at: Pick<Address, 'channel' | 'account'>): string => scopeOf('request', at)
/** Hashed: a provider's id may hold a customer's number, and is remembered longer than the customer may be. */
const externalKey = ({ channel, account, id }: Pick<rules.External, 'channel' | 'account' | 'id'>): OnceKey => ({
  scope: scopeOf('external', { channel, account }),
  key: createHash('sha256').update(id).digest('base64url'),
})

/** A provider's id counts wherever it is said; a sender's own key in this conversation. */
function keyOf(conversationId: ConversationId, { external, clientMessageId, from }: rules.Saying): OnceKey | null {
  if (external) return externalKey(external)
  return clientMessageId === null ? null : { scope: `said:${conversationId}:${from}`, key: clientMessageId }
}
/** The customer has come for the first time. */
const isBeginning = (event: ConversationEvent): boolean =>
  event.position === 1 && event.type === 'participantJoined' && event.participant.role === 'customer'
const placeOf = ({ tenant, conversationId }: Place): Place => ({ tenant, conversationId })

function stored(repeated: Utterance | null, event: ConversationEvent | undefined): Stored {
  if (repeated) return { event: repeated, repeated: true }
  if (isUtterance(event)) return { event, repeated: false }
  throw new Error('Something was said, but nothing was written')
}
