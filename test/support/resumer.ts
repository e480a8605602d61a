// A reader that is cut again and again, joins after what it has heard, and writes down what it hears, byte for byte.
import { connect, type Reply, type Someone } from './people'

type Body = Record<string, unknown>
interface Wish {
  readonly url: string
  readonly join: Body
  readonly auth?: Body
}
/** What was heard: an entry of the log as JSON, or an acknowledgement in its place. */
export interface Note {
  readonly seq: number
  readonly json: string
  readonly isAck: boolean
  readonly body: Body
}

export class Resumer {
  /** In the order it came: nothing is sorted, nothing is left out. */
  readonly notes: Note[] = []
  /** How many messages each `conversationInfo` held. */
  readonly infos: number[] = []
  readonly refusals: Reply[] = []
  cuts = 0
  #generation = 0
  #someone: Someone | null = null
  #hasJoined = false
  /** Said and not acknowledged: said again after each join, under the same key. */
  readonly #pending = new Map<string, Body>()

  constructor(private readonly wish: Wish) {}

  get last(): number {
    return this.notes.at(-1)?.seq ?? 0
  }
  get unacknowledged(): number {
    return this.#pending.size
  }
  get hasEnded(): boolean {
    return this.notes.at(-1)?.body['activityType'] === 'endOfConversation'
  }
  /** The log as it was heard, without its own acknowledgements. */
  get log(): string[] {
    return this.notes.flatMap(({ json, isAck }) => (isAck ? [] : [json]))
  }

  async start(): Promise<void> {
    const generation = ++this.#generation
    const { url, join, auth } = this.wish
    const someone = await connect(url, auth ? { auth } : {}).catch((cause: unknown) => {
      if (generation === this.#generation) throw cause
    })
    if (!someone) return
    if (generation !== this.#generation) {
      someone.close()
      return
    }
    this.#someone = someone
    someone.socket.on('conversationInfo', ({ messages }: { messages: Body[] }) => {
      this.infos.push(messages.length)
      for (const message of messages) this.#note(message)
    })
    someone.socket.on('messageArrived', (message: Body) => this.#note(message))
    someone.socket.on('disconnect', () => void this.start())
    someone.socket.emit('joinConversation', { ...join, after: this.last }, (reply: Reply) => {
      if (reply.code !== 200) this.refusals.push(reply)
      this.#hasJoined = true
      for (const body of this.#pending.values()) this.#send(body)
    })
  }
  /** Loses the connection, suddenly or with a goodbye, and comes back at once. */
  cut(isSudden: boolean): void {
    this.stop(isSudden)
    this.cuts += 1
    void this.start()
  }
  stop(isSudden = false): void {
    const someone = this.#someone
    this.#generation += 1
    this.#someone = null
    this.#hasJoined = false
    someone?.socket.off()
    if (isSudden) someone?.socket.io.engine.close()
    else someone?.close()
  }

  say(messageId: string, body: Body): void {
    const keyed = { ...body, messageId }
    this.#pending.set(messageId, keyed)
    if (this.#hasJoined) this.#send(keyed)
  }
  #send(body: Body): void {
    const someone = this.#someone
    someone?.socket.emit('sendMessage', body, (reply: Reply) => {
      if (someone !== this.#someone) return
      if (reply.code !== 200) this.refusals.push(reply)
      this.#pending.delete(String(body['messageId']))
      // What it heard already needs no acknowledgement in its place.
      if (Number(reply['seq']) > this.last) this.#note(reply, true)
    })
  }

  /** Greetings and typing are not of the log: they have no `seq`. */
  #note(body: Body, isAck = false): void {
    const { seq } = body
    if (typeof seq === 'number') this.notes.push({ seq, json: JSON.stringify(body), isAck, body })
  }
}
