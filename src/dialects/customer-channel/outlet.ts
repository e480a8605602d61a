// How encoded frames of one connection leave: by its handle, past Node's stream, as long as the stream has nothing to write itself.
import { getSystemErrorName } from 'node:util'
import { gather, WRITTEN_IN, type Corkable, type Paced } from './turn'

/** What is used of a `net.Socket`. */
export interface RawStream extends Corkable {
  readonly writableLength: number
  readonly writableCorked: number
  /** Null when it is closed. */
  readonly _handle?: object | null
  write(frame: Buffer): unknown
  destroy(cause: Error): unknown
}
/** A `TCP` of Node's own. */
interface Handle {
  /** Writes what the system takes now, and the rest later. Negative: the number of an error. */
  writeBuffer(request: WriteRequest, data: Buffer): number
}
/** A `WriteWrap` of Node's own: in use only if there is a rest, until that is written. */
interface WriteRequest {
  /** Keeps the bytes alive. */
  buffer?: Buffer
  oncomplete?: (status: number) => void
}
interface Internals {
  readonly TCP: new () => Handle
  readonly WriteWrap: new () => WriteRequest
  /** What the last call did; at `kLastWriteWasAsync` 1 if there is a rest. */
  readonly streamBaseState: Int32Array
  readonly kLastWriteWasAsync: number
}

/**
 * Node's own parts behind `net.Socket`. It shows them to whoever asks by `process.binding`, which it calls deprecated;
 * where it does not, or has others, the stream writes everything, and a write costs a microsecond more.
 */
const internals = readInternals()
function readInternals(): Internals | null {
  const { binding } = process as unknown as { readonly binding?: (name: string) => Partial<Internals> }
  try {
    const found = { ...binding?.('stream_wrap'), ...binding?.('tcp_wrap') }
    return isComplete(found) ? found : null
  } catch {
    return null
  }
}
function isComplete(found: Partial<Internals>): found is Internals {
  const { TCP, WriteWrap, streamBaseState, kLastWriteWasAsync } = found
  const canTell = ArrayBuffer.isView(streamBaseState) && typeof kLastWriteWasAsync === 'number'
  return canTell && typeof WriteWrap === 'function' && typeof TCP === 'function' && 'writeBuffer' in TCP.prototype
}

/** The next request; a write without a rest leaves it unused. */
let spare: WriteRequest | null = internals && new internals.WriteWrap()

export class Outlet implements Paced {
  [WRITTEN_IN]: number | undefined = undefined
  readonly #stream: RawStream
  readonly #isStraight: boolean
  /** Bytes of a frame of which the system has not taken all. */
  #pending = 0

  constructor(stream: RawStream) {
    this.#stream = stream
    this.#isStraight = internals !== null && stream._handle instanceof internals.TCP
  }

  /** Bytes that the system has not taken yet. */
  get waiting(): number {
    return this.#pending + this.#stream.writableLength
  }
  /** In the order of the calls, and of what is written to the stream between them. */
  write(frame: Buffer): void {
    gather(this, this.#stream)
    const { writableLength, writableCorked, _handle: handle } = this.#stream
    const isFree = this.#isStraight && this.#pending === 0 && writableLength === 0 && writableCorked === 0
    if (isFree && handle) this.#writeTo(handle as Handle, frame)
    else this.#stream.write(frame)
  }

  #writeTo(handle: Handle, frame: Buffer): void {
    if (!internals) return
    const { WriteWrap, streamBaseState, kLastWriteWasAsync } = internals
    const request = (spare ??= new WriteWrap())
    const status = handle.writeBuffer(request, frame)
    if (status < 0) this.#fail(status)
    else if (streamBaseState[kLastWriteWasAsync] !== 0) {
      spare = null
      this.#pending = frame.length
      request.buffer = frame
      request.oncomplete = (outcome) => {
        this.#pending = 0
        if (outcome < 0) this.#fail(outcome)
      }
    }
  }
  #fail(status: number): void {
    this.#stream.destroy(new Error(`write ${getSystemErrorName(status)}`))
  }
}
