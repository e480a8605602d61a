// Writes down who came to this node and who went, all that a moment brings together, one write in flight.
import { toGatewayError } from '../model/errors'
import type { AttendanceStore, Attendee } from '../store/attendance-store'

/** Before a departure that could not be written is written again. */
const AGAIN_MS = 1_000

interface Deps {
  readonly store: AttendanceStore
  readonly node: string
  readonly graceMs: number
  readonly onFault: (cause: unknown) => void
  /** Somebody's grace has begun. */
  readonly onDeparted: () => void
}
interface Change {
  readonly attendee: Attendee
  readonly isHere: boolean
  readonly written: Promise<void>
  readonly resolve: () => void
  readonly reject: (cause: unknown) => void
}

export class RollCall {
  readonly #deps: Deps
  /** The latest of each member counts. */
  #changes = new Map<string, Change>()
  /** What is being written, for those who come while it is. */
  #underWay: ReadonlyMap<string, Change> = new Map()
  #writing: Promise<void> | null = null
  #again: NodeJS.Timeout | null = null
  #closed = false

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Resolves when it is written. @param options.isFirst false: an earlier connection is counted already */
  arrived(key: string, attendee: Attendee, { isFirst }: { isFirst: boolean }): Promise<void> {
    const known = this.#changes.get(key) ?? this.#underWay.get(key)
    if (!isFirst) return known?.isHere ? known.written : Promise.resolve()
    return this.#put(key, attendee, true)
  }
  departed(key: string, attendee: Attendee): void {
    // Who is gone again before it was written waits for nothing more.
    this.#changes.get(key)?.resolve()
    void this.#put(key, attendee, false)
  }
  async close(): Promise<void> {
    this.#closed = true
    if (this.#again) clearTimeout(this.#again)
    await this.#writing
  }

  #put(key: string, attendee: Attendee, isHere: boolean): Promise<void> {
    const change = newChange(attendee, isHere)
    this.#changes.set(key, change)
    this.#writing ??= this.#write()
    return change.written
  }
  async #write(): Promise<void> {
    // All that this turn of the event loop brings is written together.
    await new Promise(setImmediate)
    while (this.#changes.size > 0 && !this.#again) {
      const changes = this.#changes
      this.#underWay = changes
      this.#changes = new Map()
      await this.#writeArrivals([...changes.values()].filter(({ isHere }) => isHere))
      await this.#writeDepartures(new Map([...changes].filter(([, { isHere }]) => !isHere)))
    }
    this.#underWay = new Map()
    this.#writing = null
  }
  async #writeArrivals(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return
    try {
      await this.#deps.store.arrive(this.#deps.node, changes.map(attendeeOf))
      for (const { resolve } of changes) resolve()
    } catch (cause) {
      for (const { reject } of changes) reject(toGatewayError(cause))
    }
  }
  async #writeDepartures(changes: ReadonlyMap<string, Change>): Promise<void> {
    if (changes.size === 0) return
    const { store, node, graceMs, onFault, onDeparted } = this.#deps
    try {
      await store.depart(node, [...changes.values()].map(attendeeOf), graceMs)
      onDeparted()
    } catch (cause) {
      onFault(cause)
      // Who has come back meanwhile has not departed.
      for (const [key, change] of changes) if (!this.#changes.has(key)) this.#changes.set(key, change)
      if (!this.#closed) this.#again = setTimeout(() => this.#tryAgain(), AGAIN_MS)
    }
  }
  #tryAgain(): void {
    this.#again = null
    this.#writing ??= this.#write()
  }
}

function newChange(attendee: Attendee, isHere: boolean): Change {
  let resolve: () => void = () => undefined
  let reject: (cause: unknown) => void = () => undefined
  const written = new Promise<void>((fulfil, refuse) => ((resolve = fulfil), (reject = refuse)))
  written.catch(() => undefined)
  return { attendee, isHere, written, resolve, reject }
}
const attendeeOf = ({ attendee }: Change): Attendee => attendee
