// One conversation on one node: a single cursor in its log, whoever listens.
import type { Bus } from '../bus/bus'
import { GatewayError } from '../model/errors'
import { isPublic, type ConversationEvent, type Ephemeral, type PublicEvent } from '../model/events'
import type { ParticipantId, Place } from '../model/ids'
import { Few } from '../model/few'
import type { ConversationStore } from '../store/conversation-store'

/** Events of a page of history. */
const PAGE = 500
/** Hints kept while the cursor is not known yet; more are read from the store instead. */
const MAX_EARLY = 1_000
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5_000

/**
 * Somebody who listens. Events come one by one, in order, each once. Properties, not methods: TypeScript compares the
 * parameters of methods both ways, and whoever hears the public could follow as staff.
 */
export interface Follower<E extends ConversationEvent> {
  /** What was said before, a page at a time; the next page is read when the promise resolves. */
  readonly history: (events: readonly E[]) => Promise<void>
  /** History has ended; from this tick on `hear` is called. */
  readonly live: () => void
  readonly hear: (event: E) => void
  readonly hearEphemeral: (ephemeral: Ephemeral) => void
  /**
   * This customer is reached by their channel again. Told besides to followers of the public, for whom the event itself
   * has no shape.
   */
  readonly carried?: (id: ParticipantId) => void
}
export interface Following {
  /** Resolves when live, or when left before; rejects when the store could not be read. */
  readonly caughtUp: Promise<void>
  leave(): void
}

/** What all streams of a hub share. */
export interface StreamDeps {
  readonly store: ConversationStore
  readonly bus: Bus
  readonly onFault: (cause: unknown) => void
  /** Nobody follows any more. */
  readonly onIdle: (stream: Stream) => void
}
interface Cursor {
  position: number
  publicPosition: number
}
interface Waiter {
  readonly position: number
  resolve(): void
}
/** How one audience reads: its own count, its own page of the log. */
interface Reading<E extends ConversationEvent> {
  /** Of an event, or of where the stream stands. */
  readonly count: (at: E | Cursor) => number
  readonly page: (store: ConversationStore, place: Place, after: number) => Promise<E[]>
}
const AS_STAFF: Reading<ConversationEvent> = {
  count: ({ position }) => position,
  page: (store, { tenant, conversationId }, after) => store.events(tenant, conversationId, after, PAGE),
}
const AS_PUBLIC: Reading<PublicEvent> = {
  count: ({ publicPosition }) => publicPosition,
  page: (store, { tenant, conversationId }, after) => store.publicEvents(tenant, conversationId, after, PAGE),
}

class Listening<E extends ConversationEvent> implements Following {
  caughtUp: Promise<void> = Promise.resolve()
  isLeft = false

  constructor(
    readonly follower: Follower<E>,
    readonly group: Few<Follower<E>>,
    private readonly stream: Stream,
  ) {}

  leave(): void {
    this.isLeft = true
    this.group.delete(this.follower)
    this.stream.dropIfIdle()
  }
}

export class Stream {
  readonly #deps: StreamDeps
  readonly #staff = new Few<Follower<ConversationEvent>>()
  readonly #public = new Few<Follower<PublicEvent>>()
  #waiters: Set<Waiter> | null = null
  #joining = 0
  #cursor: Cursor | null = null
  #primed: Promise<Cursor> | null = null
  #early: ConversationEvent[] | null = null
  #repairing = false
  #again = false
  /** How far the log has come at least, as others say. */
  #known = 0
  #retry: NodeJS.Timeout | null = null
  #retryMs = FIRST_RETRY_MS
  #closed = false
  #isTrusting = true

  constructor(
    readonly place: Place,
    deps: StreamDeps,
  ) {
    this.#deps = deps
  }

