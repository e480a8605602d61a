// A member of one conversation who hears it and may speak in it, comes back by itself after every fall, and notes what it is told.
import { io, type Socket } from 'socket.io-client'
import type { Body } from './checker'
import type { Entry, History } from './history'

interface Reply extends Body {
  readonly code: number
  readonly error?: { readonly retryable?: boolean }
}
/** Before what was refused for now is said again, in milliseconds. */
const AGAIN_MS = 100
/** A connection that closes without a failure before it is open, as when a gateway dies within a handshake, is tried again only then. */
const HANDSHAKE_WITHIN = 2_000
/** What joins: `id` and `token` for customers. */
export interface Ticket {
  readonly conversationId: string
  readonly id?: string
  readonly token?: string
}
/** How it speaks. */
export interface Speech {
  /** Its messages are `<name> 1`, `<name> 2` and so on, which are their keys, too. */
  readonly name: string
  /** So many wait for their acknowledgement at once. */
  readonly inFlight: number
  /** Milliseconds between an acknowledgement and the next message. */
  readonly pause: number
  /** Of a message with this number. */
  readonly more?: (number: number) => object
}
interface Waiting {
  readonly number: number
  readonly request: { readonly messageId: string }
}
/** Through which door it comes, and where what it says is written down. */
export interface Door {
  readonly url: string
  readonly node: string
}
interface Options {
  readonly token?: string
  readonly speech?: Speech
  readonly history?: History
}

export class Member {
  /** The bodies that came, in order, ephemeral ones left out. */
  readonly heard: Body[] = []
  /** Acknowledgements by the message's number, and each once more when it came again otherwise. */
  readonly acknowledged = new Map<number, number>()
  /** Whatever must not happen, as sentences. */
  readonly complaints: string[] = []
  /** The `seq` of everything heard or acknowledged, where it stood in the stream. */
  readonly stream: number[] = []
  /** `performance.now()` of the latest acknowledgement, and of the latest accepted join. */
  lastAcknowledged = 0
  joinedAt = 0
  /** How often its connection was lost, and how often it was refused for now. */
  losses = 0
  refusals = 0
  readonly #socket: Socket
  #waiting: Waiting[] = []
  #said = 0
  #isSpeaking = false
  #isSentAwayForNow = false
  #isSeated = false

