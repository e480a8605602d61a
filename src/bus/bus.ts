// Port: tells every node what was written and what is in the air. A hint, never the truth: the store holds the truth.
import type { ConversationEvent, Ephemeral } from '../model/events'
import type { AccountId, ConversationId, Place, Tenant } from '../model/ids'

/** What a node asks to be told of: the events of a conversation, or that deliveries fall due on a channel. */
export type Topic = Place | { readonly channel: string }

/** What every node is told, whoever follows what. A closed list; a node that is older ignores what it does not know. */
export type Notice =
  /** An account or a key was made, changed or deleted: the store says what became of it. */
  | { readonly kind: 'changed'; readonly what: 'account'; readonly id: AccountId }
  | { readonly kind: 'changed'; readonly what: 'key'; readonly id: string }
  /** A connector registered; an older registration of the same place, with a smaller fence, is void. */
  | {
      readonly kind: 'registered'
      readonly tenant: Tenant
      readonly channel: string
      readonly account: string
      readonly instance: string
      readonly fence: number
    }
  /** A connector is gone: the others of its channel share its work. */
  | {
      readonly kind: 'unregistered'
      readonly tenant: Tenant
      readonly channel: string
      readonly account: string
      readonly instance: string
    }
  /** The customer of a conversation has come for the first time. */
  | { readonly kind: 'begun'; readonly tenant: Tenant; readonly conversationId: ConversationId }
  /** A conversation was erased: what a node has at hand of it, from before, it drops. */
  | { readonly kind: 'erased'; readonly tenant: Tenant; readonly conversationId: ConversationId }

/** What can be heard; a listener names what it wants. What it throws harms nobody else. */
export interface BusListener {
  /** Events of one commit, in order. Any of them may be missing, late or twice. */
  hear(events: readonly ConversationEvent[]): void
  /** Only those that another node committed, each time before `hear`: what this node wrote itself costs nothing here. */
  hearOthers(events: readonly ConversationEvent[]): void
  hearEphemeral(ephemeral: Ephemeral): void
  /** The log of this conversation has come at least this far: whoever stands before that has missed something. */
  hearPosition(place: Place, position: number): void
  /** A delivery was put in the outbox. */
  wake(channel: string, account: string): void
  /** What a node announced, this one or another. */
  heard(notice: Notice): void
  /** The bus was deaf for a while and cannot say what it missed. */
  missed(): void
}

/** How well the nodes hear each other. A degraded bus is late, and nothing acknowledged is lost by it. */
export type BusHealth = { readonly status: 'ok' } | { readonly status: 'degraded'; readonly sentence: string }

/** Counted since the start; events, ephemerals, wakes and notices are a hint each, one per node that it is for. */
export interface BusFigures {
  readonly published: number
  /** Hints that could not be sent: no room, or nobody to take them. */
  readonly dropped: number
  /** Bytes of what was published. */
  readonly bytes: number
  readonly received: number
  /** What came and could not be read. */
  readonly foreign: number
  /** How often listeners were told that something may have been missed. */
  readonly missed: number
}

export interface Bus {
  /** False: every hint arrives, so nobody needs to look for what got lost. */
  readonly isLossy: boolean
  /**
   * Never waits and never throws: what cannot be carried is dropped, and followers find the gap.
   * @param bodies the JSON of each event where it is at hand, so that it is not made twice
   */
  publish(events: readonly ConversationEvent[], bodies?: readonly string[]): void
  publishEphemeral(ephemeral: Ephemeral): void
  /** Reaches the nodes that asked for the channel. */
  wake(channel: string, account: string): void
  /** Reaches every node, this one at once. */
  announce(notice: Notice): void
  /**
   * Asks for this topic's hints; asking twice is asking once. Resolves when nothing published from now on goes unnoticed
   * for want of a subscription: it is heard, or how far it came is (`hearPosition`). Resolves within a second, too, when
   * that cannot be had, and then `missed` is told once it can. Never rejects.
   */
  join(topic: Topic): Promise<void>
  leave(topic: Topic): void
  subscribe(listener: Partial<BusListener>): () => void
  health(): BusHealth
  close(): Promise<void>
}
