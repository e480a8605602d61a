// Processes that make PDFs: a bounded number of them, a bounded queue before them, a limit on the time and memory of each.
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { SidePool } from '../aside/side-pool'
import type { Death, SideProcess } from '../aside/side-process'
import { GatewayError, toGatewayError } from '../model/errors'
import type { Pictures } from './pictures'
import type { FromPress, Manner, Subject, ToPress } from './press-protocol'
import type { Transcript } from './transcript'
import type { TranscriptSource } from './transcripts'

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
/** Entries that are said to a process at once. */
const SLICE = 100
export interface Order {
  readonly of: Transcript | TranscriptSource
  readonly manner: Manner
}
export interface Printed {
  /** Of the content: see `hashOf`. */
  readonly hash: string
  readonly body: Readable
}
type PressProcess = SideProcess<ToPress, FromPress>

interface Waiting {
  readonly order: Order
  readonly pictures: Pictures
  readonly resolve: (printed: Printed) => void
  readonly reject: (cause: Error) => void
  readonly overdue: NodeJS.Timeout
}

export class Press {
  readonly #limits: PressLimits
  readonly #processes: SidePool<ToPress, FromPress>
  readonly #busy = new Set<Printing>()
  readonly #queue: Waiting[] = []
  readonly #rest: () => number
  #closed = false

  /**
   * `fontsDir`: a folder of more fonts, or empty. `rest`: how many times as long as it worked a process rests in between,
   * asked as a document begins; it does not when it is not said. Processes start with the first document.
   */
  constructor(deps: { fontsDir: string; limits?: Partial<PressLimits>; rest?: () => number }) {
    this.#limits = { ...PRESS_LIMITS, ...deps.limits }
    this.#rest = deps.rest ?? (() => 0)
    const { memoryMb } = this.#limits
    this.#processes = new SidePool({ file: join(__dirname, 'press-main'), args: [deps.fontsDir], memoryMb })
  }

