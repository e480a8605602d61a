// Holds arriving files to a pace at which chats are heard in between, however many arrive: one piece in a turn of the event loop, the oldest file's first.
import { Transform, type TransformCallback } from 'node:stream'

/** Of all files together, in bytes a millisecond: a third of what a core takes in when it does nothing else. */
const RATE = (32 * 1024 * 1024) / 1_000
/** While people talk, of whose messages few are to notice it: see `test/bench/beside.mjs`. */
const RATE_AMID_TALK = (6 * 1024 * 1024) / 1_000
/** What a turn came late is made up for, in milliseconds, and no more. */
const CREDIT_MS = 5

interface Piece {
  /** They are counted as they begin. Files that advance side by side end all at once, and so does what is done at their end. */
  readonly file: number
  readonly bytes: number
  readonly pass: () => void
}

export class Pace {
  readonly #isTalk: () => boolean
  readonly #waiting: Piece[] = []
  #files = 0
  #freeAt = 0
  #isScheduled = false

  /** `isTalk`: whether people talk, who are to notice nothing of it. */
  constructor({ isTalk }: { readonly isTalk: () => boolean }) {
    this.#isTalk = isTalk
  }

  /** Whether the pace holds somebody back, or would. */
  get isFull(): boolean {
    return this.#waiting.length > 0 || this.#freeAt > performance.now()
  }

  /** For one file, to stand where its bytes come in, before whatever is done with them: that happens in their turn. It holds one piece, and its sender back. */
  through(): Transform {
    const file = ++this.#files
    return new Transform({
      transform: (chunk: Buffer, _encoding, done: TransformCallback) => {
        this.#waiting.push({ file, bytes: chunk.length, pass: () => done(null, chunk) })
        this.#schedule()
      },
    })
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return
    this.#isScheduled = true
    const wait = this.#freeAt - performance.now()
    // Never from a timer: between one of those and what comes right before it, nobody is heard.
    if (wait < 0.5) setImmediate(() => this.#next())
    else setTimeout(() => setImmediate(() => this.#next()), wait)
  }
  #next(): void {
    this.#isScheduled = false
    const oldest = this.#waiting.reduce((first, one) => (one.file < first.file ? one : first))
    this.#waiting.splice(this.#waiting.indexOf(oldest), 1)
    const rate = this.#isTalk() ? RATE_AMID_TALK : RATE
    this.#freeAt = Math.max(this.#freeAt, performance.now() - CREDIT_MS) + oldest.bytes / rate
    oldest.pass()
    this.#schedule()
  }
}
