// Encodes an event once per audience: its hearers hear it one after another, in the same tick.
import type { ConversationEvent, Ephemeral } from '../../model/events'
import { Frame } from './frame'
import type { WireMessage } from './wire'

export class FrameCache {
  #of: ConversationEvent | Ephemeral | null = null
  readonly #frames = new Map<string, Frame>()

  of(event: ConversationEvent | Ephemeral, audience: string, encode: () => WireMessage): Frame {
    if (this.#of !== event) {
      this.#of = event
      this.#frames.clear()
    }
    const known = this.#frames.get(audience)
    if (known) return known
    const frame = Frame.event('messageArrived', encode())
    this.#frames.set(audience, frame)
    return frame
  }
}
