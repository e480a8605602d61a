// Who is here with at least one live connection: a member whose last one is gone for the grace leaves.
import type { ParticipantId, Place, Tenant } from '../model/ids'
import type { Conversations } from './conversations'

/** Conversations of one page when memberships are looked over at the start. */
const PAGE = 200

interface Deps {
  readonly conversations: Conversations
  /** Milliseconds. */
  readonly graceMs: number
  readonly onFault?: (cause: unknown) => void
}
interface Presence {
  connections: number
  timer: NodeJS.Timeout | null
}

export class Attendance {
  readonly #deps: Required<Deps>
  readonly #present = new Map<string, Presence>()
  #closed = false

  constructor(deps: Deps) {
    this.#deps = { onFault: () => undefined, ...deps }
  }

  /**
   * One more connection of this member. The answer takes it away again, once. To be called before their coming is
   * written, or a grace that ends meanwhile writes off who is back.
   */
  arrive(place: Place, id: ParticipantId): () => void {
    const key = keyOf(place, id)
    const presence = this.#present.get(key) ?? { connections: 0, timer: null }
    this.#present.set(key, presence)
    presence.connections += 1
    if (presence.timer) clearTimeout(presence.timer)
    presence.timer = null
    let here = true
    return () => {
      if (!here) return
      here = false
      presence.connections -= 1
      if (presence.connections === 0 && this.#present.get(key) === presence) this.#startGrace(place, id, presence)
    }
  }
  /** The member has left for good: no grace is due, unless they have come back meanwhile. */
  forget(place: Place, id: ParticipantId): void {
    const presence = this.#present.get(keyOf(place, id))
    if (!presence || presence.connections > 0) return
    if (presence.timer) clearTimeout(presence.timer)
    this.#present.delete(keyOf(place, id))
  }

  /** Members of an earlier process who do not come back within the grace leave too. */
  async recover(tenant: Tenant): Promise<void> {
    let after = ''
    for (;;) {
      const page = await this.#deps.conversations.list(tenant, 'open', { after, limit: PAGE })
      for (const { id: conversationId, memberships } of page)
        for (const member of memberships)
          if (!member.left && member.presence === 'live') this.arrive({ tenant, conversationId }, member.id)()
      const last = page.at(-1)
      if (!last || page.length < PAGE || this.#closed) return
      after = last.id
    }
  }

  close(): void {
    this.#closed = true
    for (const { timer } of this.#present.values()) if (timer) clearTimeout(timer)
    this.#present.clear()
  }

  #startGrace(place: Place, id: ParticipantId, presence: Presence): void {
    if (this.#closed) return
    presence.timer = setTimeout(() => {
      presence.timer = null
      this.#deps.conversations.leave(place, id, 'disconnected').then(
        () => this.#isAway(place, id, presence) && this.#present.delete(keyOf(place, id)),
        (cause: unknown) => {
          this.#deps.onFault(cause)
          if (this.#isAway(place, id, presence)) this.#startGrace(place, id, presence)
        },
      )
    }, this.#deps.graceMs)
  }
  /** Still the one that is known, and not back meanwhile. */
  #isAway(place: Place, id: ParticipantId, presence: Presence): boolean {
    return this.#present.get(keyOf(place, id)) === presence && presence.connections === 0 && presence.timer === null
  }
}

const keyOf = ({ tenant, conversationId }: Place, id: ParticipantId): string => `${tenant}\n${conversationId}\n${id}`
