// Where one socket sits: it takes seats, is heard to have come and gone, and loses them when the connection is lost.
import type { Socket } from 'socket.io'
import type { Joined } from '../../conversation/conversations'
import type { Caller as Identity } from '../../identity/credentials'
import type { Conversation } from '../../model/conversation'
import { GatewayError, notYours } from '../../model/errors'
import type { ConversationEvent, PublicEvent } from '../../model/events'
import { FewByKey } from '../../model/few'
import {
  conversationId as conversationIdSchema,
  type ConversationId,
  type ParticipantId,
  type Place,
} from '../../model/ids'
import { authorise, type Authority } from './authority'
import { encodeConversation, encodeForStaff, encodeMembers, encodePublic, encodeSelf, type Setting } from './codec'
import type { ChannelDeps } from './deps'
import type { FrameCache } from './frame-cache'
import { failureOf, type Answer } from './handle'
import { Said } from './said'
import { Seat, type Hearing, type SeatHost } from './seat'
import type { ClientToServerEvents, JoinRequest, ServerToClientEvents } from './wire'

/** Never an id: those have 22 characters. */
const NO_CONVERSATION = 'none' as ConversationId

export type AnySeat = Seat | Seat<PublicEvent>
export type ChannelSocket = Socket<ClientToServerEvents, ServerToClientEvents>
/** The connection whose seats these are. */
export interface Sitter {
  readonly socket: ChannelSocket
  readonly address: string
  readonly identity: Identity
  /** False when its credential is void: then it is told nothing any more, and dismissed. @param at milliseconds; now when absent */
  mayHear(at?: number): boolean
  dismiss(error: GatewayError): void
}
/** A place in the log, and how to count as gone again. */
interface Entered {
  readonly joined: Joined
  readonly depart: () => void
}
export interface SeatingDeps extends ChannelDeps {
  readonly frames: FrameCache
}

interface Taken {
  readonly seat: AnySeat
  readonly authority: Authority
  depart(): void
}

export class Seating implements SeatHost {
  readonly #seats = new FewByKey<string, Taken>()

  constructor(
    private readonly sitter: Sitter,
    private readonly deps: SeatingDeps,
  ) {}
  get socket() {
    return this.sitter.socket
  }
  get hub() {
    return this.deps.hub
  }
  get frames() {
    return this.deps.frames
  }
  get echo() {
    return this.deps.echoToSender
  }
  now(): Date {
    return this.deps.now()
  }

  at(id: string): AnySeat | null {
    return this.#seats.get(id)?.seat ?? null
  }

