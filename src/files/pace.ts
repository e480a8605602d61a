// Holds arriving files to a pace at which chats are heard in between, however many arrive: one piece in a turn of the event loop, the oldest file's first.
import { Transform, type TransformCallback } from 'node:stream'

/** Of all files together, in bytes a millisecond: 32 MB a second, a third of what a core takes in when it does nothing else. */
const RATE = (32 * 1024 * 1024) / 1_000
/** What a turn came late is made up for, in milliseconds, and no more. */
const CREDIT_MS = 5

interface Piece {
  /** They are counted as they begin. Files that advance side by side end all at once, and so does what is done at their end. */
  readonly file: number
  readonly bytes: number
  readonly pass: () => void
}
const waiting: Piece[] = []
let files = 0
let freeAt = 0
let isScheduled = false

/** Stands where bytes come in, before whatever is done with them: that happens in their turn. It holds one piece, and its sender back. */
export class Paced extends Transform {
  readonly #file = ++files

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    waiting.push({ file: this.#file, bytes: chunk.length, pass: () => done(null, chunk) })
    schedule()
  }
}

function schedule(): void {
  if (isScheduled || waiting.length === 0) return
  isScheduled = true
  const wait = freeAt - performance.now()
  // Never from a timer: between one of those and what comes right before it, nobody is heard.
  if (wait < 0.5) setImmediate(next)
  else setTimeout(() => setImmediate(next), wait)
}
function next(): void {
  isScheduled = false
  const oldest = waiting.reduce((first, one) => (one.file < first.file ? one : first))
  waiting.splice(waiting.indexOf(oldest), 1)
  freeAt = Math.max(freeAt, performance.now() - CREDIT_MS) + oldest.bytes / RATE
  oldest.pass()
  schedule()
}
