// The conversation store's write path: concurrent updates share one transaction, and the next batch is what arrived meanwhile.
import { blank, type Conversation } from '../model/conversation'
import { GatewayError } from '../model/errors'
import type { ConversationEvent } from '../model/events'
import { evolve } from '../model/evolve'
import type { ConversationId, Tenant } from '../model/ids'
import { readFor } from './batch-reading'
import { toBatch, toRows, type Picture, type Rows } from './batch-rows'
import type { Committed, ConversationStore, Decision, Needs, View } from './conversation-store'
import { EntryError, NOTHING, type Batch, type Engine, type Loaded } from './engine'
import { foundKeys, isPrying, namedKeys } from './needs-keys'
import { append } from './appending'
import { Company } from './company'
import { figuresOf, type CommitFigures } from './commit-figures'
import { RecentMap } from '../model/recent-map'

/** Calls that may wait at once; more are refused, retryably. */
const MAX_WAITING = 10_000
const MAX_BATCH = 512
/** The promise is a refusal within 2 s; this leaves the answer time to travel. */
const DEADLINE_MS = 1_800
/** How often it is looked whether a call has waited too long. */
const WATCH_MS = 100
const MAX_CACHED_CONVERSATIONS = 20_000
const MAX_RECENT_KEYS = 4_096
/** How often a batch is decided again when others write to the same rows. */
const MAX_ATTEMPTS = 8

interface Entry {
  readonly needs: Needs
  readonly decide: (view: View) => Decision
  resolve(outcome: Committed): void
  reject(cause: unknown): void
  /** What it may not share a batch on: a key that one call writes is truth for the next only after the commit. */
  readonly keys: readonly string[]
  readonly since: number
  settled: boolean
}
interface Made {
  readonly entry: Entry
  readonly decision: Decision
  readonly view: View
  readonly conversation: Conversation | null
  readonly events: readonly ConversationEvent[]
  readonly rows: Rows
}
type CommittedListener = Parameters<ConversationStore['onCommitted']>[0]

export class GroupCommit {
  readonly #engine: Engine
  readonly #now: () => Date
  readonly #onFault: (cause: unknown) => void
  readonly #onCommit: (figures: CommitFigures) => void
  readonly #listeners: CommittedListener[] = []
  readonly #cache = new RecentMap<ConversationId, Conversation>(MAX_CACHED_CONVERSATIONS)
  readonly #recentKeys = new RecentMap<string, true>(MAX_RECENT_KEYS)
  #queue: Entry[] = []
  #inFlight: readonly Entry[] = []
  #flushing: Promise<void> | null = null
  #watch: NodeJS.Timeout | null = null
  readonly #company = new Company()
  #closed = false

  constructor(deps: {
    engine: Engine
    now?: () => Date
    onFault?: (cause: unknown) => void
    onCommit?: (figures: CommitFigures) => void
  }) {
    this.#engine = deps.engine
    this.#now = deps.now ?? (() => new Date())
    this.#onFault = deps.onFault ?? (() => undefined)
    this.#onCommit = deps.onCommit ?? (() => undefined)
  }

  onCommitted(listener: CommittedListener): void {
    this.#listeners.push(listener)
  }

  update<D extends Decision>(needs: Needs, decide: (view: View) => D): Promise<Committed<D>> {
    if (this.#closed) return Promise.reject(unavailable('The gateway is shutting down. Try again on another node.'))
    if (this.#queue.length >= MAX_WAITING)
      return Promise.reject(unavailable('Too many writes are waiting. Try again in a moment.'))
    return new Promise((resolve, reject) => {
      this.#queue.push({
        needs,
        decide,
        resolve: resolve as (outcome: Committed) => void,
        reject,
        keys: namedKeys(needs),
        since: performance.now(),
        settled: false,
      })
      this.#flushing ??= this.#flush()
      this.#company.joined(this.#queue.length)
    })
  }

  /**
   * Events that another node has committed: a picture at hand follows them, or is dropped when one is missing. Only
   * saves conflicts; the engine's guards stand.
   */
  heard(events: readonly ConversationEvent[]): void {
    for (const event of events) {
      const known = this.#cache.get(event.conversationId)
      if (known?.tenant !== event.tenant || event.position <= known.position) continue
      if (event.position === known.position + 1) this.#cache.set(event.conversationId, evolve(known, event))
      else this.#cache.delete(event.conversationId)
    }
  }

  forget(id: ConversationId): void {
    this.#cache.delete(id)
  }
  /** As the last commit left it; null when it is not at hand, or when others may have written since. */
  atHand(tenant: Tenant, id: ConversationId): Conversation | null {
    const known = this.#engine.hold ? undefined : this.#cache.get(id)
    return known?.tenant === tenant ? known : null
  }

