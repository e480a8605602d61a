// Hands due deliveries to the connectors that are registered on this node, and settles what they answer.
import type { Bus } from '../bus/bus'
import type { DeliveryId, Tenant } from '../model/ids'
import { newId } from '../model/new-id'
import type { DeliveryStore, Share } from '../store/delivery-store'
import type { Delivery, ProviderKey } from '../store/records'
import type { Conversations } from './conversations'
import type { Outcome } from './delivery-rules'
import { pauseBefore } from './pause'

/** Deliveries that one carrier has in hand at once; each is for another recipient. */
const WINDOW = 64
/** A lease outlives the wait for an answer, so that nobody else delivers meanwhile. */
const LEASE_MS = 60_000
/** Attempts after which a delivery is a dead letter: about two hours of growing pauses. */
const MAX_ATTEMPTS = 20
/** Attempts after which even one that was never answered is: a delivery that breaks its connector must not do so for ever. */
const MAX_UNANSWERED = 100
const MAX_REASON = 256
/** Before the store is asked again that did not answer. */
const AFTER_FAULT_MS = 1_000

/** What a connector says to a delivery. */
export type Answer =
  | { readonly type: 'accepted'; readonly providerIds: readonly string[] }
  | {
      readonly type: 'refused'
      readonly reason: string
      readonly retryable: boolean
      readonly retryAfter: number | null
    }
  /** Its connection was lost: the delivery is due again at once. */
  | { readonly type: 'gone' }

/** A registered connector on this node. */
export interface Carrier {
  readonly tenant: Tenant
  readonly channel: string
  /** Empty: every account of the channel. */
  readonly account: string
  /** False: it never answers; a delivery counts as handed over when it is written. */
  readonly acknowledges: boolean
  /** What it may take now, of what others take too; absent or undefined: everything. Rejects when that is not known. */
  share?(): Promise<Share | undefined>
  /** Writes the delivery and waits for the answer, within a deadline of its own. */
  carry(delivery: Delivery): Promise<Answer>
}

interface Deps {
  readonly conversations: Conversations
  readonly deliveries: DeliveryStore
  readonly bus: Bus
  readonly onFault?: (cause: unknown) => void
  readonly onSettled?: (channel: string, outcome: 'done' | 'retried' | 'dead' | 'expired') => void
  readonly now?: () => Date
  readonly random?: () => number
  /** Milliseconds by a clock that nobody sets. */
  readonly elapsed?: () => number
  readonly leaseMs?: number
  /** On a bus that may lose a wake: milliseconds after which a carrier looks by itself; 0: never. */
  readonly sweepMs?: number
}

export class Outbox {
  readonly #deps: Required<Deps>
  readonly #pumps = new Set<Pump>()
  readonly #unsubscribe: () => void

