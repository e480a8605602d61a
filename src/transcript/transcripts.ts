// A conversation as its customer may keep it: what was said publicly, in order.
import type { Attachment } from '../model/content'
import type { Conversation } from '../model/conversation'
import type { PublicEvent } from '../model/events'
import type { Author } from '../model/participant'
import type { ConversationStore } from '../store/conversation-store'

const PAGE = 500

export interface Line {
  readonly seq: number
  /** ISO 8601. */
  readonly at: string
  readonly from: Pick<Author, 'name' | 'role'>
  readonly text: string
  readonly attachments: readonly Attachment[]
}
export interface Transcript {
  readonly conversation: Conversation
  readonly lines: readonly Line[]
}

export class Transcripts {
  readonly #store: ConversationStore

  constructor(deps: { store: ConversationStore }) {
    this.#store = deps.store
  }

  /** Reads it from the public log alone: nothing internal comes this way. */
  async read(conversation: Conversation): Promise<Transcript> {
    const lines: Line[] = []
    let after = 0
    for (;;) {
      const page = await this.#store.publicEvents(conversation.tenant, conversation.id, after, PAGE)
      for (const event of page) if (event.type === 'messageSent') lines.push(lineOf(event))
      const last = page.at(-1)
      if (!last || page.length < PAGE) return { conversation, lines }
      after = last.publicPosition
    }
  }
}

function lineOf({ publicPosition, at, by, content }: Extract<PublicEvent, { type: 'messageSent' }>): Line {
  const { text, attachments } = content
  return { seq: publicPosition, at, from: { name: by.name, role: by.role }, text, attachments }
}

/** Has somebody other than the customer spoken? */
export const isAnswered = ({ lines }: Transcript): boolean => lines.some(({ from }) => from.role !== 'customer')
