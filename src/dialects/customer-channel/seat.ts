// One socket in one conversation: what it hears, in order, and its own acknowledgements in their place among it.
import type { Socket } from 'socket.io'
import type { Following } from '../../conversation/stream'
import { isUtterance, type ConversationEvent, type Ephemeral, type Utterance } from '../../model/events'
import type { ParticipantId, Place } from '../../model/ids'
import type { Address } from '../../model/participant'
import { encodeDeparture, encodeEphemeral, encodeGreeting, encodeInfo, type Setting } from './codec'
import { drained, Frame, isBehind } from './frame'
import type { FrameCache } from './frame-cache'
import type { ConversationInfo, Person, WireConversation, WireMessage } from './wire'

/** Messages in the first `conversationInfo`; the rest follows one by one. */
const MAX_INFO_MESSAGES = 500
const MAX_INFO_BYTES = 1024 * 1024
/** History is written so many bytes at a time, and goes on when the socket has taken them. */
const WRITE_AHEAD_BYTES = 256 * 1024

/** How this seat's audience hears. Properties, not methods, as in `Follower`. */
export interface Hearing<E extends ConversationEvent> {
  /** `staff`, or `public` with whose id is shown otherwise: all seats with one key hear the same bytes. */
  readonly key: string
  readonly encode: (event: E) => WireMessage
  /** True for what this seat hears another way: a connector gets messages as deliveries. */
  readonly skips: (event: E) => boolean
  readonly follow: (place: Place, after: number, seat: Seat<E>) => Following
}
export interface SeatDeps<E extends ConversationEvent> {
  readonly socket: Socket
  readonly place: Place
  readonly participantId: ParticipantId
  /** Where the conversation's customer is reached. */
  readonly address: Address
  readonly role: ConversationInfo['role']
  readonly setting: Setting
  readonly hearing: Hearing<E>
  readonly frames: FrameCache
  readonly echo: boolean
  readonly now: () => Date
  /** Position of the log when the seat was taken: what was left before has nothing to do with it. */
  readonly joinedAt: number
  /** Milliseconds since 1970: from then on nothing is heard or said here. Null: it does not end by itself. */
  readonly until: number | null
  /** False when the credential of the socket is void: then it is told nothing any more. */
  readonly mayHear: () => boolean
  readonly onLeft: () => void
  /** Their grace has ended, it is said, but they are here. */
  readonly onWrittenOff: () => void
  /** Told once, when it is first asked after its time. */
  readonly onExpired: () => void
}
type Acknowledge = (event: Utterance) => void
interface Expected {
  readonly acknowledge: Acknowledge
  /** Stored, and not heard here yet. */
  stored: Utterance | null
}
type AnySeat = Pick<Seat, 'latest' | 'expect' | 'expects' | 'stored' | 'forget' | 'isClosed' | 'caughtUp'>

export class Seat<E extends ConversationEvent = ConversationEvent> {
  readonly place: Place
  readonly participantId: ParticipantId
  readonly address: Address
  readonly #deps: SeatDeps<E>
  /** What this socket said and has not been acknowledged, by key and digest. */
  readonly #said = new Map<string, Expected>()
  #following: Following | null = null
  #picture: { conversation: WireConversation; members: Person[] } | null = null
  #closed = false
  #expired = false
  #successor: AnySeat | null = null

  constructor(deps: SeatDeps<E>) {
    this.#deps = deps
    this.place = deps.place
    this.participantId = deps.participantId
    this.address = deps.address
  }

