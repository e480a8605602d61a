// Pings of all connections in a few beats: a timer and a wake-up for each of them is half of what an idle connection costs.
import type { Socket } from 'socket.io'
import { writePing } from './frame'

/** Beats in one interval of pings: a ping comes at most two of them too early, and never too late. */
const BEATS = 100

/** What is used of Engine.IO's connection, whose own timer calls these two when a ping is due. */
interface Pinged {
  readonly protocol: number
  pingIntervalTimer: Refreshable | null
  hasRefreshedPingTimeout: boolean
  /** Begins to wait for the answer. */
  resetPingTimeout(): void
}
/** What Engine.IO asks of its timer when a ping was answered; clearing another's timer does nothing. */
interface Refreshable {
  refresh(): unknown
}
type Connection = Socket['conn']

/** Stands where Engine.IO keeps the timer of a connection. */
class Turn implements Refreshable {
  beat: Set<Turn> | null = null

  constructor(
    readonly connection: Pinged,
    private readonly pings: Pings,
  ) {}
  refresh(): void {
    this.pings.schedule(this)
  }
}

export class Pings {
  /** A ring: a ping is due at most one interval from now. */
  readonly #beats: readonly Set<Turn>[] = Array.from({ length: BEATS }, () => new Set<Turn>())
  readonly #beatMs: number
  #timer: NodeJS.Timeout | null = null
  /** Beats since the process began, as far as they are done. */
  #done = 0
  #waiting = 0

  /** @param interval milliseconds between the answer to a ping and the next one */
  constructor(interval: number) {
    this.#beatMs = interval / BEATS
  }

  /** Takes over from the connection's own timer. Where Engine.IO has no such timer, or the client pings, all stays as it is. */
  take(connection: Connection): void {
    const pinged = connection as unknown as Pinged
    if (pinged.protocol !== 4 || !isTimer(pinged.pingIntervalTimer)) return
    if (typeof pinged.resetPingTimeout !== 'function' || typeof pinged.hasRefreshedPingTimeout !== 'boolean') return
    clearTimeout(pinged.pingIntervalTimer)
    const turn = new Turn(pinged, this)
    pinged.pingIntervalTimer = turn
    this.schedule(turn)
  }
  /** The connection is closed: nothing is left of it here. */
  drop(connection: Connection): void {
    const turn = (connection as unknown as Pinged).pingIntervalTimer
    if (turn instanceof Turn) this.#remove(turn)
  }

  /** Due one interval from now; what it was due for before is forgotten. */
  schedule(turn: Turn): void {
    this.#remove(turn)
    if (!this.#timer) {
      this.#done = this.#now()
      this.#timer = setInterval(() => this.#goOn(), this.#beatMs)
    }
    // Within a beat nobody knows where the clock stands, nor when the timer wakes.
    turn.beat = this.#at(this.#now() + BEATS - 1)
    turn.beat.add(turn)
    this.#waiting += 1
  }

  #remove(turn: Turn): void {
    if (!turn.beat?.delete(turn)) return
    turn.beat = null
    this.#waiting -= 1
    if (this.#waiting > 0 || !this.#timer) return
    clearInterval(this.#timer)
    this.#timer = null
  }
  #now(): number {
    return Math.floor(performance.now() / this.#beatMs)
  }
  #at(beat: number): Set<Turn> {
    return this.#beats[beat % this.#beats.length] as Set<Turn>
  }
  /** An event loop that was held up makes up for the beats it missed. */
  #goOn(): void {
    const now = this.#now()
    for (let beat = Math.max(this.#done, now - BEATS) + 1; beat <= now; beat++) this.#ping(this.#at(beat))
    this.#done = now
  }
  #ping(due: Set<Turn>): void {
    for (const turn of due) {
      this.#remove(turn)
      const { connection } = turn
      connection.hasRefreshedPingTimeout = false
      writePing(connection as unknown as Connection)
      connection.resetPingTimeout()
    }
  }
}

const isTimer = (timer: Refreshable | null): timer is NodeJS.Timeout => timer !== null && 'refresh' in timer
