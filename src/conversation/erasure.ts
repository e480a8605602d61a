// Erases conversations and customers: step by step, so that nobody's message waits for it, and to the end, whoever dies.
import type { Bus } from '../bus/bus'
import { GatewayError, notYours } from '../model/errors'
import { isErased } from '../model/erased'
import type { ConversationId, Place, Tenant } from '../model/ids'
import { newId } from '../model/new-id'
import type { Address } from '../model/participant'
import type { ConversationStore } from '../store/conversation-store'
import type { Claimed, Custody, CustodyStore, Due, Hold, Who } from '../store/custody-store'
import type { ErasedAddress, ErasureStore, Scrubbed } from '../store/erasure-store'
import { requestScope } from './conversations'
import { endForErasure, GATEWAY, recordErasure, type Eraser } from './erasure-rules'
import type { Keeping, Retention } from './retention'

/** Events of one step: what a commit waits for at most. */
const EVENTS_AT_ONCE = 100
const ROWS_AT_ONCE = 250
const NOTIFICATIONS_AT_ONCE = 50
/** Conversations of a customer that are looked up at once. */
const PAGE = 200
/** Erasures of the background that are taken at once, and for how long: others may go on with what is not done by then. */
const CLAIM = { limit: 20, claimMs: 5 * 60_000 }

/** What was removed, counted. What was erased before is not counted again. */
export interface Receipt {
  readonly id: string
  /** ISO 8601. */
  readonly at: string
  readonly conversations: number
  /** Events that said something or named somebody. Their places, times, types, roles and ids are kept. */
  readonly events: number
  readonly deliveries: number
  /** Notifications whose address was removed. */
  readonly notifications: number
  readonly files: number
  /**
   * `keptAsHash`: an opt-out is kept, or whoever forbade notifications would get them again; only a hash of the address
   * is left of it.
   */
  readonly suppression: 'none' | 'keptAsHash'
  /** What became of the bytes: see `Scrubbed`. */
  readonly storage: Scrubbed
}
type Counts = Pick<Receipt, 'conversations' | 'events' | 'deliveries' | 'notifications' | 'files'>
const NOTHING: Counts = { conversations: 0, events: 0, deliveries: 0, notifications: 0, files: 0 }

export interface ErasureDeps {
  readonly store: ConversationStore
  readonly custody: CustodyStore
  readonly erasures: ErasureStore
  readonly bus: Bus
  readonly retention: Retention
  readonly now?: () => Date
  /**
   * Deletes what was uploaded to a conversation, while its events still tell. Deleting twice is a success; the second time
   * it counts nothing.
   */
  readonly onErase?: (place: Place) => Promise<{ readonly files: number }>
}

export class Erasure {
  readonly #deps: Required<ErasureDeps>

  constructor(deps: ErasureDeps) {
    this.#deps = { now: () => new Date(), onErase: async () => ({ files: 0 }), ...deps }
  }

  /**
   * Ends a conversation, if it lives, and removes all that was said in it and who said it.
   * @throws GatewayError `notFound`; `conflict` when it is held; `unavailable` when the store gives way: what was begun
   *   goes on by itself then, and a repeat goes on with it at once
   */
  async eraseConversation(place: Place, eraser: Eraser): Promise<Receipt> {
    const counts = await this.#eraseOne(place, eraser)
    if (!counts) throw notYours()
    return this.#receipt(counts, false)
  }