  /** Waits for what was accepted; later calls are refused. */
  async close(): Promise<void> {
    this.#closed = true
    while (this.#flushing) await this.#flushing
    if (this.#watch) clearInterval(this.#watch)
  }

  async #flush(): Promise<void> {
    this.#watch ??= setInterval(() => this.#refuseOverdue(), WATCH_MS)
    // All that this turn of the event loop brings shares the first batch.
    await new Promise(setImmediate)
    while (this.#queue.length > 0) {
      if (this.#engine.syncs) await this.#company.gather(this.#queue.length)
      this.#inFlight = this.#take()
      await this.#write(this.#inFlight, false)
      this.#company.shared(this.#inFlight.length)
    }
    this.#inFlight = []
    this.#flushing = null
  }

  /** The next batch, in order: a call whose key another one writes waits for the next one, and so does all behind it in its conversation. */
  #take(): Entry[] {
    const batch: Entry[] = []
    const later: Entry[] = []
    const taken = new Set<string>()
    for (const entry of this.#queue) {
      const { conversationId: conversation } = entry.needs
      const isBehind = conversation !== undefined && taken.has(conversation)
      const free = batch.length < MAX_BATCH && !isBehind && !entry.keys.some((key) => taken.has(key))
      for (const key of entry.keys) taken.add(key)
      if (!free && conversation) taken.add(conversation)
      ;(free ? batch : later).push(entry)
    }
    this.#queue = later
    return batch
  }

  /** The batch in flight may still be written, and is then announced: only its answer is lost. */
  #refuseOverdue(): void {
    if (!this.#flushing && this.#watch) {
      clearInterval(this.#watch)
      this.#watch = null
      return
    }
    const now = performance.now()
    const late = [...this.#inFlight, ...this.#queue].filter(({ since }) => now - since >= DEADLINE_MS)
    if (late.length > 0)
      this.#refuse(late, unavailable('The store does not answer. Try again with the same message id.'))
  }
  /** With them all that is behind them in their conversations: whoever says it again finds it in its order. */
  #refuse(entries: readonly Entry[], cause: GatewayError): void {
    const conversations = new Set(entries.flatMap(({ needs: { conversationId } }) => conversationId ?? []))
    const isBehind = ({ needs: { conversationId } }: Entry) =>
      conversationId !== undefined && conversations.has(conversationId)
    for (const entry of [...entries, ...this.#inFlight.filter(isBehind), ...this.#queue.filter(isBehind)])
      fail(entry, cause)
    this.#queue = this.#queue.filter(({ settled }) => !settled)
  }

  async #write(entries: readonly Entry[], everything: boolean): Promise<void> {
    try {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const unknown = entries.filter((entry) => everything || attempt > 0 || !this.#isKnown(entry))
        const reading = await readFor(this.#engine, { entries, unknown, again: attempt > 0 })
        if (reading === 'conflict') continue
        const { loaded } = reading
        const [together, apart] = separate(entries, loaded)
        const began = performance.now()
        const { made, doubtful } = this.#decide(together, loaded)
        const rows = made.map((one) => one.rows)
        const batch = toBatch(rows, this.#pictures.values(), this.#now().toISOString())
        const outcome = await reading.write(batch)
        if (outcome === 'conflict') {
          this.#forget(entries)
          continue
        }
        this.#announce(made, batch)
        this.#onCommit(figuresOf(made, performance.now() - began))
        const rest = [...doubtful, ...apart]
        if (rest.length > 0) await this.#write(rest, true)
        return
      }
      throw new EntryError('Others kept writing to the same rows')
    } catch (cause) {
      this.#forget(entries)
      await this.#recover(entries, cause)
    }
  }

  /** A poisoned entry fails alone: halves are decided and written again. A store that is down fails all. */
  async #recover(entries: readonly Entry[], cause: unknown): Promise<void> {
    if (!(cause instanceof EntryError)) {
      this.#refuse(entries, unavailable('The store cannot be written. Try again with the same message id.', cause))
      return
    }
    const [only] = entries
    if (entries.length <= 1) {
      if (only)
        fail(only, new GatewayError('internal', 'This could not be stored. The log has the details.', { cause }))
      return
    }
    const middle = Math.ceil(entries.length / 2)
    await this.#write(entries.slice(0, middle), true)
    await this.#write(entries.slice(middle), true)
  }

  /** A message in a conversation that is at hand costs no read. */
  #isKnown({ needs, keys }: Entry): boolean {
    const { conversationId, tenant } = needs
    if (!conversationId || isPrying(needs)) return false
    if (keys.some((key) => this.#recentKeys.has(key))) return false
    return this.#cache.get(conversationId)?.tenant === tenant
  }

  /** Pictures of the batch that is being decided: each entry sees what those before it decided. */
  #pictures = new Map<ConversationId, Picture>()

  /** A rule that refuses on what was only assumed is doubtful: it is asked again on what is read. */
  #decide(entries: readonly Entry[], loaded: ReadonlyMap<Entry, Loaded>): { made: Made[]; doubtful: Entry[] } {
    this.#pictures = new Map()
    // What was read together is decided on together: what was heard of meanwhile is newer than the rows beside it.
    for (const { conversation } of loaded.values())
      if (conversation) this.#pictures.set(conversation.id, { conversation, before: conversation })
    const now = this.#now().toISOString()
    const made: Made[] = []
    const doubtful: Entry[] = []
    for (const entry of entries) {
      if (entry.settled) continue
      const read = loaded.get(entry)
      try {
        made.push(this.#decideOne(entry, read ?? NOTHING, now))
      } catch (cause) {
        if (read) fail(entry, cause)
        else doubtful.push(entry)
      }
    }
    return { made, doubtful }
  }
  #decideOne(entry: Entry, loaded: Loaded, now: string): Made {
    const { needs } = entry
    const picture = this.#picture(needs, loaded.conversation)
    const current = picture?.conversation ?? null
    const view = viewOf(loaded, now, current)
    const decision = entry.decide(view)
    const opened = decision.open ? blank(needs.tenant, decision.open.id, decision.open.opening) : null
    const { conversation, events } = append(opened ?? current, decision.events, now)
    const rows = toRows({ needs, decision, conversation, events })
    // Nothing may throw from here on: what the others of the batch see has moved.
    if (opened && conversation) this.#pictures.set(opened.id, { conversation, before: null })
    else if (picture && conversation) picture.conversation = conversation
    return { entry, decision, view, conversation, events, rows }
  }
  #picture({ tenant, conversationId }: Needs, loaded: Conversation | null): Picture | null {
    const id = loaded?.id ?? conversationId
    if (!id) return null
    const known = this.#pictures.get(id)
    if (known) return known.conversation.tenant === tenant ? known : null
    const conversation = loaded ?? this.#cache.get(id)
    if (conversation?.tenant !== tenant) return null
    const picture = { conversation, before: conversation }
    this.#pictures.set(id, picture)
    return picture
  }

  /** Now it is true: first the listeners hear it, in order, then the calls return. */
  #announce(made: readonly Made[], batch: Batch): void {
    for (const [key, { conversation }] of this.#pictures) this.#cache.set(key, conversation)
    for (const { entry } of made) for (const key of entry.keys) this.#recentKeys.set(key, true)
    const events = made.flatMap((one) => one.events)
    const writes = batch.writes.map(({ write }) => write)
    const bodies = batch.events.map(({ body }) => body)
    if (events.length > 0 || writes.length > 0)
      for (const hear of this.#listeners) this.#tell(() => hear(events, writes, bodies))
    for (const { entry, decision, view, conversation, events: own } of made) {
      if (entry.settled) continue
      entry.settled = true
      entry.resolve({ decision, view, conversation, events: own })
    }
  }

  /** What is written stays acknowledged, whatever a listener does with it. */
  #tell(hear: () => void): void {
    try {
      hear()
    } catch (cause) {
      this.#onFault(cause)
    }
  }

  /** What was only assumed is dropped: the next attempt reads the truth. */
  #forget(entries: readonly Entry[]): void {
    for (const key of this.#pictures.keys()) this.#cache.delete(key)
    for (const { needs } of entries) if (needs.conversationId) this.#cache.delete(needs.conversationId)
  }
}

/** Field by field: it is made for every call. */
function viewOf(loaded: Loaded, now: string, conversation: Conversation | null): View {
  const { once, event, receipt, delivery, parts, parked, notification, suppressed, quotaUsed } = loaded
  return { now, conversation, once, event, receipt, delivery, parts, parked, notification, suppressed, quotaUsed }
}

const unavailable = (sentence: string, cause?: unknown) =>
  new GatewayError('unavailable', sentence, { cause, retryAfter: 1 })

function fail(entry: Entry, cause: unknown): void {
  if (entry.settled) return
  entry.settled = true
  entry.reject(cause)
}

function split<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const yes: T[] = []
  const no: T[] = []
  for (const item of items) (test(item) ? yes : no).push(item)
  return [yes, no]
}

/** Calls that turn out to mean the same delivery or receipt are decided one after another, each on what the other wrote. */
function separate(entries: readonly Entry[], loaded: ReadonlyMap<Entry, Loaded>): [Entry[], Entry[]] {
  const taken = new Set<string>()
  return split(entries, (entry) => {
    const read = loaded.get(entry)
    if (!read || entry.settled) return true
    const keys = foundKeys(entry.needs, read)
    if (keys.some((key) => taken.has(key))) return false
    for (const key of keys) taken.add(key)
    return true
  })
}
