// One socket: who it is, where it sits, and what it asks for. It may sit in many conversations: an agent does, a customer sits in one.
import type { Socket } from 'socket.io'
import type { Joined } from '../../conversation/conversations'
import type { Caller as Identity } from '../../identity/credentials'
import { GatewayError, notYours } from '../../model/errors'
import type { ConversationEvent, PublicEvent, Utterance } from '../../model/events'
import {
  conversationId as conversationIdSchema,
  type ConversationId,
  type ParticipantId,
  type Place,
} from '../../model/ids'
import { authorise, type Authority } from './authority'
import {
  acknowledgementOf,
  encodeConversation,
  encodeForStaff,
  encodeMembers,
  encodePublic,
  type Setting,
} from './codec'
import type { Connectors } from './connectors'
import type { ChannelDeps } from './deps'
import { answerDirectly } from './frame'
import type { FrameCache } from './frame-cache'
import { failureOf, handle, type Answer } from './handle'
import { Seat, sayingKey, type Hearing } from './seat'
import { readSaying, readSpeech, type Speech } from './speech'
import * as wire from './wire'

/** Requests of one socket that may be under way at once. */
const MAX_UNDER_WAY = 1_024
/** Conversations that one socket may sit in: an agent's desk, a connector's customers. */
const MAX_SEATS = 10_000
/** Never an id: those have 22 characters. */
const NO_CONVERSATION = 'none' as ConversationId
/** After so long without its place in the stream, a stored message is answered retryably. */
const IN_PLACE_MS = 10_000

type AnySeat = Seat<ConversationEvent> | Seat<PublicEvent>
export interface CallerDeps extends ChannelDeps {
  readonly frames: FrameCache
  readonly connectors: Connectors
}
interface Speaker {
  readonly place: Place
  readonly from: ParticipantId
  /** How this reader counts. */
  readonly counts: 'staff' | 'public'
  /** Null for a connector that speaks without having joined. */
  readonly seat: AnySeat | null
}

export class Caller {
  readonly #seats = new Map<string, { seat: AnySeat; depart: () => void; isConnector: boolean }>()
  #underWay = 0
  #identity: Identity

  constructor(
    readonly socket: Socket<wire.ClientToServerEvents, wire.ServerToClientEvents>,
    readonly address: string,
    identity: Identity,
    private readonly deps: CallerDeps,
  ) {
    this.#identity = identity
  }
  get identity(): Identity {
    return this.#identity
  }

  listen(): void {
    const { socket } = this
    answerDirectly(socket)
    const on = socket.on.bind(socket) as (event: string, listener: (...args: unknown[]) => void) => void
    const join = handle(this.#border, wire.joinRequest.schema, (request, answer: Answer<object>) =>
      this.#counted(this.#join(request, answer)),
    )
    on('joinConversation', join)
    on('joinConveration', join) // the public document's own typo
    on(
      'sendMessage',
      handle(this.#border, wire.sendRequest.schema, (request, answer) => this.#counted(this.#send(request, answer))),
    )
    on(
      'endConversation',
      handle(this.#border, wire.conversationRequest.schema, (request, answer) =>
        this.#counted(this.#end(request.conversationId, answer)),
      ),
    )
    on(
      'leaveConversation',
      handle(this.#border, wire.conversationRequest.schema, (request, answer) =>
        this.#counted(this.#leave(request.conversationId, answer)),
      ),
    )
    on(
      'registerConnector',
      handle(this.#border, wire.registerConnectorRequest.schema, (request, answer) =>
        this.#counted(this.#register(request, answer)),
      ),
    )
    const later = handle(this.#border, wire.conversationRequest.documented.partial().loose(), () => {
      throw new GatewayError('notImplemented', 'This gateway has no routing. Agents join conversations themselves.')
    })
    on('registerBot', later)
    on('requestAgentTransfer', later)
    socket.on('disconnect', () => this.#gone())
  }

  /** Closes the connection with a reason: its credential is void, or another one took its place. */
  dismiss(error: GatewayError): void {
    this.socket.emit('error', failureOf(error))
    this.socket.disconnect(true)
  }

  readonly #border = {
    complain: (failure: wire.Failure) => void this.socket.emit('error', failure),
    fault: (cause: unknown) => this.deps.onFault(cause),
    admit: () => this.#admit(),
  }
  /** Asked on every event: a credential may have been revoked or run out since the handshake. */
  #admit(): void {
    const { credentials, now } = this.deps
    if (!credentials.stillValid(this.#identity, now().getTime())) {
      const error = new GatewayError('unauthorized', 'This credential is no longer valid. Sign in again.')
      queueMicrotask(() => this.dismiss(error))
      throw error
    }
    if (this.#underWay >= MAX_UNDER_WAY)
      throw new GatewayError('tooManyRequests', 'Too many requests are under way. Wait for answers.', { retryAfter: 1 })
  }
  async #counted(work: Promise<void>): Promise<void> {
    this.#underWay += 1
    try {
      await work
    } finally {
      this.#underWay -= 1
    }
  }

