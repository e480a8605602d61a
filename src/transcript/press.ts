// Processes that make PDFs: a bounded number of them, a bounded queue before them, a limit on the time and memory of each.
import { availableParallelism } from 'node:os'
import { Readable } from 'node:stream'
import { GatewayError } from '../model/errors'
import type { Pictures } from './pictures'
import { PressChild } from './press-child'
import type { FromPress, Order } from './press-protocol'

export interface PressLimits {
  /** Documents that are made at once. */
  readonly processes: number
  /** Documents that wait for a process; one more is refused. */
  readonly queue: number
  /** Milliseconds for one document, and as many for its wait. */
  readonly timeMs: number
  /** Megabytes of heap for a process. */
  readonly memoryMb: number
  /** Bytes of a finished document that are kept for a reader who is slower than the process. */
  readonly heldBytes: number
}
export const PRESS_LIMITS: PressLimits = {
  // One processor stays free for chats.
  processes: availableParallelism() > 2 ? 2 : 1,
  queue: 48,
  timeMs: 60_000,
  memoryMb: 320,
  heldBytes: 16 * 1024 * 1024,
}
/** How long a process stays, with its fonts, when there is nothing to do. */
const IDLE_MS = 60_000

interface Waiting {
  readonly order: Order
  readonly pictures: Pictures
  readonly resolve: (body: Readable) => void
  readonly reject: (cause: Error) => void
  readonly overdue: NodeJS.Timeout
}

export class Press {
  readonly #fontsDir: string
  readonly #limits: PressLimits
  readonly #idle: { readonly child: PressChild; readonly leave: NodeJS.Timeout }[] = []
  readonly #busy = new Set<Printing>()
  readonly #queue: Waiting[] = []
  #closed = false

  /** `fontsDir`: a folder of more fonts, or empty. Processes start with the first document. */
  constructor(deps: { fontsDir: string; limits?: Partial<PressLimits> }) {
    this.#fontsDir = deps.fontsDir
    this.#limits = { ...PRESS_LIMITS, ...deps.limits }
  }

  /**
   * The bytes of a PDF. Resolves when it is finished, or when as much of it is there as may be held: then reading makes
   * room for more. Rejects with `unavailable` (full, too slow, closing), `tooLarge` (memory) or `internal`; what fails
   * later destroys the stream with the same. Destroy a stream that nobody reads to its end.
   */
  print(order: Order, pictures: Pictures): Promise<Readable> {
    if (this.#closed) return Promise.reject(closing())
    const { processes, queue, timeMs } = this.#limits
    const isFree = this.#busy.size < processes
    if (!isFree && this.#queue.length >= queue) return Promise.reject(full())
    return new Promise((resolve, reject) => {
      const overdue = setTimeout(() => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1)
        reject(full())
      }, timeMs)
      const waiting: Waiting = { order, pictures, resolve, reject, overdue }
      this.#queue.push(waiting)
      this.#next()
    })
  }

