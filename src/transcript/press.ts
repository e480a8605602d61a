// Threads that make PDFs: a bounded number of them, a bounded queue before them, a limit on the time and memory of each.
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { GatewayError } from '../model/errors'
import type { Pictures } from './pictures'
import type { FromPress, Order, PressData, ToPress } from './press-protocol'

export interface PressLimits {
  /** Documents that are made at once. */
  readonly threads: number
  /** Documents that wait for a thread; one more is refused. */
  readonly queue: number
  /** Milliseconds for one document, and as many for its wait. */
  readonly timeMs: number
  /** Megabytes of heap for a thread. */
  readonly memoryMb: number
  /** Bytes of a finished document that are kept for a reader who is slower than the thread. */
  readonly heldBytes: number
}
export const PRESS_LIMITS: PressLimits = {
  // One processor stays free for chats.
  threads: availableParallelism() > 2 ? 2 : 1,
  queue: 48,
  timeMs: 60_000,
  memoryMb: 320,
  heldBytes: 16 * 1024 * 1024,
}
/** How long a thread stays, with its fonts, when there is nothing to do. */
const IDLE_MS = 60_000

interface Waiting {
  readonly order: Order
  readonly pictures: Pictures
  readonly resolve: (body: Readable) => void
  readonly reject: (cause: Error) => void
  readonly overdue: NodeJS.Timeout
}

export class Press {
  readonly #data: PressData
  readonly #limits: PressLimits
  readonly #idle: { readonly worker: Worker; readonly leave: NodeJS.Timeout }[] = []
  readonly #busy = new Set<Printing>()
  readonly #queue: Waiting[] = []
  #closed = false

  /** `fontsDir`: a folder of more fonts, or empty. Threads start with the first document. */
  constructor(deps: { fontsDir: string; limits?: Partial<PressLimits> }) {
    this.#data = { fontsDir: deps.fontsDir }
    this.#limits = { ...PRESS_LIMITS, ...deps.limits }
  }

  /**
   * The bytes of a PDF. Resolves when it is finished, or when as much of it is there as may be held: then reading makes
   * room for more. Rejects with `unavailable` (full, too slow, closing), `tooLarge` (memory) or `internal`; what fails
   * later destroys the stream with the same. Destroy a stream that nobody reads to its end.
   */
  print(order: Order, pictures: Pictures): Promise<Readable> {
    if (this.#closed) return Promise.reject(closing())
    const { threads, queue, timeMs } = this.#limits
    const isFree = this.#busy.size < threads
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

  /** Ends all threads; what is under way fails with `unavailable`. */
  async close(): Promise<void> {
    this.#closed = true
    for (const { reject, overdue } of this.#queue.splice(0)) {
      clearTimeout(overdue)
      reject(closing())
    }
    const idle = this.#idle.splice(0).map(({ worker, leave }) => {
      clearTimeout(leave)
      return worker.terminate()
    })
    await Promise.all([...idle, ...[...this.#busy].map((printing) => printing.abort(closing()))])
  }

  #next(): void {
    if (this.#closed || this.#busy.size >= this.#limits.threads) return
    const waiting = this.#queue.shift()
    if (!waiting) return
    clearTimeout(waiting.overdue)
    const printing = new Printing(this.#thread(), waiting, this.#limits)
    this.#busy.add(printing)
    void printing.over.then((worker) => {
      this.#busy.delete(printing)
      if (worker) this.#keep(worker)
      this.#next()
    })
  }
  #thread(): Worker {
    const idle = this.#idle.pop()
    if (idle) {
      clearTimeout(idle.leave)
      silence(idle.worker)
      return idle.worker
    }
    return new Worker(workerFile(), {
      workerData: this.#data,
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.memoryMb, maxYoungGenerationSizeMb: 32 },
    })
  }
  #keep(worker: Worker): void {
    if (this.#closed) {
      void worker.terminate()
      return
    }
    const leave = setTimeout(() => {
      this.#idle.splice(this.#idle.indexOf(entry), 1)
      void worker.terminate()
    }, IDLE_MS).unref()
    const entry = { worker, leave }
    // A thread that dies while it has nothing to do is missed by nobody.
    worker.on('error', () => undefined)
    worker.on('exit', () => {
      const at = this.#idle.indexOf(entry)
      if (at !== -1) this.#idle.splice(at, 1)
    })
    this.#idle.push(entry)
  }
}

/** By name: a worker has listeners of its own, without which it hears nothing any more. */
function silence(worker: Worker): void {
  for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event)
}

