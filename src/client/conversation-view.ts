// What one reader has heard of a conversation: the messages in the server's order, who is there, and how far each came.
import type { ConversationInfo, Person, WireConversation, WireMessage } from '../dialects/customer-channel/wire'

/** With several recipients, one whom it reached outdoes one whom it failed. */
const RANKS = { accepted: 1, sent: 2, failed: 3, delivered: 4, read: 5 } as const
export type Receipt = keyof typeof RANKS

export interface ViewOptions {
  /** Everything up to this `seq` is known to the reader already. */
  readonly after?: number | undefined
  /** How many messages are kept; the oldest go first. By default all. */
  readonly keep?: number | undefined
}

export class ConversationView {
  readonly #messages: WireMessage[] = []
  readonly #people = new Map<string, Person>()
  /** By the id of a kept message, and by recipient. */
  readonly #receipts = new Map<string, Map<string, Receipt>>()
  readonly #keep: number
  #cursor: number
  #conversation: WireConversation | undefined
  #role: ConversationInfo['role'] | undefined
  #ended = false

  constructor({ after = 0, keep = Infinity }: ViewOptions = {}) {
    this.#cursor = after
    this.#keep = keep
  }

  /** What is stored, in order; at most `keep`. What has no `seq`, such as typing, is not in it. */
  get messages(): readonly WireMessage[] {
    return this.#messages
  }
  get participants(): readonly Person[] {
    return [...this.#people.values()]
  }
  /** The picture that the latest join gave; undefined before the first. */
  get conversation(): WireConversation | undefined {
    return this.#conversation
  }
  get role(): ConversationInfo['role'] | undefined {
    return this.#role
  }
  /** The last `seq` applied, in the reader's own count: the place to resume from. */
  get cursor(): number {
    return this.#cursor
  }
  get ended(): boolean {
    return this.#ended
  }
  /** The picture says that it ended, and nothing is on its way any more. */
  get isReadToItsEnd(): boolean {
    return this.#ended && this.#cursor >= (this.#conversation?.seq ?? Infinity)
  }
  /** How far a kept message came with the one whom it reached best. */
  receiptOf(id: string): Receipt | undefined {
    const all = [...(this.#receipts.get(id)?.values() ?? [])]
    return all.sort((a, b) => RANKS[b] - RANKS[a])[0]
  }

  /** The picture without its messages: those are taken one by one, like live ones. */
  takeInfo({ conversation, participants, role }: ConversationInfo): void {
    this.#conversation = conversation
    this.#role = role
    this.#ended ||= conversation.state === 'ended'
    this.#people.clear()
    for (const person of participants) this.#people.set(person.id, person)
  }

  /** False for what was heard before. The server heals and orders: nothing here ever sorts, or infers a loss. */
  take(message: WireMessage): boolean {
    if (message.seq === undefined) return true
    if (message.seq <= this.#cursor) return false
    this.#cursor = message.seq
    this.#messages.push(message)
    this.#note(message)
    while (this.#messages.length > this.#keep) this.#receipts.delete(this.#messages.shift()?.id ?? '')
    return true
  }

  /**
   * The reader's own message, where its acknowledgement came. When only a repeat was acknowledged, others may have
   * been heard since: then it is put where it belongs. False when it is there already.
   */
  takeOwn(message: WireMessage & { seq: number }): boolean {
    if (message.seq > this.#cursor) return this.take(message)
    const before = this.#messages.findLastIndex(({ seq = 0 }) => seq <= message.seq)
    const isOlderThanAllKept = before < 0
    if (isOlderThanAllKept || this.#messages[before]?.seq === message.seq) return false
    this.#messages.splice(before + 1, 0, message)
    this.#note(message)
    return true
  }

  #note(message: WireMessage): void {
    if (message.type === 'ChatMessage') {
      if (message.id !== undefined) this.#receipts.set(message.id, new Map())
      return
    }
    const { activityType, info, from } = message
    if (activityType === 'endOfConversation') this.#ended = true
    else if (isReceipt(activityType)) this.#rise(info['messageId'], from.id, activityType)
    else if (isPerson(info['participant'])) this.#changePeople(activityType, info['participant'])
  }

  /** A receipt only rises, but what had failed and was sent again starts anew. */
  #rise(id: unknown, recipient: string, to: Receipt): void {
    const receipts = typeof id === 'string' ? this.#receipts.get(id) : undefined
    const known = receipts?.get(recipient)
    if (known === undefined || known === 'failed' || RANKS[to] > RANKS[known]) receipts?.set(recipient, to)
  }

  #changePeople(activityType: string, person: Person): void {
    if (activityType === 'participantLeft' || activityType === 'participantRemoved') this.#people.delete(person.id)
    else this.#people.set(person.id, person)
  }
}

function isReceipt(name: string): name is Receipt {
  return Object.hasOwn(RANKS, name)
}
function isPerson(value: unknown): value is Person {
  return typeof value === 'object' && value !== null && 'id' in value && 'name' in value && 'type' in value
}