  /** Ends all processes; what is under way fails with `unavailable`. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { reject, overdue } of this.#queue.splice(0)) {
      clearTimeout(overdue)
      reject(closing())
    }
    const idle = this.#idle.splice(0).map(({ child, leave }) => {
      clearTimeout(leave)
      return child.kill()
    })
    await Promise.all([...idle, ...[...this.#busy].map((printing) => printing.abort(closing()))])
  }

  #next(): void {
    if (this.#closed || this.#busy.size >= this.#limits.processes) return
    const waiting = this.#queue.shift()
    if (!waiting) return
    clearTimeout(waiting.overdue)
    const printing = new Printing(this.#child(), waiting, this.#limits)
    this.#busy.add(printing)
    void printing.over.then((child) => {
      this.#busy.delete(printing)
      if (child) this.#keep(child)
      this.#next()
    })
  }
  #child(): PressChild {
    const idle = this.#idle.pop()
    if (!idle) return new PressChild({ fontsDir: this.#fontsDir, memoryMb: this.#limits.memoryMb })
    clearTimeout(idle.leave)
    return idle.child
  }
  #keep(child: PressChild): void {
    if (this.#closed) {
      void child.kill()
      return
    }
    const forget = () => {
      clearTimeout(leave)
      const at = this.#idle.indexOf(entry)
      if (at !== -1) this.#idle.splice(at, 1)
    }
    const leave = setTimeout(() => {
      forget()
      void child.kill()
    }, IDLE_MS).unref()
    const entry = { child, leave }
    this.#idle.push(entry)
    child.listen({ hear: () => undefined, died: forget })
  }
}

/** One document in one process. */
class Printing {
  /** The process, when it is free for another; null when it is gone. */
  readonly over: Promise<PressChild | null>
  readonly #child: PressChild
  readonly #waiting: Waiting
  readonly #heldBytes: number
  readonly #body: Readable
  readonly #limit: NodeJS.Timeout
  #finish: (child: PressChild | null) => void = () => undefined
  #isOver = false
  /** Bytes that came and whose room has not been given back. */
  #owed = 0

  constructor(child: PressChild, waiting: Waiting, { timeMs, heldBytes }: PressLimits) {
    this.#child = child
    this.#waiting = waiting
    this.#heldBytes = heldBytes
    this.over = new Promise((resolve) => (this.#finish = resolve))
    this.#body = new Readable({
      highWaterMark: heldBytes,
      read: () => this.#giveRoom(),
      destroy: (cause, done) => {
        if (!this.#isOver) void this.abort(tooSlow())
        done(cause)
      },
    })
    this.#limit = setTimeout(() => void this.abort(tooSlow()), timeMs)
    child.listen({ hear: (message) => this.#hear(message), died: (cause) => this.#fail(cause, null) })
    child.say({ do: 'print', order: waiting.order })
  }

  /** Ends the process with it. */
  async abort(cause: GatewayError): Promise<void> {
    this.#fail(cause, null)
    await this.#child.kill()
  }

  #hear(message: FromPress): void {
    if (this.#isOver) return
    switch (message.is) {
      case 'chunk':
        this.#owed += message.chunk.byteLength
        this.#body.push(message.chunk)
        if (this.#body.readableLength >= this.#heldBytes) this.#waiting.resolve(this.#body)
        else this.#giveRoom()
        return
      case 'wanted':
        void this.#waiting.pictures.of(message.attachment).then((picture) => {
          if (!this.#isOver) this.#child.say({ do: 'picture', picture })
        })
        return
      case 'done':
        this.#end(this.#child)
        this.#body.push(null)
        this.#waiting.resolve(this.#body)
        return
      case 'failed':
        this.#fail(new GatewayError(message.code, FAILED), this.#child)
    }
  }
  #giveRoom(): void {
    if (this.#owed === 0 || this.#isOver) return
    this.#child.say({ do: 'taken', bytes: this.#owed })
    this.#owed = 0
  }
  #fail(cause: GatewayError, child: PressChild | null): void {
    if (this.#isOver) return
    this.#end(child)
    this.#waiting.reject(cause)
    // Nobody listens to a stream that was never handed out.
    this.#body.on('error', () => undefined)
    this.#body.destroy(cause)
  }
  #end(child: PressChild | null): void {
    this.#isOver = true
    clearTimeout(this.#limit)
    // Its death is nothing to this document any more; whoever has it next listens anew.
    this.#child.listen()
    this.#finish(child)
  }
}

const FAILED = 'The PDF could not be made. Ask for html, txt, csv or json.'
const full = () =>
  new GatewayError('unavailable', 'Too many PDFs are being made. Try again in a moment.', { retryAfter: 5 })
const tooSlow = () =>
  new GatewayError('unavailable', 'Making this PDF takes too long. Ask for html, txt, csv or json.', { retryAfter: 60 })
const closing = () =>
  new GatewayError('unavailable', 'The gateway is shutting down. Try again in a moment.', { retryAfter: 5 })
