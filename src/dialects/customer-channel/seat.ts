// One socket in one conversation: what it hears, in order, and its own acknowledgements in their place among it.
import type { Socket } from 'socket.io'
import type { Hub } from '../../conversation/hub'
import type { Following } from '../../conversation/stream'
import { isStored } from '../../model/content'
import { isUtterance, type ConversationEvent, type Ephemeral } from '../../model/events'
import type { ConversationId, ParticipantId, Place } from '../../model/ids'
import type { Address } from '../../model/participant'
import { encodeDeparture, encodeEphemeral, encodeGreeting, encodeInfo, type Setting } from './codec'
import { drained, Frame, isBehind } from './frame'
import type { FrameCache } from './frame-cache'
import type { Said } from './said'
import type { ConversationInfo, Person, WireConversation, WireMessage } from './wire'

/** Messages in the first `conversationInfo`; the rest follows one by one. */
const MAX_INFO_MESSAGES = 500
const MAX_INFO_BYTES = 1024 * 1024
/** History is written so many bytes at a time, and goes on when the socket has taken them. */
const WRITE_AHEAD_BYTES = 256 * 1024

/** How one kind of seat hears: the same for all of its kind. Properties, not methods, as in `Follower`. */
export interface Hearing<E extends ConversationEvent> {
  /** All seats of one audience hear the same bytes. */
  readonly audienceOf: (setting: Setting) => string
  readonly encode: (event: E, setting: Setting) => WireMessage
  /** True for what is heard another way: a connector gets messages as deliveries. */
  readonly skips: (event: E) => boolean
  readonly follow: (hub: Hub, place: Place, after: number, seat: Seat<E>) => Following
}
/** Who gives a connection its seats, and is told what becomes of them. */
export interface SeatHost {
  readonly socket: AnySocket
  readonly hub: Hub
  readonly frames: FrameCache
  /** Whether a sender hears what they said besides being answered. */
  readonly echo: boolean
  now(): Date
  /** False when the credential of the socket is void: then it is told nothing any more. @param at milliseconds since 1970 */
  mayHear(at: number): boolean
  onLeft(id: ConversationId): void
  /** Their grace has ended, it is said, but they are here. */
  onWrittenOff(id: ConversationId): void
  /** Told once, when it is first asked after its time. */
  onExpired(id: ConversationId): void
}
/** Whose place it is, and in what. */
export interface Sitting {
  readonly place: Place
  readonly participantId: ParticipantId
  /** Where the conversation's customer is reached. */
  readonly address: Address
  readonly role: ConversationInfo['role']
  readonly setting: Setting
  /** What the socket said here: that of its former seat, if it joins again. */
  readonly said: Said
  /** Position of the log when the seat was taken: what was left before has nothing to do with it. */
  readonly joinedAt: number
  /** Milliseconds since 1970: from then on nothing is heard or said here. `Infinity`: it does not end by itself. */
  readonly until: number
}
type AnySocket = Pick<Socket, 'conn' | 'connected'>
interface Picture {
  readonly conversation: WireConversation
  readonly members: readonly Person[]
}
type AnySeat = Pick<Seat, 'latest' | 'said' | 'isClosed' | 'caughtUp'>

export class Seat<E extends ConversationEvent = ConversationEvent> {
  readonly place: Place
  readonly participantId: ParticipantId
  readonly address: Address
  /** Whose seat it is: a connector's acts for the customer, and holds the customer's id. */
  readonly role: ConversationInfo['role']
  readonly said: Said
  readonly #host: SeatHost
  readonly #hearing: Hearing<E>
  readonly #setting: Setting
  readonly #audience: string
  readonly #joinedAt: number
  readonly #until: number
  #following: Following | null = null
  #picture: Picture | null = null
  #members: readonly Person[] = []
  #closed = false
  #expired = false
  #successor: AnySeat | null = null

  constructor(host: SeatHost, hearing: Hearing<E>, sitting: Sitting) {
    this.#host = host
    this.said = sitting.said
    this.#hearing = hearing
    this.place = sitting.place
    this.participantId = sitting.participantId
    this.address = sitting.address
    this.role = sitting.role
    this.#setting = sitting.setting
    this.#audience = hearing.audienceOf(sitting.setting)
    this.#joinedAt = sitting.joinedAt
    this.#until = sitting.until
  }

