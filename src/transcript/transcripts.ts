// Reads the log of a conversation for the form that people keep.
import type { Conversation } from '../model/conversation'
import { GatewayError } from '../model/errors'
import type { ConversationStore } from '../store/conversation-store'
import { readEvent, readPublicEvent } from '../model/stored-event'
import type { Audience, CustomerTranscript, Transcript } from './transcript'
import { builderFor } from './transcript-builder'

/** Small: what a page takes to read is taken from the chats beside it. */
const PAGE = 50
/** A document of more is nothing that anybody reads; events, not messages. */
const MAX_EVENTS = 100_000

/** What a transcript is made of, not yet read. */
export interface TranscriptSource {
  readonly audience: Audience
  readonly conversation: Conversation
  /** The events as they are stored, oldest first, a few at a time; the public ones alone for a customer. Fails as `Transcripts.read`. */
  readonly pages: () => AsyncIterable<readonly string[]>
}

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
  read(conversation: Conversation, audience: Audience): Promise<Transcript>
  async read(conversation: Conversation, audience: Audience): Promise<Transcript> {
    const builder = builderFor(conversation, audience)
    for await (const page of this.#pages(conversation, audience)) for (const stored of page) builder.hear(stored)
    return builder.transcript()
  }
  /** The same for whoever reads it elsewhere. */
  source(conversation: Conversation, audience: Audience): TranscriptSource {
    return { audience, conversation, pages: () => this.#pages(conversation, audience) }
  }

  /** How often it was mailed. */
  async mails(conversation: Conversation): Promise<number> {
    let count = 0
    for await (const page of this.#pages(conversation, 'staff'))
      count += page.filter((text) => readEvent(text).type === 'transcriptMailed').length
    return count
  }

  async *#pages({ tenant, id }: Conversation, audience: Audience): AsyncGenerator<readonly string[]> {
    const isPublic = audience === 'customer'
    let after = 0
    for (let count = 0; count <= this.#maxEvents;) {
      const log = isPublic ? 'public' : 'staff'
      const page = await this.#store.storedEvents({ tenant, id, audience: log, after, limit: PAGE })
      yield page
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE) return
      after = isPublic ? readPublicEvent(last).publicPosition : readEvent(last).position
      count += page.length
    }
    throw new GatewayError('tooLarge', 'This conversation is too long for a transcript. Read its events in pages.')
  }
}
