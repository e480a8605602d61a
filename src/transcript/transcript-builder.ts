// Makes a transcript of the events of a conversation, heard in their order.
import type { Conversation } from '../model/conversation'
import { isStored, type Attachment } from '../model/content'
import { isPublic, type ConversationEvent, type PublicEvent, type ReceiptState } from '../model/events'
import type { EventId } from '../model/ids'
import type {
  CustomerTranscript,
  PublicEntry,
  Speaker,
  StaffEntry,
  StaffTranscript,
  TranscriptAttachment,
} from './transcript'

interface Builder<E extends ConversationEvent, T> {
  readonly hear: (event: E) => void
  readonly transcript: () => T
}
/** Hears the public log alone: nothing internal comes this way. */
export function forCustomer(conversation: Conversation): Builder<PublicEvent, CustomerTranscript> {
  const entries: PublicEntry[] = []
  const receipts = new Receipts()
  return {
    hear: (event) => {
      receipts.hear(event)
      const entry = publicEntryOf(event, event.publicPosition, receipts)
      if (entry) entries.push(entry)
    },
    transcript: () => ({
      ...{ audience: 'customer', ...headOf(conversation, entries) },
      entries: entries.map((one) => receipts.put(one)),
    }),
  }
}
/** Hears the whole log. */
export function forStaff(conversation: Conversation): Builder<ConversationEvent, StaffTranscript> {
  const entries: StaffEntry[] = []
  const receipts = new Receipts()
  return {
    hear: (event) => {
      receipts.hear(event)
      const entry = staffEntryOf(event, receipts)
      if (entry) entries.push(entry)
    },
    transcript: () => ({
      ...{ audience: 'staff', ...headOf(conversation, entries) },
      entries: entries.map((one) => receipts.put(one)),
    }),
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
