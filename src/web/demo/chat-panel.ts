// One conversation on the page: its log, who is typing, how far each message came, and the place to answer.
import type { Conversation, MessageToSend } from '../../client/conversation'
import type { ActivityMessage, Attachment, ChatMessage, Person } from '../../dialects/customer-channel/wire'
import { byId, make, sentenceOf, within } from './dom'

const RECEIPTS = { accepted: 'Sent', sent: 'Sent', failed: 'Failed', delivered: 'Delivered', read: 'Read' } as const
const NOTES: Readonly<Record<string, (name: string) => string>> = {
  participantJoined: (name) => `${name} joined`,
  participantLeft: (name) => `${name} left`,
  noAgentAvailable: () => 'Nobody is free just now',
  idleWarning: () => 'Are you still there?',
  endOfConversation: (name) => (name === '' ? 'Ended' : `Ended by ${name}`),
}
/** Milliseconds: who has not told again that they type has gone for tea. */
const TYPING_ENDS = 6000

interface Said {
  readonly text?: string
  readonly tag?: string
  readonly mine: boolean
  readonly name?: string
  readonly attachments?: readonly Attachment[]
}
export interface PanelOptions {
  readonly side: 'Customer' | 'Agent'
  readonly label: string
  /** Offered when the conversation has ended. */
  readonly onAgain?: () => void
}

export class ChatPanel {
  readonly element: HTMLElement
  readonly #log: HTMLElement
  readonly #words: HTMLInputElement
  readonly #whisper: HTMLButtonElement
  readonly #unread = new Set<string>()
  readonly #typing = new Map<string, ReturnType<typeof setTimeout>>()

  constructor(
    private readonly conversation: Conversation,
    private readonly options: PanelOptions,
  ) {
    const copy = document.importNode(byId('chat', HTMLTemplateElement).content, true)
    this.element = within(copy, '.chat', HTMLElement)
    this.#log = within(copy, '.log', HTMLElement)
    this.#words = within(copy, '.words', HTMLInputElement)
    this.#whisper = within(copy, '.whisper', HTMLButtonElement)
    this.#log.setAttribute('aria-label', options.label)
    this.#whisper.hidden = options.side === 'Customer'
    this.#listenToPeople()
    this.#listenToConversation()
    this.#toggleWhisper(false)
  }

  focus(): void {
    this.#words.focus({ preventScroll: true })
  }

