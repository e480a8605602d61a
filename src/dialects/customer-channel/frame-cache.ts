// Encodes an event once per audience: its hearers hear it one after another, in the same tick.
import type { ConversationEvent, Ephemeral } from '../../model/events'
import { Frame } from './frame'
import type { WireMessage } from './wire'

/** Audiences of one event whose frames are kept: beyond staff and the public, each is one customer with a handle. */
const MOST = 8

export class FrameCache {
  readonly #now: () => Date
  #of: ConversationEvent | Ephemeral | null = null
  #moment = 0
  #audiences: string[] = []
  #frames: Frame[] = []

  constructor(now: () => Date) {
    this.#now = now
  }

  /** Of what is live: when it began to be told, in milliseconds since 1970, the same for all who hear it. */
  momentOf(event: ConversationEvent | Ephemeral): number {
    this.#turnTo(event)
    return this.#moment
  }
  of(event: ConversationEvent | Ephemeral, audience: string, encode: () => WireMessage): Frame {
    this.#turnTo(event)
    const known = this.#frames[this.#audiences.indexOf(audience)]
    if (known) return known
    const frame = Frame.event('messageArrived', encode())
    if (this.#frames.length < MOST) {
      this.#audiences.push(audience)
      this.#frames.push(frame)
    }
    return frame
  }

  /** Lets go of the last event: of somebody's words nothing else is at hand. */
  forget(): void {
    this.#of = null
    this.#audiences = []
    this.#frames = []
  }

  #turnTo(event: ConversationEvent | Ephemeral): void {
    if (this.#of === event) return
    this.#of = event
    this.#moment = this.#now().getTime()
    this.#audiences = []
    this.#frames = []
  }
}
