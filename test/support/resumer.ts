// A reader that is cut again and again, joins after what it has heard, and writes down what it hears, byte for byte.
import { connect, type Reply, type Someone } from './people'

type Body = Record<string, unknown>
interface Wish {
  readonly url: string
  readonly join: Body
  readonly auth?: Body
}

/** What arrives of a conversation: greetings and typing left out, as they are not of the log. */
const isOfLog = ({ seq }: Body): boolean => typeof seq === 'number'

export class Resumer {
  /** As JSON, in the order it came; what it said itself stands as it was acknowledged. */
  readonly heard: string[] = []
  /** Position, in the reader's own count, of the last that was heard. */
  last = 0
  cuts = 0
  #someone: Someone | null = null
  #joined: Promise<Reply> | null = null

  constructor(private readonly wish: Wish) {}

  async join(): Promise<void> {
    const { url, join, auth } = this.wish
    const someone = await connect(url, auth ? { auth } : {})
    this.#someone = someone
    // Nothing is sorted and nothing is compared: what comes is written down.
    someone.socket.on('conversationInfo', ({ messages }: { messages: Body[] }) => messages.forEach((one) => this.#note(one)))
    someone.socket.on('messageArrived', (one: Body) => this.#note(one))
    const joining = someone.socket.timeout(15_000).emitWithAck('joinConversation', { ...join, after: this.last })
    this.#joined = joining as Promise<Reply>
    const joined = await this.#joined
    if (joined.code !== 200) throw new Error(`join: ${JSON.stringify(joined)}`)
  }
  /** Takes the connection away without a word, or says goodbye. */
  cut(isSudden: boolean): void {
    const someone = this.#someone
    this.#someone = null
    if (!someone) return
    this.cuts += 1
    someone.socket.off()
    if (isSudden) someone.socket.io.engine.transport.close()
    someone.close()
  }
  get isHere(): boolean {
    return this.#someone !== null
  }
  /** Says something under a key of its own; the acknowledgement is noted where it stands. */
  say(body: Body, onAck: (reply: Reply) => void): void {
    const someone = this.#someone
    someone?.socket.emit('sendMessage', body, (reply: Reply) => {
      if (this.#someone !== someone) return
      if (reply.code === 200) this.#note({ ...reply, acknowledged: true })
      onAck(reply)
    })
  }

  #note(one: Body): void {
    if (!isOfLog(one)) return
    this.heard.push(JSON.stringify(one))
    this.last = one['seq'] as number
  }
}