  /**
   * Removes every conversation of a customer, and what was sent to them besides. What they open from now on is new.
   * @throws GatewayError `conflict` when any of their conversations is held: then nothing is begun
   */
  async eraseCustomer(tenant: Tenant, who: Who, eraser: Eraser): Promise<Receipt> {
    for await (const conversationId of this.#conversationsOf(tenant, who))
      if ((await this.#deps.custody.find({ tenant, conversationId }))?.hold) throw held()
    const since = this.#deps.now().toISOString()
    await this.#deps.custody.intend(tenant, who, since)
    return this.#eraseAll(tenant, { ...who, since }, eraser)
  }
  /** In their order, each page read when the one before is done. */
  async *#conversationsOf(tenant: Tenant, who: Who): AsyncGenerator<ConversationId> {
    let after = ''
    for (;;) {
      const page = await this.#deps.custody.conversationsOf(tenant, who, after, PAGE)
      yield* page
      const last = page.at(-1)
      if (!last || page.length < PAGE) return
      after = last
    }
  }
  async #eraseAll(tenant: Tenant, who: Claimed['customers'][number], eraser: Eraser): Promise<Receipt> {
    try {
      return await this.#eraseEverything(tenant, who, eraser)
    } catch (cause) {
      // Held since it was looked at: what nobody may do now is not done later either, unless somebody asks for it again.
      if (isConflict(cause)) await this.#deps.custody.fulfilled(tenant, who)
      throw cause
    }
  }
  async #eraseEverything(tenant: Tenant, who: Claimed['customers'][number], eraser: Eraser): Promise<Receipt> {
    const { custody, store } = this.#deps
    let counts = NOTHING
    for await (const conversationId of this.#conversationsOf(tenant, who)) {
      const place = { tenant, conversationId }
      const found = await store.find(tenant, conversationId)
      // They came back since: that is not what was to be erased.
      if (found && found.opening.at <= who.since) counts = sum(counts, (await this.#eraseOne(place, eraser)) ?? NOTHING)
    }
    const sent = await this.#eraseAddress(tenant, who)
    await custody.fulfilled(tenant, who)
    return this.#receipt(sum(counts, { ...NOTHING, ...sent.counts }), sent.suppressed)
  }
  async #eraseAddress(tenant: Tenant, who: Who) {
    let [notifications, deliveries, suppressed] = [0, 0, false]
    let page: ErasedAddress
    do {
      page = await this.#deps.erasures.eraseAddress(tenant, who, NOTIFICATIONS_AT_ONCE)
      notifications += page.notifications
      deliveries += page.deliveries
      suppressed ||= page.suppressed
    } while (page.notifications === NOTIFICATIONS_AT_ONCE)
    return { counts: { notifications, deliveries }, suppressed }
  }

  /** Null: there is no such conversation. @throws GatewayError `conflict` when it is held */
  async #eraseOne(place: Place, eraser: Eraser): Promise<Counts | null> {
    const { store, custody, bus } = this.#deps
    const { tenant, conversationId } = place
    const found = await store.find(tenant, conversationId)
    if (!found) return null
    const known = await custody.find(place)
    const address = known?.address ?? found.opening.address
    const state = await custody.begin(place, address)
    if (state === 'held') throw held()
    if (state === 'done') return NOTHING
    const removed = await this.#removeContent(place, eraser)
    await this.#removeRest(place, address)
    await custody.erased(place)
    store.forget(conversationId)
    bus.announce({ kind: 'erased', tenant, conversationId })
    return { ...NOTHING, ...removed, conversations: 1 }
  }
  /** Again from where it stopped for as long as somebody writes behind it: a receipt may come after the end. */
  async #removeContent({ tenant, conversationId }: Place, eraser: Eraser) {
    const place = { tenant, conversationId }
    const { store, erasures, onErase } = this.#deps
    await store.update(place, endForErasure)
    const { files } = await onErase(place)
    let [upTo, events, deliveries] = [0, 0, 0]
    for (;;) {
      const page = await erasures.eraseEvents(place, upTo, EVENTS_AT_ONCE)
      const isWhole = page.last < upTo + EVENTS_AT_ONCE
      upTo = page.last
      events += page.events
      deliveries += page.deliveries
      if (!isWhole) continue
      const counts = { events, deliveries, files }
      const { decision } = await store.update(place, (view) => recordErasure(view, { upTo, counts, eraser }))
      if (decision.isComplete) return counts
      // Either the log has grown, or the picture at hand is older than the log: a decision without events finds out neither.
      store.forget(conversationId)
    }
  }
  async #removeRest(place: Place, address: Address): Promise<void> {
    const hanging = { address, scope: requestScope(address) }
    while ((await this.#deps.erasures.eraseRest(place, hanging, ROWS_AT_ONCE)) > 0);
  }

  /** Bytes last: what is seen to then is all that was removed. */
  async #receipt(counts: Counts, suppressed: boolean): Promise<Receipt> {
    const storage = await this.#deps.erasures.scrub()
    const at = this.#deps.now().toISOString()
    return { id: newId(), at, ...counts, suppression: suppressed ? 'keptAsHash' : 'none', storage }
  }

  /**
   * Holds a conversation, or lets it go (null). Answers how it stands.
   * @throws GatewayError `notFound`; `conflict` when its erasure has begun
   */
  async hold(place: Place, hold: Hold | null): Promise<Custody> {
    const { store, custody } = this.#deps
    const found = await store.find(place.tenant, place.conversationId)
    if (!found) throw notYours()
    const isKept = !isErased(found) && (await custody.hold(place, found.opening.address, hold))
    const standing = isKept ? await custody.find(place) : null
    if (standing) return standing
    throw new GatewayError('conflict', 'This conversation is being erased or was erased. There is nothing to hold.')
  }
  /** How long what ended is kept, by channel. */
  get rules(): readonly Keeping[] {
    return this.#deps.retention.rules
  }
  /** What is held, and what is due and will be erased within a few minutes. */
  due(tenant: Tenant): Promise<Due[]> {
    return this.#deps.custody.due(tenant, this.#endedBefore())
  }
  #endedBefore(): (channel: string) => string | null {
    const { retention, now } = this.#deps
    const at = now()
    return (channel) => retention.endedBefore(channel, at)
  }

  /**
   * Takes what was left lying and what is due, as far as others have not, and erases it. Answers whether there may be more.
   * @param isClosing asked between two erasures; what is left then is taken up by others when the claim has run out
   */
  async catchUp(tenant: Tenant, isClosing: () => boolean): Promise<boolean> {
    const { custody, erasures } = this.#deps
    const claimed = await custody.claim(tenant, this.#endedBefore(), CLAIM)
    const { conversations, customers } = claimed
    if (conversations.length + customers.length === 0) return false
    for (const conversationId of conversations) {
      if (isClosing()) return false
      await this.#eraseOne({ tenant, conversationId }, GATEWAY).catch(unlessHeld)
    }
    for (const who of customers) {
      if (isClosing()) return false
      await this.#eraseAll(tenant, who, GATEWAY).catch(unlessHeld)
    }
    if (conversations.length > 0) await erasures.scrub()
    return conversations.length === CLAIM.limit || customers.length === CLAIM.limit
  }
}

function sum(a: Counts, b: Counts): Counts {
  return {
    conversations: a.conversations + b.conversations,
    events: a.events + b.events,
    deliveries: a.deliveries + b.deliveries,
    notifications: a.notifications + b.notifications,
    files: a.files + b.files,
  }
}

const held = (): GatewayError =>
  new GatewayError('conflict', 'A legal hold keeps this from being erased. Have the hold lifted first.')
/** Somebody was faster with a hold. */
function unlessHeld(cause: unknown): void {
  if (!isConflict(cause)) throw cause
}
const isConflict = (cause: unknown): boolean => cause instanceof GatewayError && cause.code === 'conflict'