  /** Answers first; then come the picture, what follows it, a greeting, and what is live. */
  async join(request: JoinRequest, answer: Answer): Promise<void> {
    const { deps, sitter } = this
    const place = placeOf(deps, request.conversationId)
    await this.#admit(place)
    const found = await deps.conversations.find(place.tenant, place.conversationId)
    const authority = await this.#authorise(request, place, found)
    const { joined: entered, depart } = await this.#enter(place, authority)
    const joined = asKnown(entered, found)
    if (!sitter.socket.connected) {
      depart()
      return
    }
    const seat = this.#take(place, { joined, depart }, authority)
    answer(await this.#reply(place, joined, authority))
    const counts = countsOf(sitter.identity)
    const setting = this.#settingOf(joined, authority)
    const picture = {
      conversation: encodeConversation(joined.conversation, counts),
      members: encodeMembers(joined.conversation, counts, setting),
    }
    const { after = 0 } = request
    await seat.start(picture, after).catch((cause: unknown) => this.#lost(place.conversationId, seat, cause))
    if (isLiveOnAChannel(joined)) await this.#leaveIfCarried(seat).catch(deps.onFault)
  }

  drop(id: string): void {
    const sitting = this.#seats.get(id)
    if (!sitting) return
    sitting.seat.close()
    sitting.depart()
    this.#seats.delete(id)
  }
  /** Staff hear that it was erased, and lose their seat by that; nobody else has ears for it. */
  onErased(id: string): void {
    if (this.sitter.identity.kind !== 'staff') this.drop(id)
  }
  mayHear(at: number): boolean {
    return this.sitter.identity.kind !== 'staff' || this.sitter.mayHear(at)
  }
  onLeft(id: ConversationId): void {
    this.drop(id)
  }
  /**
   * Taken for gone while they were here: this node was thought dead, or a grace ended as they came. They join again, and
   * the seat hears both in their order.
   */
  onWrittenOff(id: ConversationId): void {
    const taken = this.#seats.get(id)
    if (!taken) return
    const { seat, authority } = taken
    this.deps.conversations.join(seat.place, authority.arrival).catch((cause: unknown) => {
      this.deps.onFault(cause)
      this.drop(id)
    })
  }
  /** It hears nothing, and counts as gone until it is taken again; meanwhile whoever speaks in it is told why not. */
  onExpired(id: ConversationId): void {
    this.#seats.get(id)?.depart()
    this.sitter.socket.emit('error', { ...failureOf(seatExpired()), conversationId: id })
  }
  dropAll(): void {
    for (const id of this.#seats.keys()) this.drop(id)
  }

  async #admit({ conversationId }: Place): Promise<void> {
    const { limiter, limitKeyOf } = this.deps
    const { identity, address } = this.sitter
    if (identity.kind === 'connector') await limiter.consume('connectorTotal', identity.keyId)
    await limiter.consume('join', joinKeyOf(identity, limitKeyOf(address), conversationId))
    if (this.#seats.size >= this.deps.maxSeats && !this.#seats.get(conversationId))
      throw new GatewayError('tooManyRequests', 'This socket sits in too many conversations. Leave some.')
  }
  async #authorise({ id, name, silent = false, token }: JoinRequest, place: Place, found: Conversation | null) {
    const { tokens, entryPoint, now } = this.deps
    const wish = { ...place, id, name, silent, token: await this.#customerOf(token) }
    const { customerAuth } = entryPoint
    return authorise(this.sitter.identity, wish, found, { tokens, customerAuth, now: now().getTime() })
  }
  async #customerOf(token: string | undefined) {
    const { kind } = this.sitter.identity
    if (token === undefined || kind === 'staff' || kind === 'connector') return null
    const caller = await this.deps.credentials.resolve({ auth: token }, { query: false })
    if (caller.kind !== 'customer') throw notYours()
    return caller
  }
  async #reply({ tenant, conversationId }: Place, { id, conversation }: Joined, authority: Authority) {
    const { asConnector, arrival } = authority
    const role = asConnector ? 'connector' : arrival.participant.role
    const participant = encodeSelf(conversation, id, this.#settingOf({ id, conversation }, authority))
    const reply = { conversationId, role, participant: participant ?? { ...arrival.participant, type: 'Customer' } }
    if (role !== 'customer') return reply
    const { token } = await this.deps.tokens.signCustomer({ tenant, conversationId, participantId: id })
    return { ...reply, token }
  }

  /**
   * Takes the place in the log. Counted as here before that is written, and not here again if it cannot be: a grace that
   * ends meanwhile would write off who is back. Nobody can be waiting for the end of a grace under an id that is new.
   */
  async #enter(place: Place, { arrival, asConnector }: Authority): Promise<Entered> {
    const { conversations, attendance } = this.deps
    if (asConnector) return { joined: await conversations.join(place, arrival), depart: () => undefined }
    const { id } = arrival.participant
    const depart = await attendance.arrive(place, id)
    try {
      const joined = await conversations.join(place, arrival)
      if (joined.id === id) return { joined, depart }
      // Another connection of this account was faster: its membership is this one's, too.
      const departAsThem = await attendance.arrive(place, joined.id)
      depart()
      return { joined, depart: departAsThem }
    } catch (cause) {
      depart()
      throw cause
    }
  }
  #take(place: Place, { joined, depart }: Entered, authority: Authority): AnySeat {
    const { sitter } = this
    const former = this.#seats.get(place.conversationId)
    const seat = this.#seatFor(place, joined, { authority, said: former?.seat.said ?? new Said() })
    if (former) {
      former.seat.handOver(seat)
      former.depart()
    }
    if (sitter.socket.connected) this.#seats.set(place.conversationId, { seat, depart, authority })
    return seat
  }
  #seatFor(place: Place, joined: Joined, { authority, said }: { authority: Authority; said: Said }): AnySeat {
    const { asConnector, arrival } = authority
    const sitting = {
      place,
      participantId: joined.id,
      address: joined.conversation.opening.address,
      role: asConnector ? ('connector' as const) : arrival.participant.role,
      setting: this.#settingOf(joined, authority),
      said,
      joinedAt: joined.conversation.position,
      until: authority.until ?? Infinity,
    }
    if (this.sitter.identity.kind === 'staff') return new Seat(this, AS_STAFF, sitting)
    return new Seat(this, asConnector ? AS_CONNECTOR : AS_PUBLIC, sitting)
  }

  #settingOf(
    { conversation, id }: { conversation: Conversation; id: ParticipantId },
    { shown, asConnector }: Authority,
  ): Setting {
    const { channel, refId } = conversation.opening.address
    const { fileDoor } = this.deps
    const isStaff = this.sitter.identity.kind === 'staff'
    const show = isStaff ? fileDoor.forStaff : asConnector ? fileDoor.forConnectors : fileDoor.forPublic
    return { channel, refId, self: shown === null ? null : { id, shown }, show }
  }

  /** Carried again between the join and the first event heard live: no public event tells the seat. */
  async #leaveIfCarried(seat: AnySeat): Promise<void> {
    const { place, participantId } = seat
    const { memberships } = await this.deps.conversations.get(place)
    if (memberships.some(({ id, presence }) => id === participantId && presence === 'carried'))
      seat.carried(participantId)
  }

  /** The log could not be read: better to be told and join again than to hear half of it. */
  #lost(id: ConversationId, seat: AnySeat, cause: unknown): void {
    if (seat.isClosed) return
    this.deps.onFault(cause)
    const sentence = 'The log could not be read. Connect and join again.'
    this.sitter.dismiss(new GatewayError('unavailable', sentence, { retryAfter: 1 }))
    this.drop(id)
  }
}