  /** Gives the picture, what follows it, a greeting, and then what is live. Resolves when live. */
  async start(picture: { conversation: WireConversation; members: Person[] }, after: number): Promise<void> {
    // Another join of this socket took over, or the socket went, before this one got so far: nobody would end it.
    if (this.#closed) return
    this.#picture = picture
    this.#following = this.#deps.hearing.follow(this.place, after, this)
    await this.#following.caughtUp
  }
  /** Resolves when history has ended, one way or another. */
  async caughtUp(): Promise<void> {
    await this.#following?.caughtUp.catch(() => undefined)
  }

  async history(events: readonly E[]): Promise<void> {
    let rest = events
    if (this.#picture) {
      const first = this.#leading(events)
      this.#giveInfo(events.slice(0, first))
      rest = events.slice(first)
    }
    // Another socket of this member may have left since.
    const end = events.find((event) => this.#endsWith(event))
    let ahead = 0
    for (const event of rest) {
      if (this.#closed) return
      ahead += this.#tell(event, 'queued')
      if (ahead < WRITE_AHEAD_BYTES) continue
      await drained(this.#deps.socket)
      ahead = 0
    }
    if (end) this.#end(end)
    else await drained(this.#deps.socket)
  }
  live(): void {
    if (this.#picture) this.#giveInfo([])
    const { socket, setting } = this.#deps
    Frame.event('messageArrived', encodeGreeting(this.#moment, this.#me, setting)).writeTo(socket)
  }
  hear(event: E): void {
    this.#tell(event, 'live')
    if (this.#endsWith(event)) this.#end(event)
  }
  /** The customer left by another socket, and is reached by their channel from now on: to all but them nobody left. */
  carried(id: ParticipantId): void {
    const { socket, setting, role } = this.#deps
    if (this.#closed || id !== this.participantId || role === 'connector' || !this.#mayHear()) return
    Frame.event('messageArrived', encodeDeparture(this.#moment, this.#me, setting)).writeTo(socket)
    this.#leave()
  }
  hearEphemeral(ephemeral: Ephemeral): void {
    const { socket, setting, frames, hearing } = this.#deps
    if (ephemeral.by.id === this.participantId || isBehind(socket) || !this.#mayHear()) return
    frames.of(ephemeral, hearing.key, () => encodeEphemeral(ephemeral, setting)).writeTo(socket)
  }

  /** Before something is said: its acknowledgement will be given in its place. False when it is being said already. */
  expect(key: string, acknowledge: Acknowledge): boolean {
    if (this.#said.has(key)) return false
    this.#said.set(key, { acknowledge, stored: null })
    return true
  }
  expects(key: string): boolean {
    return this.#said.has(key)
  }
  /** What is expected is stored: a seat that is given up before it hears it acknowledges it all the same. */
  stored(key: string, event: Utterance): void {
    const expected = this.#said.get(key)
    if (expected) expected.stored = event
  }
  forget(key: string): void {
    this.#said.delete(key)
  }
  /** Another join of the same socket takes over what is on its way. */
  handOver(next: AnySeat): void {
    this.#successor = next
    for (const [key, { acknowledge, stored }] of this.#said) {
      next.expect(key, acknowledge)
      if (stored) next.stored(key, stored)
    }
    this.#said.clear()
    this.close()
  }
  /** The seat that a later join of the same socket took in this one's place. */
  get latest(): AnySeat {
    return this.#successor?.latest ?? this
  }
  get isClosed(): boolean {
    return this.#closed
  }
  close(): void {
    this.#closed = true
    this.#following?.leave()
    for (const [key, { acknowledge, stored }] of this.#said) {
      if (!stored) continue
      this.#said.delete(key)
      acknowledge(stored)
    }
  }

  /** Has the token run out that it was taken with? Asked before anything is heard or said: no timer waits for it. */
  hasExpired(): boolean {
    const { until, now, onExpired } = this.#deps
    if (until === null || now().getTime() < until) return false
    if (this.#expired) return true
    this.#expired = true
    this.close()
    onExpired()
    return true
  }
  #mayHear(): boolean {
    return !this.hasExpired() && this.#deps.mayHear()
  }
  /** Whose seat it is: a connector's acts for the customer, and holds the customer's id. */
  get role(): ConversationInfo['role'] {
    return this.#deps.role
  }

  get #me(): Person {
    const shown = this.#deps.setting.self?.shown ?? this.participantId
    return this.#members.find(({ id }) => id === shown) ?? { id: shown, name: '', type: 'Customer' }
  }
  #members: readonly Person[] = []
  get #moment() {
    return { conversationId: this.place.conversationId, at: this.#deps.now().toISOString() }
  }
  #endsWith(event: E): boolean {
    const isDeparture = event.type === 'participantLeft' || event.type === 'observerLeft'
    return isDeparture && event.participant.id === this.participantId && event.position > this.#deps.joinedAt
  }
  #end(departure: E): void {
    const isWrittenOff = 'reason' in departure && departure.reason === 'disconnected'
    if (isWrittenOff && !this.#closed && this.#deps.socket.connected) this.#deps.onWrittenOff()
    else this.#leave()
  }
  #leave(): void {
    if (this.#closed) return
    this.close()
    this.#deps.onLeft()
  }

  #giveInfo(events: readonly E[]): void {
    if (!this.#picture || !this.#mayHear()) return
    const { socket, hearing, role } = this.#deps
    const { conversation, members } = this.#picture
    this.#picture = null
    this.#members = members
    const messages = events.filter((event) => !hearing.skips(event)).map((event) => hearing.encode(event))
    Frame.event('conversationInfo', encodeInfo({ conversation, members, messages, role })).queueOn(socket)
    for (const event of events) this.#acknowledge(event)
  }
  #leading(events: readonly E[]): number {
    let bytes = 0
    const end = events.findIndex((event, i) => {
      bytes += roughSize(event)
      return i >= MAX_INFO_MESSAGES || (i > 0 && bytes > MAX_INFO_BYTES)
    })
    return end < 0 ? events.length : end
  }

  /** One event of the stream; answers how much was written. */
  #tell(event: E, how: 'live' | 'queued'): number {
    const { socket, hearing, frames, echo } = this.#deps
    const mine = this.#acknowledge(event)
    if ((mine && !echo) || (!mine && hearing.skips(event)) || !this.#mayHear()) return 0
    const frame = frames.of(event, hearing.key, () => hearing.encode(event))
    if (how === 'live') frame.writeTo(socket)
    else frame.queueOn(socket)
    return frame.size
  }
  #acknowledge(event: E): boolean {
    if (this.#said.size === 0 || event.by.id !== this.participantId || !isUtterance(event)) return false
    const key = sayingKey(event)
    const expected = this.#said.get(key)
    if (!expected) return false
    this.#said.delete(key)
    expected.acknowledge(event)
    return true
  }
}

/** Tells one saying from another: without a key of the sender's, the digest is random. */
export const sayingKey = ({ clientMessageId, digest }: Pick<Utterance, 'clientMessageId' | 'digest'>): string =>
  `${clientMessageId ?? ''}\n${digest}`

function roughSize(event: ConversationEvent): number {
  if (event.type !== 'messageSent' && event.type !== 'whispered') return 256
  return event.content.attachments.reduce(
    (sum, { contentUrl }) => sum + contentUrl.length,
    event.content.text.length + 512,
  )
}
