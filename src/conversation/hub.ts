// Lets anyone follow a conversation from any position: history, live events and healed gaps are one stream.
import type { Bus } from '../bus/bus'
import type { ConversationEvent, PublicEvent } from '../model/events'
import type { Place } from '../model/ids'
import { PlaceMap } from '../model/place-map'
import type { ConversationStore } from '../store/conversation-store'
import { GapSweep } from './gap-sweep'
import { Stream, type Follower, type Following, type StreamDeps } from './stream'

export class Hub {
  readonly #deps: StreamDeps
  readonly #streams = new PlaceMap<Stream>()
  readonly #gaps: GapSweep
  readonly #unsubscribe: () => void

  /** @param deps `sweepMs`: milliseconds in which all that is followed is compared with the store, on a bus that may lose the last hint; 0: never */
  constructor(deps: { store: ConversationStore; bus: Bus; sweepMs?: number; onFault?: (cause: unknown) => void }) {
    const { store, bus, onFault = () => undefined } = deps
    this.#deps = { store, bus, onFault, onIdle: (stream) => this.#drop(stream) }
    this.#gaps = new GapSweep({
      store: deps.store,
      streams: () => this.#streams.values(),
      intervalMs: deps.bus.isLossy ? (deps.sweepMs ?? 0) : 0,
      onFault,
    })
    this.#unsubscribe = deps.bus.subscribe({
      hear: (events) => this.#hear(events),
      hearEphemeral: (ephemeral) => this.#stream(ephemeral)?.hearEphemeral(ephemeral),
      hearPosition: (place, position) => this.#stream(place)?.hearPosition(position),
      missed: () => this.#gaps.check(),
      heard: (notice) => {
        if (notice.kind === 'erased') this.#stream(notice)?.distrust()
      },
    })
  }

  /** What a customer or a connector may hear: whispers have no way in here. `after` counts public events. */
  followAsPublic(place: Place, after: number, follower: Follower<PublicEvent>): Following {
    return this.#at(place).followAsPublic(after, follower)
  }
  /** Everything. `after` is a position in the log. */
  followAsStaff(place: Place, after: number, follower: Follower<ConversationEvent>): Following {
    return this.#at(place).followAsStaff(after, follower)
  }
  /** Resolves when every follower on this node has heard this position, or nobody follows. */
  async reached(place: Place, position: number): Promise<void> {
    await this.#stream(place)?.reached(position)
  }

  close(): void {
    this.#unsubscribe()
    this.#gaps.close()
    for (const stream of this.#streams.values()) stream.close()
    this.#streams.clear()
  }

  #at(place: Place): Stream {
    const known = this.#streams.get(place)
    if (known) return known
    const stream = new Stream(place, this.#deps)
    this.#streams.set(place, stream)
    return stream
  }
  #drop(stream: Stream): void {
    const { place } = stream
    if (this.#streams.get(place) !== stream) return
    stream.close()
    this.#streams.delete(place)
    this.#deps.bus.leave(place)
  }

  #hear(events: readonly ConversationEvent[]): void {
    for (const event of events) this.#stream(event)?.hear(event)
  }
  #stream(place: Place): Stream | undefined {
    return this.#streams.get(place)
  }
}