  /** Gives the picture, what follows it, a greeting, and then what is live. Resolves when live. */
  async start(picture: Picture, after: number): Promise<void> {
    // Another join of this socket took over, or the socket went, before this one got so far: nobody would end it.
    if (this.#closed) return
    this.#picture = picture
    this.#following = this.#hearing.follow(this.#host.hub, this.place, after, this)
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
      await drained(this.#host.socket)
      ahead = 0
    }
    if (end) this.#end(end)
    else await drained(this.#host.socket)
  }
  live(): void {
    if (this.#picture) this.#giveInfo([])
    Frame.event('messageArrived', encodeGreeting(this.#moment, this.#me, this.#setting)).writeTo(this.#host.socket)
  }
  hear(event: E): void {
    this.#tell(event, 'live')
    if (this.#endsWith(event)) this.#end(event)
  }
  /** The customer left by another socket, and is reached by their channel from now on: to all but them nobody left. */
  carried(id: ParticipantId): void {
    if (this.#closed || id !== this.participantId || this.role === 'connector' || !this.#mayHear(this.#now)) return
    Frame.event('messageArrived', encodeDeparture(this.#moment, this.#me, this.#setting)).writeTo(this.#host.socket)
    this.#leave()
  }
  hearEphemeral(ephemeral: Ephemeral): void {
    const { socket, frames } = this.#host
    if (ephemeral.by.id === this.participantId || isBehind(socket)) return
    if (!this.#mayHear(frames.momentOf(ephemeral))) return
    frames.of(ephemeral, this.#audience, () => encodeEphemeral(ephemeral, this.#setting)).writeTo(socket)
  }

  /** Another join of the same socket takes over, and with it what is on its way. */
  handOver(next: AnySeat): void {
    this.#successor = next
    this.#stop()
  }
  /** The seat that a later join of the same socket took in this one's place. */
  get latest(): AnySeat {
    return this.#successor?.latest ?? this
  }
  get isClosed(): boolean {
    return this.#closed
  }
  close(): void {
    this.#stop()
    if (!this.#successor) this.said.acknowledgeStored()
  }
  #stop(): void {
    this.#closed = true
    this.#following?.leave()
  }

  /** Has the token run out that it was taken with? Asked before anything is heard or said: no timer waits for it. */
  hasExpired(at = this.#now): boolean {
    if (at < this.#until) return false
    if (this.#expired) return true
    this.#expired = true
    this.close()
    this.#host.onExpired(this.place.conversationId)
    return true
  }
  #mayHear(at: number): boolean {
    return !this.hasExpired(at) && this.#host.mayHear(at)
  }

  get #me(): Person {
    const shown = this.#setting.self?.shown ?? this.participantId
    return this.#members.find(({ id }) => id === shown) ?? { id: shown, name: '', type: 'Customer' }
  }
  get #now(): number {
    return this.#host.now().getTime()
  }
  get #moment() {
    return { conversationId: this.place.conversationId, at: this.#host.now().toISOString() }
  }
  #endsWith(event: E): boolean {
    const isDeparture = event.type === 'participantLeft' || event.type === 'observerLeft'
    // Nothing more is said there, and what the seat knows of its customer goes with it.
    if (event.type === 'conversationErased') return event.position > this.#joinedAt
    return isDeparture && event.participant.id === this.participantId && event.position > this.#joinedAt
  }
  #end(departure: E): void {
    const isWrittenOff = 'reason' in departure && departure.reason === 'disconnected'
    if (isWrittenOff && !this.#closed && this.#host.socket.connected) this.#host.onWrittenOff(this.place.conversationId)
    else this.#leave()
  }
  #leave(): void {
    if (this.#closed) return
    this.close()
    this.#host.onLeft(this.place.conversationId)
  }

  #giveInfo(events: readonly E[]): void {
    if (!this.#picture || !this.#mayHear(this.#now)) return
    const { conversation, members } = this.#picture
    this.#picture = null
    this.#members = members
    const messages = events
      .filter((event) => !this.#hearing.skips(event))
      .map((event) => this.#hearing.encode(event, this.#setting))
    const info = encodeInfo({ conversation, members: [...members], messages, role: this.role })
    Frame.event('conversationInfo', info).queueOn(this.#host.socket)
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
    const { socket, frames, echo } = this.#host
    const mine = this.#acknowledge(event)
    if ((mine && !echo) || (!mine && this.#hearing.skips(event))) return 0
    if (!this.#mayHear(how === 'live' ? frames.momentOf(event) : this.#now)) return 0
    const frame = frames.of(event, this.#audience, () => this.#hearing.encode(event, this.#setting))
    if (how === 'live') frame.writeTo(socket)
    else frame.queueOn(socket)
    return frame.size
  }
  #acknowledge(event: E): boolean {
    return event.by.id === this.participantId && isUtterance(event) && this.said.acknowledge(event)
  }
}

function roughSize(event: ConversationEvent): number {
  if (event.type !== 'messageSent' && event.type !== 'whispered') return 256
  return event.content.attachments.reduce(
    (sum, attachment) => sum + (isStored(attachment) ? 256 : attachment.contentUrl.length),
    event.content.text.length + 512,
  )
}