  // ------------------------------------------------------------------------------------------------------------- joining

  async #join(request: ReturnType<typeof wire.joinRequest.schema.parse>, answer: Answer<object>): Promise<void> {
    const { deps, socket } = this
    const place = placeOf(deps, request.conversationId)
    await deps.limiter.consume('join', this.#identity.kind === 'anonymous' ? deps.limitKeyOf(this.address) : socket.id)
    if (this.#seats.size >= MAX_SEATS && !this.#seats.has(place.conversationId))
      throw new GatewayError('tooManyRequests', 'This socket sits in too many conversations. Leave some.')
    const token = await this.#customerToken(request.token)
    const found = await deps.conversations.find(place.tenant, place.conversationId)
    const { id, name, silent = false, after = 0 } = request
    const authority = authorise(this.#identity, { ...place, id, name, silent, token }, found, {
      tokens: deps.tokens,
      customerAuth: deps.entryPoint.customerAuth,
    })
    const joined = await deps.conversations.join(place, authority.arrival)
    if (!socket.connected) {
      if (!authority.asConnector) deps.attendance.arrive(place, joined.id)()
      return
    }
    const counts = this.#counts
    const seat = this.#takeSeat(place, joined, authority)
    const role = authority.asConnector ? 'connector' : authority.arrival.participant.role
    const fresh = role === 'customer' && (await this.#freshToken(place, joined.id))
    answer({ conversationId: place.conversationId, role, ...(fresh && { token: fresh }) })
    const setting = settingOf(joined, authority)
    const picture = {
      conversation: encodeConversation(joined.conversation, counts),
      members: encodeMembers(joined.conversation, counts, setting),
    }
    await seat.start(picture, after).catch((cause: unknown) => this.#lost(place.conversationId, seat, cause))
  }

  async #customerToken(token: string | undefined) {
    if (token === undefined || this.#identity.kind === 'staff' || this.#identity.kind === 'connector') return null
    const caller = await this.deps.credentials.resolve({ auth: token }, { query: false })
    if (caller.kind !== 'customer') throw notYours()
    return caller
  }
  async #freshToken({ tenant, conversationId }: Place, participantId: ParticipantId): Promise<string> {
    const { token } = await this.deps.tokens.signCustomer({ tenant, conversationId, participantId })
    return token
  }

  #takeSeat(place: Place, joined: Joined, authority: Authority): AnySeat {
    const { deps, socket } = this
    const former = this.#seats.get(place.conversationId)
    const common = {
      socket: socket as unknown as Socket,
      place,
      participantId: joined.id,
      role: authority.asConnector ? ('connector' as const) : authority.arrival.participant.role,
      setting: settingOf(joined, authority),
      frames: deps.frames,
      echo: deps.echoToSender,
      now: deps.now,
      onLeft: () => this.#drop(place.conversationId),
    }
    const seat: AnySeat =
      this.#identity.kind === 'staff'
        ? new Seat({ ...common, hearing: this.#staffHearing(common.setting) })
        : new Seat({ ...common, hearing: this.#publicHearing(common.setting, authority.asConnector) })
    const depart = authority.asConnector ? () => undefined : deps.attendance.arrive(place, joined.id)
    if (former) {
      former.seat.handOver(seat as Seat<never>)
      former.depart()
    }
    this.#seats.set(place.conversationId, { seat, depart, isConnector: authority.asConnector })
    return seat
  }
  #staffHearing(setting: Setting): Hearing<ConversationEvent> {
    return {
      key: 'staff',
      encode: (event) => encodeForStaff(event, setting),
      skips: () => false,
      follow: (place, after, seat) => this.deps.hub.followAsStaff(place, after, seat),
    }
  }
  #publicHearing(setting: Setting, asConnector: boolean): Hearing<PublicEvent> {
    return {
      key: setting.self ? `public ${setting.self.id} ${setting.self.shown}` : 'public',
      encode: (event) => encodePublic(event, setting),
      // A connector hears what is said as deliveries only, and activities that are not ours never.
      skips: (event) => asConnector && (event.type === 'messageSent' || event.type === 'activity'),
      follow: (place, after, seat) => this.deps.hub.followAsPublic(place, after, seat),
    }
  }

  /** The log could not be read: better to be told and join again than to hear half of it. */
  #lost(id: ConversationId, seat: AnySeat, cause: unknown): void {
    if (seat.isClosed) return
    this.deps.onFault(cause)
    this.dismiss(
      new GatewayError('unavailable', 'The log could not be read. Connect and join again.', { retryAfter: 1 }),
    )
    this.#drop(id)
  }

  // ------------------------------------------------------------------------------------------------------------ speaking

  async #send(request: wire.SendRequest, answer: Answer<wire.SendReply | object>): Promise<void> {
    const { deps } = this
    const asConnector = this.#identity.kind === 'connector'
    if (!deps.unlimited) await this.#limitSending(request)
    if (request.conversationId === undefined) {
      if (this.#identity.kind !== 'connector')
        throw new GatewayError('invalidRequest', 'Name the conversation.', { details: ['conversationId'] })
      answer(await deps.connectors.receive(this.#identity, request))
      return
    }
    const speaker = this.#sitting(request.conversationId) ?? (await this.#connectorFor(request.conversationId))
    const speech = readSpeech(request, asConnector)
    if (speech.type === 'say') return this.#say(speaker, readSaying(request, speaker.from, speech.body), answer)
    answer(await this.#act(speaker, speech, request))
  }

  async #limitSending(request: wire.SendRequest): Promise<void> {
    const { limiter } = this.deps
    const identity = this.#identity
    if (identity.kind === 'staff') return limiter.consume('sendStaff', identity.accountId)
    if (identity.kind !== 'connector') return limiter.consume('sendCustomer', this.socket.id)
    await limiter.consume('connectorTotal', identity.keyId)
    await limiter.consume('sendConnector', `${identity.keyId} ${request.refId ?? request.conversationId ?? ''}`)
  }

  #sitting(id: string): Speaker | null {
    const seat = this.#seats.get(id)?.seat
    return seat ? { place: seat.place, from: seat.participantId, counts: this.#counts, seat } : null
  }
  /** A keyed connector may speak for its carried customers without joining each. */
  async #connectorFor(id: string): Promise<Speaker> {
    const place = placeOf(this.deps, id)
    if (this.#identity.kind !== 'connector') throw notYours()
    return {
      place,
      from: await this.deps.connectors.customerOf(this.#identity, place),
      counts: this.#counts,
      seat: null,
    }
  }
  get #counts(): 'staff' | 'public' {
    return this.#identity.kind === 'staff' ? 'staff' : 'public'
  }

  /** The acknowledgement stands in the message's place in the stream; a repeat is answered when the stream has passed it. */
  async #say(speaker: Speaker, saying: ReturnType<typeof readSaying>, answer: Answer<object>): Promise<void> {
    const { conversations, hub } = this.deps
    const { place, seat } = speaker
    const key = sayingKey(saying)
    const reply = (event: Utterance) => answer(acknowledgementOf(event, speaker.counts))
    let inPlace = false
    const expected = seat?.expect(key, (event) => {
      inPlace = true
      reply(event)
    })
    try {
      const { event, repeated } = await conversations.say(place, saying)
      if (inPlace) return
      if (!seat || seat.isClosed) return reply(event)
      if (!repeated && expected) return this.#answerLate(seat, key, answer)
      if (expected) seat.forget(key)
      await hub.reached(place, event.position)
      reply(event)
    } catch (cause) {
      if (expected) seat?.forget(key)
      throw cause
    }
  }
  /** Stored, but its place has not been heard yet: a page of history or a gap comes first. */
  #answerLate(seat: AnySeat, key: string, answer: Answer<object>): void {
    setTimeout(() => {
      seat.forget(key)
      const late = new GatewayError('unavailable', 'Stored, but not in its place yet. Send it again with the same id.')
      answer(failureOf(late))
    }, IN_PLACE_MS).unref()
  }

  async #act(speaker: Speaker, speech: Exclude<Speech, { type: 'say' }>, request: wire.SendRequest): Promise<object> {
    const { conversations } = this.deps
    const { place, from } = speaker
    const { conversationId } = place
    switch (speech.type) {
      case 'typing': {
        const { to = [], tag = '' } = request
        await conversations.type(place, { from, to, whisper: tag === 'whisper' }, speech.state)
        return { conversationId }
      }
      case 'receipt':
        if (this.#identity.kind === 'connector') return this.deps.connectors.report(this.#identity, speech, request)
        await this.#acknowledge(speaker, speech)
        return { conversationId }
      case 'end':
        await conversations.end(place, from)
        return { conversationId }
      case 'handOff':
        throw new GatewayError('notImplemented', 'This gateway has no routing. Agents join conversations themselves.')
    }
  }
  async #acknowledge(
    { place, from }: Speaker,
    { state, messageId }: Extract<Speech, { type: 'receipt' }>,
  ): Promise<void> {
    const eventId = this.deps.connectors.eventIdIn(place, messageId)
    await this.deps.conversations.acknowledge(place, from, { state, eventId })
  }

