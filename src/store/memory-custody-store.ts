// Custody in memory: beside the tables, what nobody else writes.
import type { Conversation } from '../model/conversation'
import { isErased } from '../model/erased'
import type { ConversationId, Place, Tenant } from '../model/ids'
import type { Address } from '../model/participant'
import { IN_HAND_MS, MAX_COUNTED, type Custody, type CustodyStore, type Due, type EndedBefore } from './custody-store'
import type { Claimed, Hold, Who } from './custody-store'
import { keyOf, type MemoryTables } from './memory-tables'

interface Kept {
  readonly hold: Custody['hold']
  readonly erasure: Custody['erasure']
  readonly erasedAt: string
  /** Milliseconds since 1970. */
  readonly claimedUntil: number
}
interface Erasing {
  readonly tenant: Tenant
  readonly who: Claimed['customers'][number]
  claimedUntil: number
}
const FREE: Kept = { hold: null, erasure: 'none', erasedAt: '', claimedUntil: 0 }

export class MemoryCustodyStore implements CustodyStore {
  readonly #tables: MemoryTables
  readonly #now: () => Date
  readonly #kept = new Map<string, Kept>()
  readonly #erasing = new Map<string, Erasing>()

  constructor(deps: { tables: MemoryTables; now: () => Date }) {
    this.#tables = deps.tables
    this.#now = deps.now
  }

  async find({ tenant, conversationId }: Place): Promise<Custody | null> {
    const conversation = this.#tables.conversations.get(keyOf(tenant, conversationId))
    if (!conversation) return null
    const { hold, erasure } = this.#of(conversation)
    const { address } = conversation.opening
    const refId = erasure === 'done' ? '' : address.refId
    return { conversationId, address: { ...address, refId }, endedAt: conversation.endedAt, hold, erasure }
  }
  async conversationsOf(tenant: Tenant, who: Who, after: string, limit: number): Promise<ConversationId[]> {
    const found = this.#all(tenant).filter(
      (one) => isAt(one.opening.address, who) && one.id > after && this.#of(one).erasure !== 'done',
    )
    return found
      .map(({ id }) => id)
      .sort()
      .slice(0, limit)
  }

  async hold({ tenant, conversationId: id }: Place, _address: Address, hold: Hold | null): Promise<boolean> {
    const kept = this.#of({ tenant, id })
    if (kept.erasure !== 'none') return false
    const since = kept.hold?.since ?? this.#now().toISOString()
    this.#kept.set(keyOf(tenant, id), { ...kept, hold: hold && { reason: hold.reason, since } })
    return true
  }
  async begin({ tenant, conversationId: id }: Place): Promise<'due' | 'held' | 'done'> {
    const kept = this.#of({ tenant, id })
    if (kept.hold) return 'held'
    if (kept.erasure === 'done') return 'done'
    this.#kept.set(keyOf(tenant, id), { ...kept, erasure: 'due', claimedUntil: this.#ms + IN_HAND_MS })
    return 'due'
  }
  async erased({ tenant, conversationId: id }: Place): Promise<void> {
    if (this.#of({ tenant, id }).erasure !== 'due') return
    this.#kept.set(keyOf(tenant, id), { ...FREE, erasure: 'done', erasedAt: this.#now().toISOString() })
  }
  async intend(tenant: Tenant, who: Who, since: string): Promise<void> {
    this.#erasing.set(whoKey(tenant, who), { tenant, who: { ...who, since }, claimedUntil: this.#ms + IN_HAND_MS })
  }
  async fulfilled(tenant: Tenant, who: Who): Promise<void> {
    this.#erasing.delete(whoKey(tenant, who))
  }

  async claim(tenant: Tenant, endedBefore: EndedBefore, claim: { limit: number; claimMs: number }): Promise<Claimed> {
    const { limit, claimMs } = claim
    const isFree = (one: Conversation) => this.#of(one).claimedUntil <= this.#ms
    const begun = this.#all(tenant).filter((one) => this.#of(one).erasure === 'due' && isFree(one))
    const over = this.#over(tenant, endedBefore).filter(isFree)
    const found = [...begun, ...over].slice(0, limit)
    const claimedUntil = this.#ms + claimMs
    for (const one of found) this.#kept.set(keyOf(tenant, one.id), { ...this.#of(one), claimedUntil })
    const left = [...this.#erasing.values()].filter((one) => one.tenant === tenant && one.claimedUntil <= this.#ms)
    const customers = left.slice(0, limit)
    for (const one of customers) one.claimedUntil = claimedUntil
    return { conversations: found.map(({ id }) => id), customers: customers.map(({ who }) => who) }
  }
  async due(tenant: Tenant, endedBefore: EndedBefore): Promise<Due[]> {
    const found = new Map<string, Due>()
    const count = ({ opening }: Conversation, what: 'due' | 'held') => {
      const { channel } = opening.address
      const known = found.get(channel) ?? { channel, due: 0, held: 0 }
      found.set(channel, { ...known, [what]: Math.min(known[what] + 1, MAX_COUNTED) })
    }
    for (const one of this.#over(tenant, endedBefore)) count(one, 'due')
    for (const one of this.#all(tenant)) if (this.#of(one).hold) count(one, 'held')
    return [...found.values()].sort((a, b) => (a.channel < b.channel ? -1 : 1))
  }
  async erasedSince(tenant: Tenant, since: string, limit: number): Promise<{ id: ConversationId; at: string }[]> {
    const found = this.#all(tenant).flatMap(({ id }) => {
      const { erasure, erasedAt: at } = this.#of({ tenant, id })
      return erasure === 'done' && at >= since ? [{ id, at }] : []
    })
    return found.sort((a, b) => (a.at < b.at ? -1 : 1)).slice(0, limit)
  }

  /** Those whose time is over, by channel and the longest ended first. */
  #over(tenant: Tenant, endedBefore: EndedBefore): Conversation[] {
    const over = this.#all(tenant).filter((one) => {
      const { hold, erasure } = this.#of(one)
      const before = endedBefore(one.opening.address.channel)
      return before !== null && one.status === 'ended' && one.endedAt < before && !hold && erasure === 'none'
    })
    const order = ({ opening, endedAt }: Conversation) => `${opening.address.channel}\n${endedAt}`
    return over.filter((one) => !isErased(one)).sort((a, b) => (order(a) < order(b) ? -1 : 1))
  }
  #of({ tenant, id }: Pick<Conversation, 'tenant' | 'id'>): Kept {
    return this.#kept.get(keyOf(tenant, id)) ?? FREE
  }
  #all(tenant: Tenant): Conversation[] {
    return [...this.#tables.conversations.values()].filter((conversation) => conversation.tenant === tenant)
  }
  get #ms(): number {
    return this.#now().getTime()
  }
}

const whoKey = (tenant: Tenant, { channel, account, refId }: Who): string =>
  keyOf(tenant, channel, account ?? '', refId, account === null ? 1 : 0)

/** Is it this customer's? */
export const isAt = (address: Address, { channel, account, refId }: Who): boolean =>
  address.channel === channel && address.refId === refId && (account === null || address.account === account)
