// Carries what is to be said: all that goes to one node in one tick of the event loop, or too soon behind what went before, is one publish into its inbox.
import { Envelope, type Section } from './envelope'
import { pick } from './redis-address'
import type { RedisLink } from './redis-link'

/** What may wait for one instance or be on its way to it; more is dropped, and the gap shows. */
const MAX_BYTES = 16 * 1024 * 1024
const MAX_HINTS = 50_000
/** A fuller envelope goes out at once, so that none comes near what a reader refuses. */
const FULL = 1024 * 1024
/**
 * Between two publishes into one inbox. Redis and the reader pay by the publish: where more is said in a moment it goes
 * together, and what comes alone does not wait.
 */
const PACE_MS = 1

interface Deps {
  readonly node: string
  readonly links: readonly RedisLink[]
  readonly inboxOf: (node: string) => string
  /** Before a tick's envelopes leave: the last chance to add to them. */
  readonly beforeFlush: () => void
  /** Nobody took what was said to this node about these topics: it is gone, or away. */
  readonly onUnheard: (node: string, topics: ReadonlySet<string>) => void
  /** What was to be said about these topics was dropped. */
  readonly onDropped: (topics: ReadonlySet<string>) => void
}
interface Mailbox {
  readonly node: string
  readonly channel: string
  readonly link: RedisLink
  envelope: Envelope | null
  /** Publishes that are not answered yet. While there is one, what is said gathers. */
  underWay: number
  /** When the last one left, by the clock of `performance`. */
  sentAt: number
}

const NO_TOPICS: ReadonlySet<string> = new Set()

export class RedisPost {
  readonly figures = { published: 0, dropped: 0, bytes: 0 }
  readonly #deps: Deps
  readonly #mailboxes = new Map<string, Mailbox>()
  readonly #broadcasts: readonly Mailbox[]
  readonly #full = new Set<Mailbox>()
  #isScheduled = false
  #later: NodeJS.Timeout | null = null
  #isClosed = false

  constructor(deps: Deps) {
    this.#deps = deps
    this.#broadcasts = deps.links.map((link) => ({
      node: '',
      channel: link.everybody,
      link,
      envelope: null,
      underWay: 0,
      sentAt: -Infinity,
    }))
  }

  /** To one node, in this tick. `topic` is what its followers are to hear, when that is why it is said. */
  say(node: string, section: Section, json: string, topic?: string): void {
    this.#put(this.#mailboxOf(node), section, json, topic)
  }
  /** To all nodes: one publish per instance, for each node listens on one. */
  sayToAll(section: Section, json: string): void {
    for (const mailbox of this.#broadcasts) this.#put(mailbox, section, json)
  }
  /** Tells all nodes that not everything could be said. */
  confess(): void {
    for (const mailbox of this.#broadcasts) {
      mailbox.envelope ??= new Envelope()
      mailbox.envelope.missed = true
      this.#full.add(mailbox)
    }
    this.schedule()
  }
  /** Sees to it that this tick ends with a flush. */
  schedule(): void {
    if (this.#isScheduled || this.#isClosed) return
    this.#isScheduled = true
    setImmediate(() => this.#flush(PACE_MS))
  }
  /** Sends what can be sent at once, however soon it comes. */
  hurry(): void {
    this.#flush(0)
  }
  /** Counts hints that cannot be brought. */
  drop(count: number, topics: ReadonlySet<string> = NO_TOPICS): void {
    if (count === 0) return
    this.figures.dropped += count
    this.#deps.onDropped(topics)
  }
  /** Nothing leaves any more. */
  close(): void {
    this.#isClosed = true
    if (this.#later) clearTimeout(this.#later)
  }

  #flush(paceMs: number): void {
    this.#isScheduled = false
    this.#deps.beforeFlush()
    const now = performance.now()
    const due: Mailbox[] = []
    for (const mailbox of this.#full) {
      if (mailbox.underWay > 0) this.#full.delete(mailbox)
      else if (now - mailbox.sentAt >= paceMs) due.push(mailbox)
    }
    for (const mailbox of due) this.#full.delete(mailbox)
    for (const link of this.#deps.links)
      link.together(() => {
        for (const mailbox of due) if (mailbox.link === link) this.#send(mailbox)
      })
    if (this.#full.size > 0) this.#scheduleIn(PACE_MS)
  }
  #scheduleIn(ms: number): void {
    if (this.#isClosed) return
    this.#later ??= setTimeout(() => {
      this.#later = null
      this.schedule()
    }, ms)
  }

  #mailboxOf(node: string): Mailbox {
    const known = this.#mailboxes.get(node)
    if (known) return known
    const mailbox = {
      node,
      channel: this.#deps.inboxOf(node),
      link: pick(this.#deps.links, node),
      envelope: null,
      underWay: 0,
      sentAt: -Infinity,
    }
    this.#mailboxes.set(node, mailbox)
    return mailbox
  }
  #put(mailbox: Mailbox, section: Section, json: string, topic?: string): void {
    const { load, isUp } = mailbox.link
    if (!isUp || this.#isClosed || load.bytes + json.length > MAX_BYTES || load.hints >= MAX_HINTS) {
      this.drop(1, topic === undefined ? NO_TOPICS : new Set([topic]))
      return
    }
    const envelope = (mailbox.envelope ??= new Envelope())
    envelope.add(section, json)
    if (topic !== undefined) envelope.topics.add(topic)
    load.bytes += json.length
    load.hints += 1
    this.#full.add(mailbox)
    if (envelope.size >= FULL) this.#send(mailbox)
    this.schedule()
  }

  #send(mailbox: Mailbox): void {
    const { envelope, link, node } = mailbox
    if (!envelope) return
    mailbox.envelope = null
    mailbox.sentAt = performance.now()
    const { size, count, topics } = envelope
    const text = envelope.toText(this.#deps.node)
    mailbox.underWay += 1
    this.figures.published += count
    this.figures.bytes += text.length
    link.publish(mailbox.channel, text).then(
      (heard) => {
        this.#answered(mailbox, size, count)
        if (heard > 0 || node === '') return
        this.#mailboxes.delete(node)
        this.#deps.onUnheard(node, topics)
      },
      () => {
        this.#answered(mailbox, size, count)
        this.drop(count, topics)
      },
    )
  }
  #answered(mailbox: Mailbox, size: number, count: number): void {
    const { load } = mailbox.link
    load.bytes -= size
    load.hints -= count
    mailbox.underWay -= 1
    if (!mailbox.envelope) return
    this.#full.add(mailbox)
    this.schedule()
  }
}