  #listenToPeople(): void {
    const { conversation, element } = this
    within(element, '.composer', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#say()
    })
    this.#words.addEventListener('input', () => {
      if (!this.#isWhispering) conversation.typing(this.#words.value !== '')
    })
    const file = within(element, '.file', HTMLInputElement)
    within(element, '.attach', HTMLButtonElement).addEventListener('click', () => file.click())
    file.addEventListener('change', () => {
      const [chosen] = file.files ?? []
      if (chosen) void this.#sendFile(chosen)
      file.value = ''
    })
    this.#whisper.addEventListener('click', () => this.#toggleWhisper(!this.#isWhispering))
    within(element, '.end', HTMLButtonElement).addEventListener('click', () => {
      conversation.end().catch((error: unknown) => this.#note(sentenceOf(error)))
    })
    const again = within(element, '.again', HTMLButtonElement)
    again.hidden = this.options.onAgain === undefined
    again.addEventListener('click', () => this.options.onAgain?.())
    // Side by side, both ends are always in sight: read is what one turns to.
    for (const turning of ['focusin', 'pointerenter']) element.addEventListener(turning, () => this.#readAll())
  }

  #listenToConversation(): void {
    const { conversation, element } = this
    conversation.on('message', (message) => this.#show(message))
    conversation.on('activity', (activity) => this.#showActivity(activity))
    conversation.on('error', ({ message }) => this.#note(message))
    conversation.on('ended', () => {
      within(element, '.composer', HTMLElement).hidden = true
      within(element, '.over', HTMLElement).hidden = false
      for (const timer of this.#typing.values()) clearTimeout(timer)
      this.#typing.clear()
      this.#showTyping()
    })
  }

  get #isWhispering(): boolean {
    return this.#whisper.ariaPressed === 'true'
  }

  #toggleWhisper(on: boolean): void {
    this.#whisper.ariaPressed = String(on)
    this.element.classList.toggle('whispering', on)
    within(this.element, '.discreet', HTMLElement).hidden = !on
    const say = within(this.element, '.say', HTMLButtonElement)
    say.textContent = on ? 'Whisper' : 'Send'
    say.ariaLabel = on ? 'Send as a whisper' : null
    const purpose = on ? 'A word to colleagues only' : 'Write a message'
    this.#words.placeholder = `${purpose}…`
    this.#words.setAttribute('aria-label', purpose)
  }

  async #say(): Promise<void> {
    const text = this.#words.value.trim()
    if (text === '') return
    const message: MessageToSend = this.#isWhispering ? { text, tag: 'whisper' } : { text }
    this.#words.value = ''
    this.#toggleWhisper(false)
    const pending = this.#bubble({ ...message, mine: true }, make('p', 'meta', 'Sending…'))
    this.#place(pending)
    try {
      await this.conversation.send(message)
      pending.remove()
    } catch (error) {
      pending.querySelector('.meta')?.replaceChildren(`Not sent. ${sentenceOf(error)}`)
    }
  }

  /** With what is written, and as a whisper if that is what it is. */
  async #sendFile(file: File): Promise<void> {
    const text = this.#words.value.trim()
    const more: MessageToSend = { text, ...(this.#isWhispering ? { tag: 'whisper' as const } : {}) }
    this.#words.value = ''
    this.#toggleWhisper(false)
    const pending = this.#bubble({ ...more, text: text || file.name, mine: true }, make('p', 'meta', 'Sending…'))
    this.#place(pending)
    try {
      const uploaded = await this.conversation.upload(file)
      await this.conversation.send({ ...more, attachments: [uploaded] })
      pending.remove()
    } catch (error) {
      pending.querySelector('.meta')?.replaceChildren(`Not sent. ${sentenceOf(error)}`)
    }
  }

  #show(message: ChatMessage): void {
    const { id = '', from, seq, timestamp, text, tag, attachments } = message
    const mine = from.type === this.options.side
    const time = make('time', '', new Date(timestamp).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }))
    time.setAttribute('datetime', timestamp)
    const meta = make('p', 'meta', time, make('span', 'mark', mine && tag === '' ? 'Sent' : ''))
    const bubble = this.#bubble({ text, tag, mine, name: from.name, attachments }, meta)
    bubble.dataset['id'] = id
    this.#place(bubble, seq)
    this.#stopTyping(from.id)
    if (!mine && tag === '') this.#acknowledge(id)
  }

  #bubble(said: Said, meta: HTMLElement): HTMLElement {
    const whispered = said.tag === 'whisper'
    const who = make('p', 'who', said.name ?? 'You', ...(whispered ? [make('span', 'badge', 'whisper')] : []))
    const kind = `${said.mine ? 'mine' : 'theirs'}${whispered ? ' whispered' : ''}`
    const text = make('p', 'text', said.text ?? '')
    text.dir = 'auto'
    return make(
      'div',
      `message ${kind}`,
      who,
      ...(said.text ? [text] : []),
      ...(said.attachments ?? []).map(fileLink),
      meta,
    )
  }

  /** At its place in the log; what has none yet comes last. */
  #place(element: HTMLElement, seq = Infinity): void {
    element.dataset['seq'] = String(seq)
    const later = [...this.#log.children].find(
      (child) => child instanceof HTMLElement && Number(child.dataset['seq']) > seq,
    )
    this.#log.insertBefore(element, later ?? null)
    this.#log.scrollTop = this.#log.scrollHeight
  }

  #note(sentence: string, seq?: number): void {
    this.#place(make('p', 'note', sentence), seq)
  }

  #showActivity({ activityType, info, from, seq }: ActivityMessage): void {
    if (activityType === 'typing') this.#hearTyping(from, info['state'] === 'started')
    else if (Object.hasOwn(RECEIPTS, activityType)) this.#mark(String(info['messageId']))
    else {
      const note = NOTES[activityType]?.(nameIn(info['participant']) ?? from.name)
      if (note !== undefined) this.#note(note, seq)
    }
  }

  #hearTyping({ id, name, type }: Person, started: boolean): void {
    this.#stopTyping(id)
    if (!started || type === this.options.side) return
    const forget = () => this.#stopTyping(id)
    this.#typing.set(id, setTimeout(forget, TYPING_ENDS))
    this.#showTyping(name)
  }

  #stopTyping(id: string): void {
    clearTimeout(this.#typing.get(id))
    if (this.#typing.delete(id)) this.#showTyping()
  }
  #showTyping(name = ''): void {
    within(this.element, '.typing', HTMLElement).textContent = this.#typing.size > 0 ? `${name} is typing…` : ''
  }

  #mark(id: string): void {
    const receipt = this.conversation.view.receiptOf(id)
    const mark = this.#log.querySelector(`[data-id="${CSS.escape(id)}"].mine .mark`)
    if (mark === null || receipt === undefined) return
    mark.textContent = RECEIPTS[receipt]
    mark.className = `mark ${receipt}`
  }

  /** Once the rest of a picture is known: it may say that this was read on an earlier visit. */
  #acknowledge(id: string): void {
    queueMicrotask(() => {
      const known = this.conversation.view.receiptOf(id)
      if (known === 'read' || this.conversation.view.ended) return
      this.#unread.add(id)
      if (known === undefined) this.#tell('delivered', id)
      if (document.hasFocus() && this.element.contains(document.activeElement)) this.#readAll()
    })
  }
  #readAll(): void {
    if (!this.conversation.view.ended) for (const id of this.#unread) this.#tell('read', id)
    this.#unread.clear()
  }
  /** A receipt that cannot be told is nobody's loss. */
  #tell(state: 'delivered' | 'read', id: string): void {
    this.conversation.receipt(state, id).catch(() => undefined)
  }
}

function nameIn(participant: unknown): string | undefined {
  if (typeof participant !== 'object' || participant === null || !('name' in participant)) return undefined
  return typeof participant.name === 'string' ? participant.name : undefined
}

/** A picture by its thumbnail, anything else by its name; opened in a tab that knows nothing of this page. */
function fileLink({ name, type, contentUrl, thumbnailUrl, size }: Attachment): HTMLElement {
  const label = name || type || 'File'
  const link = document.createElement('a')
  link.className = 'attachment'
  link.href = fromHere(contentUrl)
  link.target = '_blank'
  link.rel = 'noopener noreferrer'
  if (thumbnailUrl === undefined)
    link.append(label, ...(size === undefined ? [] : [make('span', 'size', sizeOf(size))]))
  else {
    const picture = document.createElement('img')
    picture.src = fromHere(thumbnailUrl)
    picture.alt = label
    link.append(picture)
  }
  return make('p', 'file-line', link)
}
/** The gateway links to its files by the address that it printed; this page may have come by another. */
function fromHere(link: string): string {
  const { pathname } = new URL(link)
  return pathname.includes('/api/files/') ? new URL(pathname, location.href).href : link
}
const sizeOf = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1_000))} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
