// Tells a packet that the SMSC brings again, because our answer was lost, from a customer who says the same twice.
//
// `deliver_sm` has no id of its own. So each packet gets one, and the id is kept while its answer may be lost: until the SMSC has
// answered a request that we sent after it, which proves that it read so far. When the link dies first, the id is in doubt; the
// same packet in the first minute after the next bind is the same message. Everybody else who says "ok" says a new one.
import { randomUUID } from 'node:crypto'
import type { Entry, Journal } from './journal'

/** How long after a bind a packet is compared with those in doubt, in milliseconds. */
export const DOUBT_AFTER_BIND = 60_000
/** How long a refused packet keeps its id for the next try of the SMSC, in milliseconds. */
const REFUSED_FOR = 60 * 60_000
const OLDEST = 72 * 60 * 60_000
const MOST = 10_000
/** Without a journal, ids of the first minute are made from the time in steps of five minutes, so that a quick restart makes them again. */
const BUCKET = 5 * 60_000

/** An answer that takes longer may be given up by the SMSC, which then sends the packet again over the same link; milliseconds. */
const SLOW = 5_000

interface Known {
  readonly digest: string
  readonly id: string
  readonly at: number
  state: 'open' | 'accepted' | 'refused'
  /** Until when the same packet is the same message; Infinity: until the next bind says. */
  doubtUntil: number
  answeredAt?: number
}

/** A packet's id, and whether it was accepted before and needs only the answer. */
export interface Claim {
  readonly id: string
  readonly accepted: boolean
}

export class Repeats {
  private readonly known = new Map<string, Known>()
  private readonly byDigest = new Map<string, Known[]>()
  private readonly counts = new Map<string, number>()
  private unproven: { readonly id: string; readonly sequence: number }[] = []
  private firstBind: number | undefined
  private linked = false
  private swept = 0

  constructor(
    private readonly journal: Pick<Journal, 'append' | 'lasting'>,
    private readonly clock: () => number,
  ) {}

  /** Takes up what an earlier process wrote. */
  load(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.k === 'seen' && this.clock() - entry.at < OLDEST) {
        this.add({ digest: entry.digest, id: entry.id, at: entry.at, state: 'open', doubtUntil: Infinity })
      } else if (entry.k === 'accepted' || entry.k === 'refused') {
        const known = this.known.get(entry.id)
        if (known) known.state = entry.k
      } else if (entry.k === 'forget') entry.ids.forEach((id) => this.drop(id))
    }
  }

  snapshot(): Entry[] {
    return [...this.known.values()].flatMap(({ digest, id, at, state }): Entry[] => [
      { k: 'seen', digest, id, at },
      ...(state === 'open' ? [] : [{ k: state, id }]),
    ])
  }

  /**
   * Whose packet this is: an earlier one's that is in doubt, was refused, or was answered too slowly, else a new one's.
   * Resolves when the id is durable. `arrived` is when the packet came in.
   */
  async claim(digest: string, arrived = this.clock()): Promise<Claim> {
    const now = this.clock()
    this.sweep(now)
    const earlier = this.earlier(digest, now, arrived)
    if (earlier) {
      earlier.doubtUntil = 0
      return { id: earlier.id, accepted: earlier.state === 'accepted' }
    }
    const known: Known = { digest, id: `${digest}.${this.suffix(digest, now)}`, at: now, state: 'open', doubtUntil: 0 }
    this.add(known)
    try {
      await this.journal.append([{ k: 'seen', digest, id: known.id, at: now }], true)
    } catch (cause) {
      this.drop(known.id)
      throw cause
    }
    return { id: known.id, accepted: false }
  }

  /** The gateway has it, and the answer will be OK. What `along` says is written in the same breath. */
  async accept(id: string, along: readonly Entry[] = []): Promise<void> {
    const known = this.known.get(id)
    if (known) known.state = 'accepted'
    // Not synced: lost with the power, it only makes the gateway hear a message again whose id it knows.
    await this.journal.append([...along, { k: 'accepted', id }], false).catch(() => undefined)
  }

  refuse(id: string): void {
    const known = this.known.get(id)
    if (known) known.state = 'refused'
    this.note({ k: 'refused', id })
  }

  /** The answer was written after our request number `sequence`; undefined: the link was gone before it could be. */
  answered(id: string, sequence: number | undefined): void {
    const known = this.known.get(id)
    if (!known) return
    known.answeredAt = this.clock()
    if (sequence === undefined) known.doubtUntil = this.linked ? this.clock() + DOUBT_AFTER_BIND : Infinity
    else if (known.state === 'accepted') this.unproven.push({ id, sequence })
  }

  /** The SMSC answered our request number `sequence`: it has read all that was written before that. */
  proven(sequence: number): void {
    const upTo = this.unproven.findIndex((one) => one.sequence >= sequence)
    const proven = this.unproven.splice(0, upTo < 0 ? this.unproven.length : upTo)
    this.forget(proven.map((one) => one.id))
  }

  bound(): void {
    const now = this.clock()
    this.linked = true
    this.firstBind ??= now
    for (const known of this.known.values()) if (known.doubtUntil > 0) known.doubtUntil = now + DOUBT_AFTER_BIND
  }

  lost(): void {
    this.linked = false
    for (const known of this.known.values()) if (known.state !== 'refused') known.doubtUntil = Infinity
    this.unproven = []
  }

  /** What was never accepted goes first: answering it unheard would lose it. */
  private earlier(digest: string, now: number, arrived: number): Known | undefined {
    const again = (this.byDigest.get(digest) ?? []).filter(
      ({ state, doubtUntil, at, answeredAt }) =>
        doubtUntil > now ||
        (state === 'refused' && now - at < REFUSED_FOR) ||
        (arrived - at >= SLOW && answeredAt !== undefined && answeredAt >= arrived),
    )
    return again.find(({ state }) => state !== 'accepted') ?? again[0]
  }

  /** Once a minute, what can no longer come again is forgotten. */
  private sweep(now: number): void {
    if (now - this.swept < DOUBT_AFTER_BIND) return
    this.swept = now
    const past = [...this.known.values()].filter(
      ({ doubtUntil, state, at }) =>
        (doubtUntil > 0 && doubtUntil <= now) || (state === 'refused' && now - at >= REFUSED_FOR),
    )
    this.forget(past.map(({ id }) => id))
  }

  private suffix(digest: string, now: number): string {
    const early = this.firstBind !== undefined && now - this.firstBind < DOUBT_AFTER_BIND
    if (this.journal.lasting || !early) return randomUUID()
    const count = this.counts.get(digest) ?? 0
    this.counts.set(digest, count + 1)
    return `${Math.floor(now / BUCKET)}.${count}`
  }

  private add(known: Known): void {
    this.known.set(known.id, known)
    this.byDigest.set(known.digest, [...(this.byDigest.get(known.digest) ?? []), known])
    if (this.known.size <= MOST) return
    const [oldest] = this.known.keys()
    if (oldest !== undefined) this.forget([oldest])
  }

  private drop(id: string): void {
    const known = this.known.get(id)
    if (!known) return
    this.known.delete(id)
    const rest = (this.byDigest.get(known.digest) ?? []).filter((one) => one.id !== id)
    if (rest.length > 0) this.byDigest.set(known.digest, rest)
    else this.byDigest.delete(known.digest)
  }

  private forget(ids: readonly string[]): void {
    if (ids.length === 0) return
    ids.forEach((id) => this.drop(id))
    this.note({ k: 'forget', ids: [...ids] })
  }

  private note(entry: Entry): void {
    this.journal.append([entry], false).catch(() => undefined) // its loss only lengthens a doubt
  }
}