const AS_STAFF: Hearing<ConversationEvent> = {
  audienceOf: () => 'staff',
  encode: encodeForStaff,
  skips: () => false,
  follow: (hub, place, after, seat) => hub.followAsStaff(place, after, seat),
}
const AS_PUBLIC: Hearing<PublicEvent> = {
  // Joined into one string: V8 keeps the pieces of a template besides.
  audienceOf: ({ self }) => (self ? ['public', self.id, self.shown].join(' ') : 'public'),
  encode: encodePublic,
  skips: () => false,
  follow: (hub, place, after, seat) => hub.followAsPublic(place, after, seat),
}
/** It hears what is said as deliveries only, and activities that are not ours never. */
const AS_CONNECTOR: Hearing<PublicEvent> = {
  ...AS_PUBLIC,
  skips: ({ type }) => type === 'messageSent' || type === 'activity',
}

/** Who has their seat already writes nothing, so nobody found out whether the picture at hand was the latest. */
const asKnown = (joined: Joined, found: Conversation | null): Joined =>
  found && found.position > joined.conversation.position ? { ...joined, conversation: found } : joined

export const seatExpired = (): GatewayError =>
  new GatewayError('unauthorized', 'The token of this seat has run out. Renew it and join again.')

/** A customer of a channel who has come by a socket of their own. */
const isLiveOnAChannel = ({ conversation: { opening, memberships }, id }: Joined): boolean =>
  opening.carried && memberships.some((m) => m.id === id && m.role === 'customer' && m.presence === 'live')

/** How a reader counts: staff hear everything. */
export const countsOf = ({ kind }: Identity): 'staff' | 'public' => (kind === 'staff' ? 'staff' : 'public')

/** An id of any other shape is looked up like any unknown one: it names nothing, after the same work. */
export function placeOf({ entryPoint }: Pick<ChannelDeps, 'entryPoint'>, id: string): Place {
  const { data = NO_CONVERSATION } = conversationIdSchema.safeParse(id)
  return { tenant: entryPoint.tenant, conversationId: data }
}

/** Whose joins are counted together: a connector joins for many, and is counted for each of them. */
function joinKeyOf(identity: Identity, address: string, id: ConversationId): string {
  switch (identity.kind) {
    case 'anonymous':
      return address
    case 'customer':
      return identity.participantId
    case 'staff':
      return identity.accountId
    case 'connector':
      return `${identity.keyId} ${id}`
    case 'bot':
    case 'thirdParty':
      return identity.keyId
  }
}
