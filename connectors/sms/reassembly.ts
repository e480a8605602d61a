// Collects the parts of concatenated messages, in any order, until they are whole, too old, or too many. No I/O.
import { textOf } from './codec'
import type { Entry, EntryOf } from './journal'

export type Part = Omit<EntryOf<'part'>, 'k'>

/** A concatenated message as far as it is here. */
export interface Collected {
  readonly key: string
  /** Given by the first part that came; the same for the whole. */
  readonly id: string
  readonly from: string
  readonly account: string
  readonly total: number
  /** When the first part came, in milliseconds. */
  readonly at: number
  readonly parts: ReadonlyMap<number, Part>
}

/** How many messages may be incomplete, how many bytes they may hold, and how long they may wait, in milliseconds. */
export const LIMITS = { messages: 1_000, bytes: 4 * 1024 * 1024, age: 24 * 60 * 60_000 }

/** What stands in a message where a part never came. */
const GAP = '[…]'

/** A part that a peer numbers like one we have, with other words, begins a message of its own. */
const differs = (one: Part, other: Part): boolean =>
  one.body !== other.body || one.dataCoding !== other.dataCoding || one.total !== other.total

export class Reassembly {
  private readonly incomplete = new Map<string, Collected & { readonly parts: Map<number, Part> }>()
  private bytes = 0

  constructor(private readonly limits = LIMITS) {}

  load(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.k === 'part') this.keep(entry)
      else if (entry.k === 'done') this.remove(entry.key)
    }
  }

  snapshot(): Entry[] {
    return [...this.incomplete.values()].flatMap(({ parts }) =>
      [...parts.values()].map((part): Entry => ({ ...part, k: 'part' })),
    )
  }

  /** What has to be delivered as it is before there is room for this part: a message under the same reference, or the oldest. */
  inTheWay(part: Part): Collected | undefined {
    const same = this.incomplete.get(part.key)
    if (same) {
      const [any] = same.parts.values()
      const twin = same.parts.get(part.number)
      return (twin && differs(twin, part)) || any?.total !== part.total ? same : undefined
    }
    const full = this.incomplete.size >= this.limits.messages || this.bytes + part.body.length > this.limits.bytes
    return full ? this.incomplete.values().next().value : undefined
  }

  /** The message with this part added, if nothing is missing any more. The part itself is not kept. */
  whole(part: Part): Collected | undefined {
    const { parts, ...rest } = this.incomplete.get(part.key) ?? { ...part, parts: new Map<number, Part>() }
    const all = new Map(parts).set(part.number, part)
    return all.size === part.total ? { ...rest, parts: all } : undefined
  }

  /** The id of the message a part belongs to; the part's own when it is the first to come. */
  idOf(part: Part): string {
    return this.incomplete.get(part.key)?.id ?? part.id
  }

  keep(part: Part): void {
    const { key, id, from, account, total, at } = part
    const message = this.incomplete.get(key) ?? { key, id, from, account, total, at, parts: new Map<number, Part>() }
    this.incomplete.set(key, message)
    this.bytes += part.body.length - (message.parts.get(part.number)?.body.length ?? 0)
    message.parts.set(part.number, part)
  }

  remove(key: string): void {
    for (const part of this.incomplete.get(key)?.parts.values() ?? []) this.bytes -= part.body.length
    this.incomplete.delete(key)
  }

  /** Those that waited too long at the time `now`. */
  expired(now: number): Collected[] {
    return [...this.incomplete.values()].filter(({ at }) => now - at >= this.limits.age)
  }
}

/** The text of what is here; a missing part is shown as a gap. Neighbours are joined as bytes, for some senders tear characters. */
export function textOfParts({ total, parts }: Pick<Collected, 'total' | 'parts'>): string {
  let text = ''
  let run: { dataCoding: number; bodies: Buffer[] } | undefined
  const flush = () => {
    if (run) text += textOf(Buffer.concat(run.bodies), run.dataCoding)
    run = undefined
  }
  for (let number = 1; number <= total; number++) {
    const part = parts.get(number)
    if (part?.dataCoding !== run?.dataCoding) flush()
    if (part) {
      run ??= { dataCoding: part.dataCoding, bodies: [] }
      run.bodies.push(Buffer.from(part.body, 'base64'))
    } else if (!text.endsWith(GAP)) text += GAP
  }
  flush()
  return text
}
