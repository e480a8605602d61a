// Makes a transcript of the events of a conversation, heard in their order.
import type { Conversation } from '../model/conversation'
import { isStored, type Attachment, type Content } from '../model/content'
import { isPublic, type ConversationEvent, type PublicEvent, type ReceiptState } from '../model/events'
import type { EventId } from '../model/ids'
import { readEvent, readPublicEvent } from '../model/stored-event'
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

export interface Builder<T extends Transcript> {
  /** The next event, as it is stored: for a customer's the next of the public log. */
  readonly hear: (stored: string) => void
  readonly transcript: () => T
}
/** A customer's hears the public log alone: nothing internal comes this way. Staff's hears the whole. */
export function builderFor(conversation: Conversation, audience: 'customer'): Builder<CustomerTranscript>
export function builderFor(conversation: Conversation, audience: Audience): Builder<Transcript>
export function builderFor(conversation: Conversation, audience: Audience): Builder<Transcript> {
  return audience === 'customer' ? forCustomer(conversation) : forStaff(conversation)
}
function forCustomer(conversation: Conversation): Builder<CustomerTranscript> {
  const gathered = new Gathered(conversation, publicEntryOf)
  return {
    hear: (stored) => {
      const event = readPublicEvent(stored)
      gathered.hear(event, event.publicPosition)
    },
    transcript: () => ({ audience: 'customer', ...gathered.all() }),
  }
}
function forStaff(conversation: Conversation): Builder<StaffTranscript> {
  const gathered = new Gathered(conversation, staffEntryOf)
  return {
    hear: (stored) => {
      const event = readEvent(stored)
      gathered.hear(event, event.position)
    },
    transcript: () => ({ audience: 'staff', ...gathered.all() }),
  }
}

type EntryOf<Event, Entry> = (event: Event, seq: number, receipts: Receipts) => Entry | null
class Gathered<Event extends ConversationEvent, Entry extends StaffEntry> {
  readonly #conversation: Conversation
  readonly #entryOf: EntryOf<Event, Entry>
  readonly #entries: Entry[] = []
  readonly #receipts = new Receipts()

  constructor(conversation: Conversation, entryOf: EntryOf<Event, Entry>) {
    this.#conversation = conversation
    this.#entryOf = entryOf
  }
  hear(event: Event, seq: number): void {
    this.#receipts.hear(event)
    const entry = this.#entryOf(event, seq, this.#receipts)
    if (entry) this.#entries.push(entry)
  }
  all() {
    const entries = this.#entries.map((one) => this.#receipts.put(one))
    return { ...headOf(this.#conversation, entries), entries }
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
    case 'messageSent':
      return receipts.expect({ kind: 'message', seq, ...saidIn(event) }, event.id)
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
function staffEntryOf(event: ConversationEvent, seq: number, receipts: Receipts): StaffEntry | null {
  const { at } = event
  if (isPublic(event)) return publicEntryOf(event, seq, receipts)
  switch (event.type) {
    case 'whispered':
      return receipts.expect({ kind: 'whisper', seq, ...saidIn(event) }, event.id)
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

const saidIn = ({ at, by, content: { text, attachments } }: Extract<ConversationEvent, { content: Content }>) => ({
  ...{ at, from: speakerOf(by), text },
  ...{ attachments: attachments.map(attachmentOf), state: null },
})
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
