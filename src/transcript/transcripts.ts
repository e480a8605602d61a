// Reads the log of a conversation into the form that people keep.
import type { Conversation } from '../model/conversation'
import { GatewayError } from '../model/errors'
import { isPublic, type ConversationEvent, type PublicEvent, type ReceiptState } from '../model/events'
import { isStored, type Attachment } from '../model/content'
import type { EventId } from '../model/ids'
import type { ConversationStore } from '../store/conversation-store'
import type {
  Audience,
  CustomerTranscript,
  PublicEntry,
  Speaker,
  StaffEntry,
  StaffTranscript,
  Transcript,
  TranscriptAttachment,
} from './transcript'

/** Small: what a page takes to read is taken from the chats beside it. */
const PAGE = 100
/** A document of more is nothing that anybody reads; events, not messages. */
const MAX_EVENTS = 100_000

export class Transcripts {
  readonly #store: ConversationStore
  readonly #maxEvents: number

  constructor(deps: { store: ConversationStore; maxEvents?: number }) {
    this.#store = deps.store
    this.#maxEvents = deps.maxEvents ?? MAX_EVENTS
  }

  /**
   * A conversation for its customer, read from the public log alone: nothing internal comes this way; or for staff,
   * with whispers and observers. Rejects with `tooLarge` beyond 100 000 events, and with `unavailable` like the store.
   */
  read(conversation: Conversation, audience: 'customer'): Promise<CustomerTranscript>
  read(conversation: Conversation, audience: 'staff'): Promise<StaffTranscript>
  read(conversation: Conversation, audience: Audience): Promise<Transcript> {
    return audience === 'customer' ? this.#forCustomer(conversation) : this.#forStaff(conversation)
  }

  /** How often it was mailed. */
  async mails({ tenant, id }: Conversation): Promise<number> {
    let count = 0
    const read = (after: number) => this.#store.events(tenant, id, after, PAGE)
    for await (const { type } of this.#all(read, ({ position }) => position))
      if (type === 'transcriptMailed') count += 1
    return count
  }

  async #forCustomer(conversation: Conversation): Promise<CustomerTranscript> {
    const { tenant, id } = conversation
    const entries: PublicEntry[] = []
    const receipts = new Receipts()
    const read = (after: number) => this.#store.publicEvents(tenant, id, after, PAGE)
    for await (const event of this.#all(read, ({ publicPosition }) => publicPosition)) {
      receipts.hear(event)
      const entry = publicEntryOf(event, event.publicPosition, receipts)
      if (entry) entries.push(entry)
    }
    return { audience: 'customer', ...headOf(conversation, entries), entries: entries.map((one) => receipts.put(one)) }
  }
  async #forStaff(conversation: Conversation): Promise<StaffTranscript> {
    const { tenant, id } = conversation
    const entries: StaffEntry[] = []
    const receipts = new Receipts()
    const read = (after: number) => this.#store.events(tenant, id, after, PAGE)
    for await (const event of this.#all(read, ({ position }) => position)) {
      receipts.hear(event)
      const entry = staffEntryOf(event, receipts)
      if (entry) entries.push(entry)
    }
    return { audience: 'staff', ...headOf(conversation, entries), entries: entries.map((one) => receipts.put(one)) }
  }

  async *#all<E>(read: (after: number) => Promise<E[]>, placeOf: (event: E) => number): AsyncGenerator<E> {
    let after = 0
    for (let count = 0; count <= this.#maxEvents;) {
      const page = await read(after)
      yield* page
      const last = page.at(-1)
      if (!last || page.length < PAGE) return
      after = placeOf(last)
      count += page.length
    }
    throw new GatewayError('tooLarge', 'This conversation is too long for a transcript. Read its events in pages.')
  }
}

/** `failed` ends a way that did not arrive; what another reader got is further. */
const RANK: Readonly<Record<ReceiptState, number>> = { accepted: 1, sent: 2, failed: 3, delivered: 4, read: 5 }