  dropIfIdle(): void {
    if (this.#staff.size + this.#public.size + this.#joining === 0) this.#deps.onIdle(this)
  }

  followAsStaff(after: number, follower: Follower<ConversationEvent>): Following {
    return this.#follow(after, new Listening(follower, this.#staff, this), AS_STAFF)
  }
  followAsPublic(after: number, follower: Follower<PublicEvent>): Following {
    return this.#follow(after, new Listening(follower, this.#public, this), AS_PUBLIC)
  }

  #follow<E extends ConversationEvent>(after: number, listening: Listening<E>, reading: Reading<E>): Following {
    this.#joining += 1
    listening.caughtUp = this.#catchUp(after, listening, reading).finally(() => {
      this.#joining -= 1
      this.dropIfIdle()
    })
    // Whoever does not ask how it went need not hear of it.
    listening.caughtUp.catch(() => undefined)
    return listening
  }

  async #catchUp<E extends ConversationEvent>(
    after: number,
    listening: Listening<E>,
    reading: Reading<E>,
  ): Promise<void> {
    const { follower, group } = listening
    const isFirst = !this.#cursor && !this.#primed
    const cursor = await this.#prime()
    // Who comes later looks for itself: a hint may be lost of what this reader has heard on another node.
    if (!isFirst) await this.#readGap(cursor)
    let heard = Math.min(after, reading.count(cursor))
    // The comparison and the attaching share a tick: nothing can be said in between.
    while (!this.#isOver(listening)) {
      if (heard >= reading.count(cursor)) {
        group.add(follower)
        follower.live()
        return
      }
      const page = await reading.page(this.#deps.store, this.place, heard)
      const said = page.filter((event) => reading.count(event) <= reading.count(cursor))
      const last = said.at(-1)
      if (!last) throw new GatewayError('unavailable', 'The log could not be read. Join again.', { retryAfter: 1 })
      if (this.#isOver(listening)) return
      await follower.history(said)
      heard = reading.count(last)
    }
  }
  #isOver({ isLeft }: { readonly isLeft: boolean }): boolean {
    return isLeft || this.#closed
  }

  /** Where the log stands. Subscribed first, so that nothing is missed between the reading and the hearing. */
  async #prime(): Promise<Cursor> {
    if (this.#cursor) return this.#cursor
    this.#primed ??= this.#readCursor().finally(() => {
      this.#primed = null
    })
    return this.#primed
  }
  async #readCursor(): Promise<Cursor> {
    const { bus, store } = this.#deps
    const { tenant, conversationId } = this.place
    await bus.join(this.place)
    const found = await store.find(tenant, conversationId)
    const cursor = { position: found?.position ?? 0, publicPosition: found?.publicPosition ?? 0 }
    this.#cursor = cursor
    const early = this.#early ?? []
    this.#early = null
    for (const event of early) this.hear(event)
    // More was said than could be kept, or the bus was deaf meanwhile.
    if (this.#again || cursor.position < this.#known) this.repair()
    return cursor
  }

  hear(event: ConversationEvent): void {
    if (!this.#cursor) {
      this.#early ??= []
      if (this.#isTrusting && this.#early.length < MAX_EARLY) this.#early.push(event)
      else this.#again = true
      return
    }
    if (event.position <= this.#cursor.position) return
    if (!this.#isTrusting) this.repair()
    else if (event.position === this.#cursor.position + 1) this.#advance(this.#cursor, event)
    else this.repair()
  }
  /** It was erased: a hint that comes late may tell what the log no longer says. From now on the log alone is believed. */
  distrust(): void {
    this.#isTrusting = false
    this.#early = null
    this.repair()
  }
  /** Whoever stands before this has missed something. */
  hearPosition(position: number): void {
    if (position > this.#known) this.#known = position
    if (this.#cursor && this.#cursor.position < position) this.repair()
  }
  hearEphemeral(ephemeral: Ephemeral): void {
    this.#tell(this.#staff, (follower) => follower.hearEphemeral(ephemeral))
    if (!ephemeral.internal) this.#tell(this.#public, (follower) => follower.hearEphemeral(ephemeral))
  }

  #advance(cursor: Cursor, event: ConversationEvent): void {
    cursor.position = event.position
    if (isPublic(event)) {
      cursor.publicPosition = event.publicPosition
      this.#tell(this.#public, (follower) => follower.hear(event))
    } else if (event.type === 'presenceChanged' && event.presence === 'carried') {
      const { id } = event.participant
      this.#tell(this.#public, (follower) => follower.carried?.(id))
    }
    this.#tell(this.#staff, (follower) => follower.hear(event))
    if (!this.#waiters) return
    for (const waiter of this.#waiters) if (waiter.position <= event.position) waiter.resolve()
  }

  /** A follower that fails does so alone: the others hear what it did not. */
  #tell<F extends object>(group: Few<F>, hear: (follower: F) => void): void {
    group.forEach((follower) => {
      try {
        hear(follower)
      } catch (cause) {
        this.#deps.onFault(cause)
      }
    })
  }

  /** Reads again from where the cursor stands, until nothing is missing; a failed reading is tried again, later and later. */
  repair(): void {
    this.#again = true
    if (this.#repairing || this.#retry || this.#closed || !this.#cursor) return
    this.#repairing = true
    this.#again = false
    void this.#readGap(this.#cursor)
      .then(
        () => {
          this.#retryMs = FIRST_RETRY_MS
        },
        (cause: unknown) => {
          this.#deps.onFault(cause)
          this.#retryLater()
        },
      )
      .finally(() => {
        this.#repairing = false
        if (this.#again && !this.#retry) this.repair()
      })
  }
  async #readGap(cursor: Cursor): Promise<void> {
    const { tenant, conversationId } = this.place
    for (;;) {
      const page = await this.#deps.store.events(tenant, conversationId, cursor.position, PAGE)
      if (this.#closed) return
      for (const event of page) if (event.position === cursor.position + 1) this.#advance(cursor, event)
      if (page.length < PAGE) return
    }
  }
  #retryLater(): void {
    if (this.#closed) return
    this.#retry = setTimeout(() => {
      this.#retry = null
      this.repair()
    }, this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
  }

  /** Resolves when the cursor has passed this position, which is stored: whoever waits for it asks for what is missing. */
  async reached(position: number): Promise<void> {
    if (this.#closed || !this.#cursor || this.#cursor.position >= position) return
    await new Promise<void>((resolve) => {
      const waiters = (this.#waiters ??= new Set())
      const waiter: Waiter = {
        position,
        resolve: () => {
          waiters.delete(waiter)
          resolve()
        },
      }
      waiters.add(waiter)
      this.repair()
    })
  }

  close(): void {
    this.#closed = true
    if (this.#retry) clearTimeout(this.#retry)
    for (const waiter of this.#waiters ?? []) waiter.resolve()
  }
}
