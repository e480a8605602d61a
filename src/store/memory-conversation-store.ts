// Conversations in memory: written by group commit, like everywhere.
import type { Conversation, Status } from '../model/conversation'
import type { ConversationEvent, PublicEvent } from '../model/events'
import type { ConversationId, Tenant } from '../model/ids'
import type { Committed, ConversationStore, Decision, IdleClaim, LogPage, Needs, View } from './conversation-store'
import type { GroupCommit } from './group-commit'
import { keyOf, type MemoryTables } from './memory-tables'
import { isDue, type Silence } from '../model/silence'
import { readEvent, readPublicEvent } from '../model/stored-event'

export class MemoryConversationStore implements ConversationStore {
  readonly #tables: MemoryTables
  readonly #writing: GroupCommit
  readonly #now: () => Date
  /** Until when a silent conversation is claimed, in milliseconds since 1970. */
  readonly #claims = new Map<string, number>()

  constructor(deps: { tables: MemoryTables; writing: GroupCommit; now: () => Date }) {
    this.#tables = deps.tables
    this.#writing = deps.writing
    this.#now = deps.now
  }

  update<D extends Decision>(needs: Needs, decide: (view: View) => D): Promise<Committed<D>> {
    return this.#writing.update(needs, decide)
  }
  onCommitted(listener: Parameters<ConversationStore['onCommitted']>[0]): void {
    this.#writing.onCommitted(listener)
  }
  heard(events: readonly ConversationEvent[]): void {
    this.#writing.heard(events)
  }
  forget(id: ConversationId): void {
    this.#writing.forget(id)
  }

  async find(tenant: Tenant, id: ConversationId): Promise<Conversation | null> {
    return this.#tables.conversations.get(keyOf(tenant, id)) ?? null
  }
  async events(tenant: Tenant, id: ConversationId, after: number, limit: number): Promise<ConversationEvent[]> {
    return (await this.storedEvents({ tenant, id, audience: 'staff', after, limit })).map(readEvent)
  }
  async publicEvents(tenant: Tenant, id: ConversationId, after: number, limit: number): Promise<PublicEvent[]> {
    return (await this.storedEvents({ tenant, id, audience: 'public', after, limit })).map(readPublicEvent)
  }
  /** Positions have no gaps, so the next one is simply looked up. */
  async storedEvents({ tenant, id, audience, after, limit }: LogPage): Promise<string[]> {
    const { events, positions } = this.#tables
    const found: string[] = []
    while (found.length < limit) {
      const place = after + found.length + 1
      const position = audience === 'staff' ? place : positions.get(keyOf(tenant, id, place))
      const body = position === undefined ? undefined : events.get(keyOf(tenant, id, position))
      if (body === undefined) break
      found.push(body)
    }
    return found
  }

  async positions(tenant: Tenant, ids: readonly ConversationId[]): Promise<ReadonlyMap<ConversationId, number>> {
    const found = ids.flatMap((id): [ConversationId, number][] => {
      const conversation = this.#tables.conversations.get(keyOf(tenant, id))
      return conversation ? [[id, conversation.position]] : []
    })
    return new Map(found)
  }
  async list(tenant: Tenant, status: Status, after: string, limit: number): Promise<Conversation[]> {
    const found = this.#all(tenant).filter((conversation) => conversation.status === status && conversation.id > after)
    return found.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit)
  }
  async claimIdle(tenant: Tenant, silence: Silence, { limit, claimMs }: IdleClaim): Promise<Conversation[]> {
    const now = this.#now().getTime()
    for (const [key, until] of this.#claims) if (until <= now) this.#claims.delete(key)
    const isFree = ({ id }: Conversation) => !this.#claims.has(keyOf(tenant, id))
    const due = this.#all(tenant).filter((conversation) => isDue(conversation, silence) && isFree(conversation))
    const found = due.sort((a, b) => (a.activeAt < b.activeAt ? -1 : 1)).slice(0, limit)
    for (const { id } of found) this.#claims.set(keyOf(tenant, id), now + claimMs)
    return found
  }
  #all(tenant: Tenant): Conversation[] {
    return [...this.#tables.conversations.values()].filter((conversation) => conversation.tenant === tenant)
  }
}
