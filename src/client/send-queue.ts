// Says one thing after the other until each is heard: a refused or lost one is never overtaken by a later one.
import type { Failure, Reply } from '../dialects/customer-channel/wire'
import { ChannelError, isFailure } from './channel-error'
import type { Calls } from './connection'
import { pauseAfter } from './pause'

type Event = 'sendMessage' | 'endConversation'
type Answer = Reply<Calls[Event]>
type Success = Exclude<Answer, Failure>
/** One thing to be said, with the same request for every try. */
interface Saying {
  readonly event: Event
  readonly request: object
  readonly heard: (reply: Success) => void
  readonly failed: (error: ChannelError) => void
  timer?: ReturnType<typeof setTimeout>
}

export interface QueueOptions {
  /** Emits once; whether and when it is answered is not sure. */
  readonly emit: (event: Event, request: object, answered: (reply: Answer) => void) => void
  /** How many may wait; one more is refused with `queueFull`. */
  readonly limit: number
  /** Milliseconds until an unanswered one is said again. */
  readonly ackTimeout: number
  /** Milliseconds after which one is given up with `noAnswer`; Infinity: never. */
  readonly giveUpAfter: number
  /** Called when the last one has been heard or given up. */
  readonly onEmpty?: () => void
}

/**
 * One is on its way at a time. With more, the second could be written while the first is refused for a moment, and no
 * client can take back what is on the wire.
 */
export class SendQueue {
  readonly #waiting: Saying[] = []
  #open = false
  #failures = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly options: QueueOptions) {}

  get size(): number {
    return this.#waiting.length
  }

  /** Resolves with the acknowledgement; `heard` is called before, in the tick in which it arrives. */
  say<R extends Calls[Event]>(event: Event, request: object, heard?: (reply: R) => void): Promise<R> {
    const { limit, giveUpAfter } = this.options
    if (this.#waiting.length >= limit) {
      const sentence = `${limit} messages wait already. Send more when they are through.`
      return Promise.reject(new ChannelError('queueFull', sentence, { retryable: true }))
    }
    return new Promise((resolve, reject) => {
      const saying: Saying = {
        event,
        request,
        heard: (reply) => {
          heard?.(reply as R)
          resolve(reply as R)
        },
        failed: reject,
      }
      if (giveUpAfter < Infinity) saying.timer = setTimeout(() => this.#giveUp(saying), giveUpAfter)
      if (this.#waiting.push(saying) === 1) this.#next()
    })
  }

  /** The seat is taken: what waits is said now, in its order. */
  open(): void {
    this.#open = true
    this.#failures = 0
    this.#next()
  }

  /** The connection or the seat is lost: nothing is said until `open`. */
  halt(): void {
    this.#open = false
    clearTimeout(this.#timer)
  }

  /** Gives all up. */
  close(error: ChannelError): void {
    this.halt()
    for (const saying of [...this.#waiting]) this.#settle(saying, () => saying.failed(error))
  }

  #next(): void {
    clearTimeout(this.#timer)
    const [saying] = this.#waiting
    if (!this.#open || saying === undefined) return
    this.#timer = setTimeout(() => this.#again(), this.options.ackTimeout)
    this.options.emit(saying.event, saying.request, (reply) => this.#answered(saying, reply))
  }

  /** An answer to an earlier try that comes late is as true as one to the latest. */
  #answered(saying: Saying, reply: Answer): void {
    if (this.#waiting[0] !== saying) return
    // What a lost seat refused is said again when it is taken again.
    const isSeatless = !this.#open && isFailure(reply) && reply.code === 401
    if (isFailure(reply) && (reply.error.retryable || isSeatless)) {
      this.#again(reply)
      return
    }
    this.#failures = 0
    this.#settle(saying, () => {
      if (isFailure(reply)) saying.failed(ChannelError.of(reply))
      else saying.heard(reply)
    })
    this.#next()
  }

  #again(failure?: Failure): void {
    clearTimeout(this.#timer)
    this.#failures += 1
    if (!this.#open) return
    this.#timer = setTimeout(() => this.#next(), pauseAfter(this.#failures, failure?.error.retryAfter))
  }

  #giveUp(saying: Saying): void {
    const wasFirst = this.#waiting[0] === saying
    const sentence = 'The gateway did not answer in time. It may have been written: repeat it with the same messageId.'
    this.#settle(saying, () => saying.failed(new ChannelError('noAnswer', sentence, { retryable: true })))
    if (wasFirst) this.#next()
  }

  #settle(saying: Saying, tell: () => void): void {
    clearTimeout(saying.timer)
    const index = this.#waiting.indexOf(saying)
    if (index >= 0) this.#waiting.splice(index, 1)
    tell()
    if (this.#waiting.length === 0) this.options.onEmpty?.()
  }
}
