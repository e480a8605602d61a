// The conversation store's write path: concurrent updates share one transaction, and the next batch is what arrived meanwhile.
import { blank, type Conversation } from '../model/conversation'
import { GatewayError } from '../model/errors'
import { isInternalDraft, type ConversationEvent, type EventDraft } from '../model/events'
import { evolve } from '../model/evolve'
import { eventId, type ConversationId, type Tenant } from '../model/ids'
import type { Committed, Decision, Needs, View } from './conversation-store'
import { EntryError, type Batch, type ConversationRow, type Engine, type EventRow, type Loaded, type OnceRow, type WriteRow } from './engine'
import { RecentMap } from './recent-map'
import type { Write } from './writes'

/** Calls that may wait at once; more are refused, retryably. */
const MAX_WAITING = 10_000
const MAX_BATCH = 512
/** The promise is a refusal within 2 s; this leaves the answer time to travel. */
const DEADLINE_MS = 1_800
const MAX_CACHED_CONVERSATIONS = 20_000
const MAX_RECENT_KEYS = 50_000
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
}
interface Picture {
  conversation: Conversation
  readonly before: Conversation | null
}
type CommittedListener = (events: readonly ConversationEvent[], writes: readonly Write[]) => void

export class GroupCommit {
  readonly #engine: Engine
  readonly #now: () => Date
  readonly #onFault: (cause: unknown) => void
  readonly #listeners: CommittedListener[] = []
  readonly #cache = new RecentMap<string, Conversation>(MAX_CACHED_CONVERSATIONS)
  readonly #recentKeys = new RecentMap<string, true>(MAX_RECENT_KEYS)
  #queue: Entry[] = []
  #flushing: Promise<void> | null = null
  #closed = false