/** How far each message came: the last word of each recipient, and of those the furthest. */
class Receipts {
  readonly #states = new Map<EventId, Map<string, ReceiptState>>()
  readonly #ids = new WeakMap<StaffEntry, EventId>()

  hear(event: ConversationEvent): void {
    if (event.type !== 'receiptAdvanced' && event.type !== 'internalReceiptAdvanced') return
    const states = this.#states.get(event.messageId) ?? new Map<string, ReceiptState>()
    this.#states.set(event.messageId, states.set(event.participant.id, event.state))
  }
  /** Receipts come later in the log than their message. */
  expect<E extends StaffEntry>(entry: E, id: EventId): E {
    this.#ids.set(entry, id)
    return entry
  }
  put<E extends StaffEntry>(entry: E): E {
    const id = this.#ids.get(entry)
    const states = id ? [...(this.#states.get(id)?.values() ?? [])] : []
    if (states.length === 0) return entry
    return { ...entry, state: states.reduce((a, b) => (RANK[b] > RANK[a] ? b : a)) }
  }
}

function publicEntryOf(event: PublicEvent, seq: number, receipts: Receipts): PublicEntry | null {
  const { at } = event
  switch (event.type) {
    case 'messageSent': {
      const { text, attachments } = event.content
      const said = { text, attachments: attachments.map(attachmentOf), state: null }
      return receipts.expect({ kind: 'message', seq, at, from: speakerOf(event.by), ...said }, event.id)
    }
    case 'participantJoined':
      return { kind: 'joined', seq, at, from: speakerOf(event.participant) }
    case 'participantLeft':
      return { kind: 'left', seq, at, from: speakerOf(event.participant), reason: event.reason }
    case 'conversationEnded':
      return { kind: 'ended', seq, at, from: speakerOf(event.by), reason: event.reason }
    case 'receiptAdvanced':
    case 'activity':
    case 'idleWarned':
      return null
  }
}
function staffEntryOf(event: ConversationEvent, receipts: Receipts): StaffEntry | null {
  const { at, position: seq } = event
  if (isPublic(event)) return publicEntryOf(event, seq, receipts)
  switch (event.type) {
    case 'whispered': {
      const { text, attachments } = event.content
      const said = { text, attachments: attachments.map(attachmentOf), state: null }
      return receipts.expect({ kind: 'whisper', seq, at, from: speakerOf(event.by), ...said }, event.id)
    }
    case 'observerJoined':
    case 'observerLeft':
      return { kind: event.type, seq, at, from: speakerOf(event.participant) }
    case 'internalReceiptAdvanced':
    case 'internalActivity':
    case 'presenceChanged':
    case 'transcriptMailed':
    case 'conversationErased':
      return null
  }
}

const speakerOf = ({ name, role }: Speaker): Speaker => ({ name, role })

/** Only what a document shows, in one order of keys: the hash of the document hangs on it. */
function attachmentOf(attachment: Attachment): TranscriptAttachment {
  const { type, name } = attachment
  if (isStored(attachment)) {
    const { fileId, size, hasThumbnail } = attachment
    return { type, name, contentUrl: '', fileId, size, hasThumbnail }
  }
  const { contentUrl, thumbnailUrl } = attachment
  return { type, name, contentUrl, ...(thumbnailUrl === undefined ? {} : { thumbnailUrl }) }
}

function headOf({ id, opening, endedAt }: Conversation, entries: readonly StaffEntry[]) {
  const people = new Map<string, Speaker>()
  for (const { from } of entries) {
    const key = JSON.stringify([from.role, from.name])
    if (from.role !== 'system' && !people.has(key)) people.set(key, from)
  }
  return {
    conversationId: id,
    channel: opening.address.channel,
    account: opening.address.account,
    subject: opening.subject,
    language: opening.language,
    startedAt: opening.at,
    endedAt: endedAt === '' ? null : endedAt,
    people: [...people.values()],
  }
}
