// A member of one conversation who hears it and may speak in it, comes back by itself after every fall, and notes what it is told.
import { io, type Socket } from 'socket.io-client'

export interface Body {
  readonly seq?: number
  readonly [field: string]: unknown
}
interface Reply extends Body {
  readonly code: number
}
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
/** Milliseconds before a join is repeated that was refused retryably. */
const REFUSED_PAUSE = 200
interface Waiting {
  readonly number: number
  readonly request: object
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
  readonly #socket: Socket
  #waiting: Waiting[] = []
  #said = 0
  #isSpeaking = false
  #isSeated = false

  constructor(
    url: string,
    private readonly ticket: Ticket,
    private readonly options: { readonly token?: string; readonly speech?: Speech } = {},
  ) {
    const { token } = options
    this.#socket = io(url, {
      transports: ['websocket'],
      forceNew: true,
      reconnectionDelay: 50,
      reconnectionDelayMax: 100,
      ...(token === undefined ? {} : { auth: { token } }),
    })
    this.#socket.on('connect', () => this.#join())
    this.#socket.on('disconnect', () => (this.#isSeated = false))
    this.#socket.on('conversationInfo', ({ messages }: { messages: Body[] }) =>
      messages.forEach((one) => this.#hear(one)),
    )
    this.#socket.on('messageArrived', (body: Body) => this.#hear(body))
    this.#socket.on('error', (failure: unknown) => this.complaints.push(`error: ${JSON.stringify(failure)}`))
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
      if (reply.code === 503) {
        // As it says itself: here again, or wherever the next connection leads.
        setTimeout(() => this.#socket.id === session && this.#join(), REFUSED_PAUSE)
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
    this.#socket.emit('sendMessage', waiting.request, (reply: Reply) => this.#acknowledge(waiting, reply))
  }
  #acknowledge(waiting: Waiting, { code, seq = 0, ...rest }: Reply): void {
    if (code !== 200) {
      this.complaints.push(`${waiting.number}: ${JSON.stringify({ code, ...rest })}`)
      return
    }
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
}