  constructor(deps: { engine: Engine; now?: () => Date; onFault?: (cause: unknown) => void }) {
    this.#engine = deps.engine
    this.#now = deps.now ?? (() => new Date())
    this.#onFault = deps.onFault ?? (() => undefined)
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
        keys: exclusiveKeys(needs),
        since: performance.now(),
        settled: false,
      })
      this.#flushing ??= this.#flush()
    })
  }

  /** Waits for what was accepted; later calls are refused. */
  async close(): Promise<void> {
    this.#closed = true
    while (this.#flushing) await this.#flushing
  }

  async #flush(): Promise<void> {
    // All that this turn of the event loop brings shares the first batch.
    await new Promise(setImmediate)
    while (this.#queue.length > 0) {
      const batch = this.#take()
      const overdue = setTimeout(() => this.#refuseOverdue(batch), DEADLINE_MS)
      await this.#write(batch)
      clearTimeout(overdue)
    }
    this.#flushing = null
  }

  /** The next batch: in order, but a call whose key another one writes waits for the next batch, and all behind it with its keys. */
  #take(): Entry[] {
    const batch: Entry[] = []
    const later: Entry[] = []
    const taken = new Set<string>()
    for (const entry of this.#queue) {
      const free = batch.length < MAX_BATCH && !entry.keys.some((key) => taken.has(key))
      for (const key of entry.keys) taken.add(key)
      if (!free && entry.needs.conversationId) taken.add(conversationKey(entry.needs.tenant, entry.needs.conversationId))
      ;(free ? batch : later).push(entry)
    }
    this.#queue = later
    return batch
  }

  #refuseOverdue(inFlight: readonly Entry[]): void {
    const stuck = unavailable('The store does not answer. Try again with the same message id.')
    for (const entry of inFlight) fail(entry, stuck)
    const now = performance.now()
    const [late, rest] = split(this.#queue, (entry) => now - entry.since >= DEADLINE_MS / 2)
    this.#queue = rest
    for (const entry of late) fail(entry, stuck)
    // The batch in flight may still be written, and is then announced: only its answer is lost.
    if (this.#flushing) setTimeout(() => this.#refuseWaiting(), DEADLINE_MS / 2)
  }
  #refuseWaiting(): void {
    if (this.#queue.length > 0) this.#refuseOverdue([])
  }

  async #write(entries: readonly Entry[]): Promise<void> {
    try {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const loaded = await this.#load(entries, attempt > 0)
        const made = this.#decide(entries, loaded)
        const batch = toBatch(made, this.#pictures, this.#now().toISOString())
        const outcome = isEmpty(batch) ? 'written' : await this.#engine.commit(batch)
        if (outcome === 'written') return this.#announce(made, batch)
        this.#forget(entries)
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
      const down = unavailable('The store cannot be written. Try again with the same message id.', cause)
      for (const entry of entries) fail(entry, down)
      return
    }
    const [only] = entries
    if (entries.length <= 1) {
      if (only) fail(only, new GatewayError('internal', 'This could not be stored. The log has the details.', { cause }))
      return
    }
    const middle = Math.ceil(entries.length / 2)
    await this.#write(entries.slice(0, middle))
    await this.#write(entries.slice(middle))
  }

  /** Reads only what is not known: a message in a conversation that is at hand costs no read. */
  async #load(entries: readonly Entry[], everything: boolean): Promise<Map<Entry, Loaded>> {
    const unknown = entries.filter((entry) => everything || !this.#isKnown(entry))
    const found = unknown.length > 0 ? await this.#engine.load(unknown.map(({ needs }) => needs)) : []
    return new Map(unknown.map((entry, i) => [entry, found[i] ?? NOTHING]))
  }
  #isKnown({ needs, keys }: Entry): boolean {
    const { conversationId, tenant } = needs
    if (!conversationId || isPrying(needs)) return false
    if (keys.some((key) => this.#recentKeys.has(key))) return false
    return this.#cache.has(conversationKey(tenant, conversationId))
  }

  /** Pictures of the batch that is being decided: each entry sees what those before it decided. */
  #pictures = new Map<string, Picture>()

  #decide(entries: readonly Entry[], loaded: ReadonlyMap<Entry, Loaded>): Made[] {
    this.#pictures = new Map()
    const now = this.#now().toISOString()
    const made: Made[] = []
    for (const entry of entries) {
      if (entry.settled) continue
      try {
        made.push(this.#decideOne(entry, loaded.get(entry), now))
      } catch (cause) {
        fail(entry, cause)
      }
    }
    return made
  }
  #decideOne(entry: Entry, loaded: Loaded | undefined, now: string): Made {
    const { tenant } = entry.needs
    const id = loaded?.conversation?.id ?? entry.needs.conversationId
    const picture = id && this.#picture(tenant, id, loaded?.conversation ?? null)
    const current = (picture && picture.conversation) || null
    const view: View = { ...(loaded ?? NOTHING), now, conversation: current }
    const decision = entry.decide(view)
    const opened = decision.open ? blank(tenant, decision.open.id, decision.open.opening) : null
    const start = opened ?? current
    if (!start) {
      if (decision.events.length > 0) throw new Error('A decision without a conversation cannot have events')
      return { entry, decision, view, conversation: null, events: [] }
    }
    const { conversation, events } = append(start, decision.events, now)
    if (opened) this.#pictures.set(conversationKey(tenant, opened.id), { conversation, before: null })
    else if (picture) picture.conversation = conversation
    return { entry, decision, view, conversation, events }
  }
  #picture(tenant: Tenant, id: ConversationId, loaded: Conversation | null): Picture | null {
    const key = conversationKey(tenant, id)
    const known = this.#pictures.get(key)
    if (known) return known
    const conversation = loaded ?? this.#cache.get(key)
    if (!conversation) return null
    const picture = { conversation, before: conversation }
    this.#pictures.set(key, picture)
    return picture
  }

  /** Now it is true: first the listeners hear it, in order, then the calls return. */
  #announce(made: readonly Made[], batch: Batch): void {
    for (const [key, { conversation }] of this.#pictures) this.#cache.set(key, conversation)
    for (const { entry } of made) for (const key of entry.keys) this.#recentKeys.set(key, true)
    const events = made.flatMap((one) => one.events)
    const writes = batch.writes.map(({ write }) => write)
    if (events.length > 0 || writes.length > 0) for (const hear of this.#listeners) this.#tell(hear, events, writes)
    for (const { entry, ...committed } of made) {
      if (entry.settled) continue
      entry.settled = true
      entry.resolve(committed)
    }
  }

  /** What is written stays acknowledged, whatever a listener does with it. */
  #tell(hear: CommittedListener, events: readonly ConversationEvent[], writes: readonly Write[]): void {
    try {
      hear(events, writes)
    } catch (cause) {
      this.#onFault(cause)
    }
  }

  /** What was only assumed is dropped: the next attempt reads the truth. */
  #forget(entries: readonly Entry[]): void {
    for (const key of this.#pictures.keys()) this.#cache.delete(key)
    for (const { needs } of entries)
      if (needs.conversationId) this.#cache.delete(conversationKey(needs.tenant, needs.conversationId))
  }
}

const NOTHING: Loaded = {
  conversation: null,
  once: null,
  event: null,
  receipt: null,
  delivery: null,
  parts: [],
  parked: [],
  notification: null,
  suppressed: false,
  quotaUsed: 0,
}

