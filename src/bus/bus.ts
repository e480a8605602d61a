// Port: tells every node what was written and what is in the air. A hint, never the truth: the store holds the truth.
import type { ConversationEvent, Ephemeral } from '../model/events'
import type { ConversationId, Tenant } from '../model/ids'

export interface BusListener {
  /** Events of one commit, in order. Any of them may be missing, late or twice. */
  hear(events: readonly ConversationEvent[]): void
  hearEphemeral(ephemeral: Ephemeral): void
  /** A delivery was put in the outbox. */
  wake(channel: string, account: string): void
  /** The bus was deaf for a while and cannot say what it missed. */
  missed(): void
}

export interface Bus {
  /** Never waits and never throws: what cannot be carried is dropped, and followers find the gap. */
  publish(events: readonly ConversationEvent[]): void
  publishEphemeral(ephemeral: Ephemeral): void
  wake(channel: string, account: string): void
  /** Asks for this conversation's hints. Resolves when nothing published from now on is missed for want of a subscription. */
  join(tenant: Tenant, conversation: ConversationId): Promise<void>
  leave(tenant: Tenant, conversation: ConversationId): void
  subscribe(listener: BusListener): () => void
  close(): Promise<void>
}
