// A map by place: ids as they stand in events are looked up, without a joined key to make and hash for each of them.
import type { ConversationId, Place, Tenant } from './ids'

export class PlaceMap<V> {
  readonly #tenants = new Map<Tenant, Map<ConversationId, V>>()

  get({ tenant, conversationId }: Place): V | undefined {
    return this.#tenants.get(tenant)?.get(conversationId)
  }
  set({ tenant, conversationId }: Place, value: V): void {
    const known = this.#tenants.get(tenant)
    if (known) known.set(conversationId, value)
    else this.#tenants.set(tenant, new Map([[conversationId, value]]))
  }
  delete({ tenant, conversationId }: Place): void {
    const known = this.#tenants.get(tenant)
    known?.delete(conversationId)
    if (known?.size === 0) this.#tenants.delete(tenant)
  }
  *values(): Generator<V> {
    for (const known of this.#tenants.values()) yield* known.values()
  }
  clear(): void {
    this.#tenants.clear()
  }
}