const conversationKey = (tenant: Tenant, id: string): string => `${tenant}\n${id}`
const unavailable = (sentence: string, cause?: unknown) => new GatewayError('unavailable', sentence, { cause, retryAfter: 1 })

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

/** Does it ask for more than the conversation and an idempotency key, which is assumed to be new until the commit says otherwise? */
function isPrying(needs: Needs): boolean {
  const { tenant: _tenant, conversationId: _conversationId, once: _once, ...others } = needs
  return Object.values(others).some((need) => need !== undefined)
}

function exclusiveKeys(needs: Needs): string[] {
  const { tenant, once, address, eventId: event, recipient, deliveryId, providerKeys = [], notificationId, quota } = needs
  const keys: string[] = []
  if (once) keys.push(`${tenant}\nonce\n${once.scope}\n${once.key}`)
  if (address) keys.push(`${tenant}\naddress\n${address.channel}\n${address.account}\n${address.refId}`)
  if (event && recipient) keys.push(`${tenant}\nreceipt\n${event}`)
  if (deliveryId) keys.push(`${tenant}\ndelivery\n${deliveryId}`)
  for (const { channel, account, providerId } of providerKeys)
    keys.push(`${tenant}\nprovider\n${channel}\n${account}\n${providerId}`)
  if (notificationId) keys.push(`${tenant}\nnotification\n${notificationId}`)
  if (quota) keys.push(`${tenant}\nquota\n${quota.keyId}`)
  return keys
}

function append(start: Conversation, drafts: readonly EventDraft[], at: string) {
  const events: ConversationEvent[] = []
  let conversation = start
  for (const draft of drafts) {
    const event = stamp(conversation, draft, at)
    conversation = evolve(conversation, event)
    events.push(event)
  }
  return { conversation, events }
}

function stamp(conversation: Conversation, draft: EventDraft, at: string): ConversationEvent {
  const { tenant, id: conversationId } = conversation
  const position = conversation.position + 1
  if (isInternalDraft(draft)) {
    const place = { position, publicPosition: null }
    return { ...draft, tenant, conversationId, ...place, id: eventId(conversationId, place), at }
  }
  const place = { position, publicPosition: conversation.publicPosition + 1 }
  return { ...draft, tenant, conversationId, ...place, id: eventId(conversationId, place), at }
}

function toBatch(made: readonly Made[], pictures: ReadonlyMap<string, Picture>, now: string): Batch {
  const conversations: ConversationRow[] = []
  for (const { conversation, before } of pictures.values()) {
    if (before === conversation) continue
    const expected = before?.position ?? null
    conversations.push({ conversation, expected, pictureChanged: !before || pictureChanged(before, conversation) })
  }
  return {
    now,
    conversations,
    events: made.flatMap(({ events }) => events.map(toEventRow)),
    once: made.flatMap(toOnceRow),
    writes: made.flatMap(toWriteRows),
  }
}
const isEmpty = (batch: Batch): boolean =>
  batch.conversations.length + batch.events.length + batch.once.length + batch.writes.length === 0

function pictureChanged(before: Conversation, after: Conversation): boolean {
  return (
    before.status !== after.status || before.memberships !== after.memberships || before.idleWarned !== after.idleWarned
  )
}
function toEventRow(event: ConversationEvent): EventRow {
  const { tenant, conversationId, position, publicPosition } = event
  return { tenant, conversationId, position, publicPosition, body: JSON.stringify(event) }
}
function toOnceRow({ entry: { needs }, decision: { once }, conversation, events }: Made): OnceRow[] {
  if (!once || !needs.once) return []
  return [
    {
      tenant: needs.tenant,
      ...needs.once,
      ...once,
      conversationId: conversation?.id ?? '',
      position: events[0]?.position ?? 0,
    },
  ]
}
function toWriteRows({ entry, decision, events }: Made): WriteRow[] {
  const { tenant } = entry.needs
  return (decision.writes ?? []).map((write) => ({ tenant, write: named(write, events[0]) }))
}
/** `'first'` is the id of the decision's first event, known only now. */
function named(write: Write, first: ConversationEvent | undefined): Write {
  const isFirst =
    (write.kind === 'receipt' && write.messageId === 'first') ||
    (write.kind === 'deliver' && write.delivery.messageId === 'first')
  if (!isFirst) return write
  if (!first) throw new Error(`A write '${write.kind}' names the first event of a decision that has none`)
  if (write.kind === 'receipt') return { ...write, messageId: first.id }
  return { ...write, delivery: { ...write.delivery, messageId: first.id } }
}