/** One document on one thread. */
class Printing {
  /** The thread, when it is free for another; null when it is gone. */
  readonly over: Promise<Worker | null>
  readonly #worker: Worker
  readonly #waiting: Waiting
  readonly #heldBytes: number
  readonly #body: Readable
  readonly #limit: NodeJS.Timeout
  #finish: (worker: Worker | null) => void = () => undefined
  #isOver = false
  /** Bytes that came and whose room has not been given back. */
  #owed = 0

  constructor(worker: Worker, waiting: Waiting, { timeMs, heldBytes }: PressLimits) {
    this.#worker = worker
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
    worker.on('message', (message: FromPress) => this.#hear(message))
    worker.on('error', (cause) => this.#fail(faultOf(cause), null))
    worker.on('exit', () => this.#fail(new GatewayError('internal', DIED), null))
    this.#say({ do: 'print', order: waiting.order })
  }

  /** Ends the thread, which hears nothing while it works. */
  async abort(cause: GatewayError): Promise<void> {
    this.#fail(cause, null)
    await this.#worker.terminate()
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
          if (!this.#isOver) this.#say({ do: 'picture', picture })
        })
        return
      case 'done':
        this.#end(this.#worker)
        this.#body.push(null)
        this.#waiting.resolve(this.#body)
        return
      case 'failed':
        this.#fail(new GatewayError(message.code, FAILED), this.#worker)
    }
  }
  #giveRoom(): void {
    if (this.#owed === 0 || this.#isOver) return
    this.#say({ do: 'taken', bytes: this.#owed })
    this.#owed = 0
  }
  #fail(cause: GatewayError, worker: Worker | null): void {
    if (this.#isOver) return
    this.#end(worker)
    this.#waiting.reject(cause)
    // Nobody listens to a stream that was never handed out.
    this.#body.on('error', () => undefined)
    this.#body.destroy(cause)
  }
  #end(worker: Worker | null): void {
    this.#isOver = true
    clearTimeout(this.#limit)
    if (worker) silence(worker)
    this.#finish(worker)
  }
  #say(message: ToPress): void {
    this.#worker.postMessage(message)
  }
}

const DIED = 'The PDF could not be made: its thread died. Ask for html, txt, csv or json.'
const FAILED = 'The PDF could not be made. Ask for html, txt, csv or json.'
const full = () =>
  new GatewayError('unavailable', 'Too many PDFs are being made. Try again in a moment.', { retryAfter: 5 })
const tooSlow = () =>
  new GatewayError('unavailable', 'Making this PDF takes too long. Ask for html, txt, csv or json.', { retryAfter: 60 })
const closing = () =>
  new GatewayError('unavailable', 'The gateway is shutting down. Try again in a moment.', { retryAfter: 5 })

function faultOf(cause: unknown): GatewayError {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : ''
  if (code !== 'ERR_WORKER_OUT_OF_MEMORY') return new GatewayError('internal', DIED, { cause })
  return new GatewayError('tooLarge', 'This conversation is too large for a PDF. Ask for html, txt, csv or json.')
}

/** A worker cannot load TypeScript: run from the sources, as under jest, it takes the built file. */
const workerFile = (): string =>
  __filename.endsWith('.ts')
    ? join(__dirname, '../../dist/src/transcript/press-worker.js')
    : join(__dirname, 'press-worker.js')