  constructor(deps: Deps) {
    this.#deps = {
      onFault: () => undefined,
      onSettled: () => undefined,
      now: () => new Date(),
      random: Math.random,
      elapsed: () => performance.now(),
      leaseMs: LEASE_MS,
      ...deps,
      sweepMs: deps.bus.isLossy ? (deps.sweepMs ?? 0) : 0,
    }
    this.#unsubscribe = deps.bus.subscribe({
      wake: (channel, account) => this.wake(channel, account),
      missed: () => this.#pumps.forEach((pump) => pump.run()),
    })
  }

  /** From here on the carrier gets what is due; the answer takes it out again and gives back what it holds. */
  register(carrier: Carrier): () => Promise<void> {
    const pump = new Pump(carrier, this.#deps)
    const { channel, account } = carrier
    const { bus, onFault } = this.#deps
    this.#pumps.add(pump)
    pump.run()
    // Once more, for what fell due elsewhere before the bus knew that wakes are wanted here.
    if (bus.isLossy) bus.join({ channel }).then(() => pump.run(), onFault)
    return async () => {
      this.#pumps.delete(pump)
      if (![...this.#pumps].some((other) => other.carries(channel))) bus.leave({ channel })
      await pump.stop()
      // What was given back is taken up by others, on whatever node.
      bus.wake(channel, account)
    }
  }

  /** Has the carriers on this node look for what is due there. */
  wake(channel: string, account: string): void {
    for (const pump of this.#pumps) if (pump.serves(channel, account)) pump.run()
  }

  /** Deliveries that were given up, oldest first, after this id; at most `limit`. */
  deadLetters(tenant: Tenant, page: { after: string; limit: number }): Promise<Delivery[]> {
    return this.#deps.deliveries.deadLetters(tenant, page.after, page.limit)
  }
  /** Tries a dead letter again from the beginning, its receipt open again; false when it is none. */
  async replay(tenant: Tenant, id: DeliveryId): Promise<boolean> {
    const replayed = await this.#deps.deliveries.replay(tenant, id)
    if (replayed) for (const pump of this.#pumps) pump.run()
    return replayed
  }

  /** Stops leasing and gives back what is held. */
  async close(): Promise<void> {
    this.#unsubscribe()
    await Promise.all([...this.#pumps].map((pump) => pump.stop()))
    for (const { carrier } of this.#pumps) {
      this.#deps.bus.leave({ channel: carrier.channel })
      this.#deps.bus.wake(carrier.channel, carrier.account)
    }
    this.#pumps.clear()
  }
}

/** Keeps one carrier supplied. */
class Pump {
  readonly #lease = newId()
  #inHand = 0
  #claiming = false
  #again = false
  #stopped = false
  #timer: NodeJS.Timeout | null = null
  #round: Promise<void> = Promise.resolve()
  readonly #settling = new Set<Promise<unknown>>()

  constructor(
    readonly carrier: Carrier,
    private readonly deps: Required<Deps>,
  ) {}

  carries(channel: string): boolean {
    return this.carrier.channel === channel
  }
  serves(channel: string, account: string): boolean {
    return this.carrier.channel === channel && (this.carrier.account === '' || this.carrier.account === account)
  }

  run(): void {
    this.#again = true
    if (this.#claiming || this.#stopped) return
    this.#claiming = true
    this.#round = this.#claim().then(
      () => this.#rest(null),
      (cause: unknown) => {
        this.deps.onFault(cause)
        this.#rest(AFTER_FAULT_MS)
      },
    )
  }
  /** After a fault a wake waits with the rest; otherwise whoever was woken meanwhile goes on at once. */
  #rest(ms: number | null): void {
    this.#claiming = false
    if (ms !== null) this.#later(ms)
    else if (this.#wantsMore()) this.run()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer) clearTimeout(this.#timer)
    // What a claim under way still brings is given back too.
    await this.#round
    // What was answered is no longer to be given back, and the store says within 2 s whether that is written.
    await Promise.allSettled(this.#settling)
    await this.deps.deliveries.release(this.carrier.tenant, this.#lease).catch(this.deps.onFault)
  }

  async #claim(): Promise<void> {
    while (this.#wantsMore()) {
      this.#again = false
      const share = await this.carrier.share?.()
      if (this.#isStopped()) return
      const isAll = await this.#take(share)
      if (this.#isStopped()) return
      if (!isAll) this.#again = true
    }
    if (!this.#isWoken() && !this.#isStopped()) await this.#sleepUntilDue()
  }
  /** One claim, and what it gives on its way; false when there is more. */
  async #take(share: Share | undefined): Promise<boolean> {
    const { tenant, channel, account } = this.carrier
    const { deliveries, leaseMs, elapsed } = this.deps
    const limit = WINDOW - this.#inHand
    const since = elapsed()
    const claimed = await deliveries.claim(tenant, { channel, account, lease: this.#lease, limit, leaseMs, share })
    if (this.#isStopped() || claimed.length === 0) return true
    // This node slept while it was answered: what it was given is others' by now, and it must not act on it.
    if (elapsed() - since >= leaseMs) return false
    for (const delivery of claimed) void this.#deliver(delivery)
    return claimed.length < limit
  }
  async #sleepUntilDue(): Promise<void> {
    const { tenant, channel, account } = this.carrier
    const { deliveries, sweepMs } = this.deps
    const share = await this.carrier.share?.()
    const due = await deliveries.nextDueIn(tenant, { channel, account, share })
    const wait = sweepMs > 0 ? Math.min(due ?? sweepMs, sweepMs) : due
    // Woken while it asked: what came meanwhile must not wait for the timer.
    if (wait !== null && !this.#isWoken()) this.#later(wait)
  }
  // Asked again after every wait.
  #isStopped(): boolean {
    return this.#stopped
  }
  #isWoken(): boolean {
    return this.#again
  }
  #wantsMore(): boolean {
    return this.#again && this.#inHand < WINDOW && !this.#stopped
  }
  #later(ms: number): void {
    if (this.#timer) clearTimeout(this.#timer)
    if (this.#stopped) return
    this.#timer = setTimeout(
      () => {
        this.#timer = null
        this.run()
      },
      Math.max(10, Math.min(ms, this.deps.leaseMs)),
    )
  }

  async #deliver(delivery: Delivery): Promise<void> {
    this.#inHand += 1
    try {
      await (this.carrier.acknowledges ? this.#deliverAcknowledged(delivery) : this.#handOver(delivery))
    } catch (cause) {
      // The lease runs out and the delivery falls due again, with the same id.
      this.deps.onFault(cause)
    } finally {
      this.#inHand -= 1
      this.run()
    }
  }

  async #deliverAcknowledged(delivery: Delivery): Promise<void> {
    const answer = this.#lost(delivery) ?? (await this.#carry(delivery))
    if (answer.type === 'gone') return
    await this.#settle(delivery, this.#outcomeOf(delivery, answer))
  }
  /** What makes no sense to carry. */
  #lost(delivery: Delivery): Refusal | null {
    if (this.#isExpired(delivery)) return EXPIRED
    return delivery.attempts > MAX_UNANSWERED ? UNANSWERED : null
  }
  /** What fails before it is on its way is tried again later, like what a connector refuses. */
  async #carry(delivery: Delivery): Promise<Answer> {
    try {
      return await this.carrier.carry(delivery)
    } catch (cause) {
      this.deps.onFault(cause)
      return FAULT
    }
  }
  /** At most once: it counts as handed over before it is written. */
  async #handOver(delivery: Delivery): Promise<void> {
    if (this.#isExpired(delivery)) await this.#settle(delivery, this.#outcomeOf(delivery, EXPIRED))
    else if (await this.#settle(delivery, { type: 'handedOver' })) await this.carrier.carry(delivery)
  }
  async #settle(delivery: Delivery, outcome: Outcome): Promise<boolean> {
    const settling = this.deps.conversations.settle(this.carrier.tenant, delivery, outcome)
    this.#settling.add(settling)
    const settled = await settling.finally(() => this.#settling.delete(settling))
    if (settled) this.deps.onSettled(this.carrier.channel, resultOf(outcome))
    return settled
  }

  #isExpired({ expiresAt }: Delivery): boolean {
    return expiresAt !== null && expiresAt <= this.deps.now().toISOString()
  }
  #outcomeOf(delivery: Delivery, answer: Exclude<Answer, { type: 'gone' }>): Outcome {
    if (answer.type === 'accepted') return { type: 'accepted', keys: keysOf(delivery, answer.providerIds) }
    const { retryable, retryAfter } = answer
    const reason = answer.reason.slice(0, MAX_REASON) || 'refused'
    if (!retryable || delivery.attempts >= MAX_ATTEMPTS) return { type: 'failed', reason, retryAt: null }
    const pause = pauseBefore(delivery.attempts, retryAfter, this.deps.random)
    return { type: 'failed', reason, retryAt: new Date(this.deps.now().getTime() + pause).toISOString() }
  }
}

type Refusal = Extract<Answer, { type: 'refused' }>
const refusal = (reason: string, retryable: boolean): Refusal => ({
  type: 'refused',
  reason,
  retryable,
  retryAfter: null,
})
const EXPIRED = refusal('expired', false)
const UNANSWERED = refusal('unanswered', false)
const FAULT = refusal('fault', true)

function resultOf(outcome: Outcome): 'done' | 'retried' | 'dead' | 'expired' {
  if (outcome.type !== 'failed') return 'done'
  if (outcome.retryAt !== null) return 'retried'
  return outcome.reason === EXPIRED.reason ? 'expired' : 'dead'
}

function keysOf({ to: { channel, account } }: Delivery, ids: readonly string[]): ProviderKey[] {
  return [...new Set(ids)].map((providerId) => ({ channel, account, providerId }))
}