  constructor(
    private readonly door: Door,
    private readonly ticket: Ticket,
    private readonly options: Options = {},
  ) {
    const { token } = options
    this.#socket = io(door.url, {
      transports: ['websocket'],
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 100,
      timeout: HANDSHAKE_WITHIN,
      ...(token === undefined ? {} : { auth: { token } }),
    })
    this.#socket.on('connect', () => this.#join())
    this.#socket.on('disconnect', (reason) => {
      this.#isSeated = false
      // Sent away for now: Socket.IO's client comes back by itself after every other reason.
      if (reason === 'io server disconnect' && this.#isSentAwayForNow)
        setTimeout(() => this.#socket.connect(), AGAIN_MS)
      this.losses += 1
      for (const waiting of this.#waiting) this.#note('info', waiting)
    })
    this.#socket.on('connect_error', ({ data }: Error & { data?: Reply }) => {
      if (data && !isForNow(data)) this.complaints.push(`connect: ${JSON.stringify(data)}`)
    })
    this.#socket.on('conversationInfo', ({ messages }: { messages: Body[] }) =>
      messages.forEach((one) => this.#hear(one)),
    )
    this.#socket.on('messageArrived', (body: Body) => this.#hear(body))
    this.#socket.on('error', (failure: Reply) => {
      this.#isSentAwayForNow = isForNow(failure)
      if (!isForNow(failure)) this.complaints.push(`error: ${JSON.stringify(failure)}`)
    })
  }

  get node(): string {
    return this.door.node
  }
  get isSeated(): boolean {
    return this.#isSeated
  }
  /** Where it resumes. */
  get cursor(): number {
    return this.stream.at(-1) ?? 0
  }
  get isQuiet(): boolean {
    return this.#waiting.length === 0
  }
  speak(): void {
    this.#isSpeaking = true
    for (let i = 0; i < (this.options.speech?.inFlight ?? 0); i++) this.#say()
  }
  /** Says nothing new; what is not acknowledged is still repeated. */
  hush(): void {
    this.#isSpeaking = false
  }
  close(): void {
    this.#isSpeaking = false
    this.#socket.disconnect()
  }

  #join(): void {
    const { id: session } = this.#socket
    this.#socket.emit('joinConversation', { ...this.ticket, after: this.cursor }, (reply: Reply) => {
      if (this.#socket.id !== session) return
      if (isForNow(reply)) {
        this.refusals += 1
        setTimeout(() => {
          if (this.#socket.id === session) this.#join()
        }, AGAIN_MS)
        return
      }
      if (reply.code !== 200) {
        this.complaints.push(`join: ${JSON.stringify(reply)}`)
        return
      }
      this.#isSeated = true
      this.joinedAt = performance.now()
      for (const waiting of this.#waiting) this.#emit(waiting)
    })
  }
  #hear(body: Body): void {
    if (body.seq === undefined) return
    if (body.seq <= this.cursor) this.complaints.push(`${body.seq} came after ${this.cursor}`)
    this.heard.push(body)
    this.stream.push(body.seq)
  }

  #say(): void {
    const { speech } = this.options
    if (!this.#isSpeaking || !speech) return
    const number = ++this.#said
    const text = `${speech.name} ${number}`
    const more = speech.more?.(number) ?? {}
    const { conversationId } = this.ticket
    const waiting = { number, request: { conversationId, type: 'ChatMessage', messageId: text, text, ...more } }
    this.#waiting.push(waiting)
    if (this.#isSeated) this.#emit(waiting)
  }
  #emit(waiting: Waiting): void {
    this.#note('invoke', waiting)
    this.#socket.emit('sendMessage', waiting.request, (reply: Reply) => this.#answered(waiting, reply))
  }
  #answered(waiting: Waiting, reply: Reply): void {
    const { code, seq = 0 } = reply
    if (code === 200) {
      this.#acknowledge(waiting, seq)
      return
    }
    const forNow = isForNow(reply)
    this.#note(forNow ? 'info' : 'fail', waiting, { code })
    if (!forNow) {
      this.complaints.push(`${waiting.number}: ${JSON.stringify(reply)}`)
      this.#waiting = this.#waiting.filter((one) => one !== waiting)
      return
    }
    this.refusals += 1
    setTimeout(() => {
      if (this.#isSeated && this.#waiting.includes(waiting)) this.#emit(waiting)
    }, AGAIN_MS)
  }
  #acknowledge(waiting: Waiting, seq: number): void {
    this.#note('ok', waiting, { seq })
    const { number } = waiting
    const before = this.acknowledged.get(number)
    if (before !== undefined && before !== seq) this.complaints.push(`${number} was at ${before}, then at ${seq}`)
    this.acknowledged.set(number, seq)
    // A repeat is acknowledged when the stream has passed its message.
    if (seq > this.cursor) this.stream.push(seq)
    this.lastAcknowledged = performance.now()
    this.#waiting = this.#waiting.filter((one) => one !== waiting)
    if (before === undefined) setTimeout(() => this.#say(), this.options.speech?.pause ?? 0)
  }
  #note(outcome: Entry['outcome'], { number, request }: Waiting, more: Pick<Entry, 'seq' | 'code'> = {}): void {
    const { conversationId: conversation } = this.ticket
    const sender = this.options.speech?.name ?? ''
    const { node } = this.door
    this.options.history?.note({ outcome, conversation, sender, node, messageId: request.messageId, number, ...more })
  }
}

/** The same may succeed in a moment. */
const isForNow = ({ error }: Reply): boolean => error?.retryable === true
