// Who is here with at least one live connection, on whatever node: a member whose last one is gone for the grace leaves.
import type { ParticipantId, Place, Tenant } from '../model/ids'
import type { AttendanceStore, Attendee } from '../store/attendance-store'
import type { Conversations } from './conversations'
import { RollCall } from './roll-call'

/** How often a node says that it lives, and for how long the others believe it. */
const BEAT_MS = 2_000
const ALIVE_MS = 10_000
/** Members that are taken out at once, and how long they are this node's to take out. */
const PAGE = 200
const CLAIM_MS = 10_000

interface Deps {
  readonly conversations: Conversations
  readonly store: AttendanceStore
  readonly tenant: Tenant
  /** Of this process: another one for each start. */
  readonly node: string
  /** Milliseconds. */
  readonly graceMs: number
  readonly onFault?: (cause: unknown) => void
}

export class Attendance {
  readonly #deps: Required<Deps>
  /** Connections of each member on this node. */
  readonly #connections = new Map<string, number>()
  readonly #attendees = new Map<string, Attendee>()
  readonly #rollCall: RollCall
  #beating: NodeJS.Timeout | null = null
  #looking: { readonly timer: NodeJS.Timeout; readonly at: number } | null = null
  #round: Promise<void> = Promise.resolve()
  #closed = false

  constructor(deps: Deps) {
    this.#deps = { onFault: () => undefined, ...deps }
    const { store, node, graceMs, onFault } = this.#deps
    this.#rollCall = new RollCall({ store, node, graceMs, onFault, onDeparted: () => this.#lookIn(graceMs) })
  }

  /** Takes up its work: from here on this node counts as alive, and takes out whom dead ones left behind. */
  async open(): Promise<void> {
    await this.#beat()
  }

  /**
   * One more connection of this member, counted at once. To be awaited before their coming is written: then it is known
   * where they are, should this node die. The answer takes the connection away again, once.
   * @throws GatewayError `unavailable` when it cannot be written, and then it is not counted
   */
  async arrive(place: Place, id: ParticipantId): Promise<() => void> {
    const attendee = { tenant: place.tenant, conversationId: place.conversationId, participantId: id }
    const key = keyOf(place, id)
    const before = this.#connections.get(key) ?? 0
    this.#connections.set(key, before + 1)
    this.#attendees.set(key, attendee)
    let here = true
    const depart = () => {
      if (!here) return
      here = false
      const left = (this.#connections.get(key) ?? 1) - 1
      if (left > 0) this.#connections.set(key, left)
      else {
        this.#connections.delete(key)
        this.#attendees.delete(key)
        if (!this.#closed) this.#rollCall.departed(key, attendee)
      }
    }
    try {
      await this.#rollCall.arrived(key, attendee, { isFirst: before === 0 })
      return depart
    } catch (cause) {
      depart()
      throw cause
    }
  }

  /** Stops counting. The members on this node have the grace to come back on another. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#beating) clearTimeout(this.#beating)
    if (this.#looking) clearTimeout(this.#looking.timer)
    await this.#round
    await this.#rollCall.close()
    const { store, node, graceMs, onFault } = this.#deps
    await store.close(node, graceMs).catch(onFault)
  }

  /** One after another, and never while the last one is under way. */
  async #beat(): Promise<void> {
    const { store, node, graceMs, onFault } = this.#deps
    this.#round = store.beat(node, { aliveMs: ALIVE_MS, graceMs }).then(async (isKnown) => {
      // Taken for dead: whoever is here was written off, or is about to be.
      if (!isKnown && this.#attendees.size > 0) await store.arrive(node, [...this.#attendees.values()])
      await this.#look()
    })
    await this.#round.catch(onFault)
    if (!this.#closed) this.#beating = setTimeout(() => void this.#beat(), BEAT_MS)
  }

  #lookIn(ms: number): void {
    const at = performance.now() + ms
    if (this.#closed || (this.#looking && this.#looking.at <= at)) return
    if (this.#looking) clearTimeout(this.#looking.timer)
    const timer = setTimeout(() => {
      this.#looking = null
      this.#round = this.#round
        .catch(() => undefined)
        .then(() => this.#look())
        .catch((cause: unknown) => {
          this.#deps.onFault(cause)
          this.#lookIn(BEAT_MS)
        })
    }, ms)
    this.#looking = { timer, at }
  }
  /** Takes out whose grace has ended, on this node or on one that died. */
  async #look(): Promise<void> {
    const { store, tenant } = this.#deps
    while (!this.#closed) {
      const next = await store.nextGoneIn(tenant)
      if (next === null) return
      if (next > 0) {
        this.#lookIn(next)
        return
      }
      const gone = await store.claimGone(tenant, { limit: PAGE, claimMs: CLAIM_MS })
      const done = await Promise.all(gone.map((attendee) => this.#takeOut(attendee)))
      await store.forget(done.flatMap((attendee) => attendee ?? []))
      // What is due and cannot be claimed is in somebody's hands, or could not be written and is tried again later.
      if (gone.length === 0) {
        this.#lookIn(BEAT_MS)
        return
      }
    }
  }
  /** One that cannot be written does not hold up the others: its claim runs out, and somebody tries again. */
  async #takeOut(attendee: Attendee): Promise<Attendee | null> {
    const { tenant, conversationId, participantId } = attendee
    if (this.#connections.has(keyOf(attendee, participantId))) return null
    try {
      await this.#deps.conversations.leave({ tenant, conversationId }, participantId, 'disconnected')
      return attendee
    } catch (cause) {
      this.#deps.onFault(cause)
      return null
    }
  }
}

const keyOf = ({ tenant, conversationId }: Place, id: ParticipantId): string => `${tenant}\n${conversationId}\n${id}`