  /**
   * A PDF. Its bytes come as a stream. Resolves when it is finished, or when as much of it is there as may be held: then reading makes
   * room for more. Rejects with `unavailable` (full, too slow, closing), `tooLarge` (memory) or `internal`; what fails
   * later destroys the stream with the same. Destroy a stream that nobody reads to its end.
   */
  print(order: Order, pictures: Pictures): Promise<Printed> {
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
    for (const printing of this.#busy) printing.fail(closing())
    await this.#processes.close()
  }

  #next(): void {
    if (this.#closed || this.#busy.size >= this.#limits.processes) return
    const waiting = this.#queue.shift()
    if (!waiting) return
    clearTimeout(waiting.overdue)
    const child = this.#processes.take()
    const printing = new Printing(child, waiting, { ...this.#limits, rest: this.#rest() })
    this.#busy.add(printing)
    void printing.over.then(async (isFree) => {
      this.#busy.delete(printing)
      if (isFree) this.#processes.keep(child)
      else await this.#processes.drop(child)
      this.#next()
    })
  }
}

/** One document in one process. */
class Printing {
  /** Whether its process is free for another; if not, that is dead or amid something. */
  readonly over: Promise<boolean>
  readonly #child: PressProcess
  readonly #waiting: Waiting
  readonly #heldBytes: number
  readonly #body: Readable
  readonly #limit: NodeJS.Timeout
  #finish: (isFree: boolean) => void = () => undefined
  #isOver = false
  #hash = ''
  /** Bytes that came and whose room has not been given back. */
  #owed = 0

  constructor(
    child: PressProcess,
    waiting: Waiting,
    { timeMs, heldBytes, rest }: PressLimits & { readonly rest: number },
  ) {
    this.#child = child
    this.#waiting = waiting
    this.#heldBytes = heldBytes
    this.over = new Promise((resolve) => (this.#finish = resolve))
    this.#body = new Readable({
      highWaterMark: heldBytes,
      read: () => this.#giveRoom(),
      destroy: (cause, done) => {
        this.fail(tooSlow())
        done(cause)
      },
    })
    this.#limit = setTimeout(() => this.fail(tooSlow()), timeMs)
    child.listen({ hear: (message) => this.#hear(message), died: (...how) => this.fail(faultOf(...how)) })
    void this.#order(waiting.order, rest).catch((cause: unknown) => this.fail(toGatewayError(cause), true))
  }
  async #order({ of, manner }: Order, rest: number): Promise<void> {
    await this.#child.say({ do: 'begin', subject: subjectOf(of), rest })
    for await (const message of linesOf(of)) {
      if (this.#isOver) return
      await this.#child.say(message)
    }
    if (!this.#isOver) await this.#child.say({ do: 'print', manner })
  }

  /** Over, unless it is already: its reader hears why. */
  fail(cause: GatewayError, isFree = false): void {
    if (this.#isOver) return
    this.#end(isFree)
    this.#waiting.reject(cause)
    // Nobody listens to a stream that was never handed out.
    this.#body.on('error', () => undefined)
    this.#body.destroy(cause)
  }

  #hear(message: FromPress): void {
    if (this.#isOver) return
    switch (message.is) {
      case 'hash':
        this.#hash = message.hash
        return
      case 'chunk':
        this.#owed += message.chunk.byteLength
        this.#body.push(message.chunk)
        if (this.#body.readableLength >= this.#heldBytes) this.#handOut()
        else this.#giveRoom()
        return
      case 'wanted':
        void this.#waiting.pictures.of(message.attachment).then((picture) => {
          if (!this.#isOver) void this.#child.say({ do: 'picture', picture })
        })
        return
      case 'done':
        this.#end(true)
        this.#body.push(null)
        this.#handOut()
        return
      case 'failed':
        this.fail(new GatewayError(message.code, FAILED), true)
    }
  }
  #handOut(): void {
    this.#waiting.resolve({ hash: this.#hash, body: this.#body })
  }
  #giveRoom(): void {
    if (this.#owed === 0 || this.#isOver) return
    void this.#child.say({ do: 'taken', bytes: this.#owed })
    this.#owed = 0
  }
  #end(isFree: boolean): void {
    this.#isOver = true
    clearTimeout(this.#limit)
    // Its death is nothing to this document any more; whoever has it next listens anew.
    this.#child.listen(null)
    this.#finish(isFree)
  }
}

function subjectOf(of: Order['of']): Subject {
  if (!('pages' in of)) return { transcript: { ...of, entries: [] } }
  const { conversation, audience } = of
  return { conversation, audience }
}
async function* linesOf(of: Order['of']): AsyncGenerator<ToPress> {
  if ('pages' in of) {
    for await (const events of of.pages()) yield { do: 'events', events }
    return
  }
  for (let at = 0; at < of.entries.length; at += SLICE) {
    yield { do: 'entries', entries: of.entries.slice(at, at + SLICE) }
    await nextTurn()
  }
}

const FAILED = 'The PDF could not be made. Ask for html, txt, csv or json.'
const full = () =>
  new GatewayError('unavailable', 'Too many PDFs are being made. Try again in a moment.', { retryAfter: 5 })
const tooSlow = () =>
  new GatewayError('unavailable', 'Making this PDF takes too long. Ask for html, txt, csv or json.', { retryAfter: 60 })
const closing = () =>
  new GatewayError('unavailable', 'The gateway is shutting down. Try again in a moment.', { retryAfter: 5 })

const DIED = 'The PDF could not be made: its process died. Ask for html, txt, csv or json.'
const UNSTARTED = 'No process can be started that makes the PDF. Try again later, or ask for html, txt, csv or json.'
const LARGE = 'This conversation is too large for a PDF. Ask for html, txt, csv or json.'

function faultOf(death: Death, end: string): GatewayError {
  if (death === 'memory') return new GatewayError('tooLarge', LARGE)
  if (death === 'start') return new GatewayError('unavailable', UNSTARTED, { retryAfter: 60 })
  return new GatewayError('internal', DIED, { cause: new Error(`The process ended with ${end}`) })
}