  async #end(id: string, answer: Answer<object>): Promise<void> {
    await this.#limitSending({ extras: {}, conversationId: id })
    const { place, from } = this.#sitting(id) ?? (await this.#connectorFor(id))
    await this.deps.conversations.end(place, from)
    answer({ conversationId: place.conversationId })
  }
  async #leave(id: string, answer: Answer<object>): Promise<void> {
    const { place, from } = this.#sitting(id) ?? (await this.#connectorFor(id))
    await this.deps.conversations.leave(place, from, 'left')
    this.deps.attendance.forget(place, from)
    answer({ conversationId: place.conversationId })
    this.#drop(place.conversationId)
  }

  async #register(
    request: ReturnType<typeof wire.registerConnectorRequest.schema.parse>,
    answer: Answer<object>,
  ): Promise<void> {
    const { reply, identity } = await this.deps.connectors.register(this, request)
    this.#identity = identity
    answer(reply)
  }

  // ------------------------------------------------------------------------------------------------------------- leaving

  #drop(id: string): void {
    const sitting = this.#seats.get(id)
    if (!sitting) return
    sitting.seat.close()
    sitting.depart()
    this.#seats.delete(id)
  }
  #gone(): void {
    for (const id of [...this.#seats.keys()]) this.#drop(id)
    this.deps.connectors.gone(this)
  }
}

/** An id of any other shape is looked up like any unknown one: it names nothing, after the same work. */
export function placeOf({ entryPoint }: ChannelDeps, id: string): Place {
  const { data = NO_CONVERSATION } = conversationIdSchema.safeParse(id)
  return { tenant: entryPoint.tenant, conversationId: data }
}

function settingOf({ conversation, id }: Joined, { shown }: Authority): Setting {
  const { channel, refId } = conversation.opening.address
  return { channel, refId, self: shown === null ? null : { id, shown } }
}
