// One direction of one connection through a fault proxy: takes bytes at one end and gives them out at the other, as the weather has it.
import type { Socket } from 'node:net'

export interface Weather {
  /** Milliseconds that everything is late. */
  readonly latency: number
  readonly bytesPerSecond: number
  /** At most so many bytes at once. */
  readonly slice: number
  /** Nothing comes through; it is kept. */
  readonly stalled: boolean
}
export const CLEAR: Weather = { latency: 0, bytesPerSecond: Infinity, slice: Infinity, stalled: false }

/** Bytes that are kept here; whoever has more to say is not read, as by a network that takes no more. */
const KEPT = 256 * 1024
/** Slow bytes come in pieces of so many milliseconds. */
const BEAT_MS = 20
/** Shorter pieces, such as a ping, are no frame worth breaking. */
const SHORTEST_FRAME = 16

export class Way {
  #queue: { bytes: Buffer; due: number }[] = []
  #kept = 0
  /** When the line is free again. */
  #free = 0
  #isWaiting = false
  #isEnded = false
  #isStranded = false
  #breakOff: (() => void) | null = null

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private weather: Weather,
  ) {
    from.on('data', (bytes) => this.#take(bytes))
    from.once('end', () => {
      this.#isEnded = true
      this.#pump()
    })
    from.once('close', () => {
      if (!this.#isStranded && !this.#isEnded) abort(to)
    })
    // One that cannot be written to is not read any more, either.
    to.once('close', () => {
      if (!this.#isStranded) abort(from)
    })
    if (weather.stalled) from.pause()
  }

  set(weather: Weather): void {
    this.weather = weather
    this.#read()
    this.#pump()
  }
  /** Whatever comes is lost, the end too. */
  strand(): void {
    this.#isStranded = true
    this.#queue = []
    this.#kept = 0
    this.#read()
  }
  /** Half of the next frame comes through; then this is called. */
  breakOff(then: () => void): void {
    this.#breakOff = then
  }

  #take(bytes: Buffer): void {
    if (this.#isStranded) return
    this.#queue.push({ bytes, due: performance.now() + this.weather.latency })
    this.#kept += bytes.length
    this.#read()
    this.#pump()
  }
  #read(): void {
    const isFull = this.#kept > KEPT || this.weather.stalled
    if (isFull && !this.#isStranded) this.from.pause()
    else this.from.resume()
  }

  #pump(): void {
    if (this.#isWaiting || this.#isStranded || this.weather.stalled) return
    const [head] = this.#queue
    if (!head) {
      if (this.#isEnded) this.to.end()
      return
    }
    const wait = Math.max(head.due, this.#free) - performance.now()
    if (wait > 0) this.#later((go) => setTimeout(go, wait))
    else this.#give(head)
  }
  #give(head: { bytes: Buffer; due: number }): void {
    if (this.#breakOff && head.bytes.length >= SHORTEST_FRAME) {
      this.#isWaiting = true
      const breakOff = this.#breakOff
      // A little later, or the other end may read both at once and take it for a goodbye.
      this.to.write(head.bytes.subarray(0, head.bytes.length / 2), () => setTimeout(breakOff, BEAT_MS))
      return
    }
    const { slice, bytesPerSecond } = this.weather
    const size = Math.min(head.bytes.length, slice, Math.max(1, Math.floor((bytesPerSecond * BEAT_MS) / 1_000)))
    const piece = head.bytes.subarray(0, size)
    if (size === head.bytes.length) this.#queue.shift()
    else head.bytes = head.bytes.subarray(size)
    this.#kept -= size
    this.#free = Math.max(performance.now(), this.#free) + (size / bytesPerSecond) * 1_000
    this.#read()
    if (this.to.write(piece)) this.#later(setImmediate)
    else this.#later((go) => this.to.once('drain', go))
  }
  #later(when: (go: () => void) => unknown): void {
    this.#isWaiting = true
    when(() => {
      this.#isWaiting = false
      if (!this.to.destroyed) this.#pump()
    })
  }
}

/** RST and nothing else: `resetAndDestroy` says goodbye with a FIN first while there is something to write to. */
export function abort(socket: Socket): void {
  if (!socket.destroyed) Object.assign(socket, { resetAndClosing: true }).destroy()
}
