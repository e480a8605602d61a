// Remembers what the SMSC took: which segments of a delivery, so that a retry sends only the rest, and under which ids, so that a receipt finds them.
import type { Entry, EntryOf, Journal } from './journal'
import { sameNumber } from './numbers'

/** How many segments are remembered, and how long, in milliseconds: networks give a message up after three days. */
const MOST = 20_000
const OLDEST = 72 * 60 * 60_000

type Segment = EntryOf<'sent'>

/** What is known of a delivery on its way out. */
export interface Outset {
  /** The reference in the header of each segment. */
  readonly reference: number
  /** The SMSC's ids of those it took, by segment; '' where it gave none. */
  readonly ids: ReadonlyMap<number, string>
}

/** A segment that a receipt may mean. */
export interface Found {
  readonly id: string
  readonly account: string
  /** False when the recipients differ: perhaps another message's. */
  readonly sure: boolean
}

interface Delivery {
  readonly reference: number
  readonly total: number
  readonly at: number
  readonly segments: Map<number, Segment>
}

const plain = (id: string): string =>
  id
    .trim()
    .toLowerCase()
    .replace(/^0+(?=.)/, '')

/** The same number written in the other base: SMSCs answer `1A` and write `id:26` in the receipt, or the other way round. */
function otherForms(id: string): string[] {
  const forms: string[] = []
  if (/^[0-9a-f]{1,32}$/.test(id)) forms.push(BigInt(`0x${id}`).toString())
  if (/^[0-9]{1,39}$/.test(id)) forms.push(BigInt(id).toString(16))
  return forms
}

export class Sent {
  private readonly deliveries = new Map<string, Delivery>()
  private readonly exact = new Map<string, Set<Segment>>()
  private readonly converted = new Map<string, Set<Segment>>()
  private size = 0
  private nextReference = Math.floor(Math.random() * 256)
  /** How this SMSC writes ids in receipts, learnt from the last one that left no doubt. */
  private habit: 'exact' | 'converted' = 'exact'

  constructor(
    private readonly journal: Pick<Journal, 'append'>,
    private readonly clock: () => number,
  ) {}

  load(entries: readonly Entry[]): void {
    for (const entry of entries) if (entry.k === 'sent' && this.clock() - entry.at < OLDEST) this.keep(entry)
  }

  snapshot(): Entry[] {
    return [...this.deliveries.values()].flatMap(({ segments }) => [...segments.values()])
  }

  /** Where a delivery of so many segments stands: at its beginning, or where an earlier try left it. */
  outset(delivery: string, total: number): Outset {
    const known = this.deliveries.get(delivery)
    if (known?.total === total) {
      return { reference: known.reference, ids: new Map([...known.segments].map(([index, { id }]) => [index, id])) }
    }
    if (known) this.drop(delivery)
    this.nextReference = (this.nextReference + 1) % 256
    const reference = this.nextReference
    this.deliveries.set(delivery, { reference, total, at: this.clock(), segments: new Map() })
    this.trim()
    return { reference, ids: new Map() }
  }

  /** The SMSC took a segment. Not synced: only a power cut between now and the answer to the gateway sends it twice. */
  async accept(segment: Omit<Segment, 'k' | 'at'>): Promise<void> {
    const entry: Segment = { ...segment, k: 'sent', at: this.clock() }
    this.keep(entry)
    await this.journal.append([entry], false).catch(() => undefined)
  }

  /**
   * The segment that a receipt means. `exact`: the SMSC promises its first form. The recipient settles
   * what two forms leave open, then the habit of this SMSC.
   */
  find(receiptId: string, addresses: readonly string[], exact: boolean): Found | undefined {
    const id = plain(receiptId)
    const same = [...(this.exact.get(id) ?? [])]
    const other = [...(this.converted.get(id) ?? [])]
    const near = ({ to }: Segment) => addresses.some((address) => sameNumber(to, address))
    const [sameNear, otherNear] = [same.filter(near), other.filter(near)]
    const sure = sameNear.length + otherNear.length > 0
    const [plainly, otherwise] = sure ? [sameNear, otherNear] : [same, other]
    const form = this.formOf(plainly.length > 0, otherwise.length > 0, exact)
    if (sure && plainly.length > 0 !== otherwise.length > 0) this.habit = form
    const found = (form === 'exact' ? plainly : otherwise).at(-1)
    return found && { id: found.id, account: found.account, sure }
  }

  private formOf(plainly: boolean, otherwise: boolean, exact: boolean): 'exact' | 'converted' {
    if (plainly && otherwise) return exact ? 'exact' : this.habit
    return otherwise ? 'converted' : 'exact'
  }

  private keep(segment: Segment): void {
    const { delivery, reference, total, index, at, id } = segment
    const known = this.deliveries.get(delivery) ?? { reference, total, at, segments: new Map<number, Segment>() }
    const before = known.segments.get(index)
    if (before) this.unlist(before)
    known.segments.set(index, segment)
    this.deliveries.set(delivery, known)
    this.size += 1
    if (id !== '') {
      list(this.exact, plain(id), segment)
      for (const form of otherForms(plain(id))) list(this.converted, form, segment)
    }
    this.trim()
  }

  private trim(): void {
    for (const [delivery, { at }] of this.deliveries) {
      const full = this.size > MOST || this.deliveries.size > MOST
      if (!full && this.clock() - at < OLDEST) return
      this.drop(delivery)
    }
  }

  private drop(delivery: string): void {
    for (const segment of this.deliveries.get(delivery)?.segments.values() ?? []) this.unlist(segment)
    this.deliveries.delete(delivery)
  }

  private unlist(segment: Segment): void {
    this.size -= 1
    if (segment.id === '') return
    unlist(this.exact, plain(segment.id), segment)
    for (const form of otherForms(plain(segment.id))) unlist(this.converted, form, segment)
  }
}

function list(index: Map<string, Set<Segment>>, form: string, segment: Segment): void {
  index.set(form, (index.get(form) ?? new Set()).add(segment))
}

function unlist(index: Map<string, Set<Segment>>, form: string, segment: Segment): void {
  const listed = index.get(form)
  listed?.delete(segment)
  if (listed?.size === 0) index.delete(form)
}
