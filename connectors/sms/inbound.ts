// Takes what the SMSC brings: messages, parts of messages and receipts. Answers OK only when they are durable.
import type { Pdu } from 'smpp'
import type { Gateway } from '../connector'
import type { Answer } from './bound-session'
import { type Brought, digestOf, type Place, readBrought, textOf } from './codec'
import type { SmppConfig } from './config'
import { within } from './deadline'
import type { Entry, Journal } from './journal'
import type { Log } from './log'
import { nameOf } from './numbers'
import { type Collected, type Part, type Reassembly, textOfParts } from './reassembly'
import { readReceipt, type Receipt } from './receipt'
import type { Repeats } from './repeats'
import type { Found, Sent } from './sent'
import type { SmscLink } from './smsc-link'
import { OK, TRY_AGAIN } from './status'

/** How long the gateway may take before the SMSC is told to come again, in milliseconds. */
const PATIENCE = 20_000
/** How long a receipt waits for the answers of submits it may belong to, in milliseconds. */
const RECEIPT_WAITS = 5_000
const MOST_REASON = 256

export interface InboundDeps {
  readonly config: SmppConfig
  readonly gateway: Gateway
  readonly journal: Pick<Journal, 'append'>
  readonly repeats: Repeats
  readonly reassembly: Reassembly
  readonly sent: Sent
  readonly link: Pick<SmscLink, 'settled' | 'busy'>
  readonly log: Log
  readonly clock: () => number
}

export class Inbound {
  /** The last message of each sender that is in work: what one says stays in order. */
  private readonly tails = new Map<string, Promise<Answer>>()
  private readonly receipts = new Set<Promise<Answer>>()

  constructor(private readonly deps: InboundDeps) {}

  brought(pdu: Pdu): Promise<Answer> {
    const brought = readBrought(pdu)
    const arrived = this.deps.clock()
    if (brought.kind === 'message') return this.inTurn(brought.from.digits, () => this.message(brought, arrived))
    const work = this.receipt(brought).finally(() => this.receipts.delete(work))
    this.receipts.add(work)
    return work
  }

  /** Delivers as they are the messages whose missing parts did not come in time. */
  async sweep(): Promise<void> {
    for (const message of this.deps.reassembly.expired(this.deps.clock())) {
      await this.handOver(message).catch(() => undefined) // it stays, and is tried again at the next sweep
    }
  }

  /** Resolves when nothing is in work any more. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.tails.values(), ...this.receipts])
  }

  private inTurn(sender: string, work: () => Promise<Answer>): Promise<Answer> {
    const before = this.tails.get(sender)
    const turn = (before ? before.then(work) : work()).finally(() => {
      if (this.tails.get(sender) === turn) this.tails.delete(sender)
    })
    this.tails.set(sender, turn)
    return turn
  }

  private async message(brought: Brought, arrived: number): Promise<Answer> {
    const { repeats } = this.deps
    let id: string | undefined
    try {
      const claim = await repeats.claim(digestOf(brought), arrived)
      id = claim.id
      if (!claim.accepted) await repeats.accept(id, await this.take(brought, id))
      return this.answer(OK, id)
    } catch (cause) {
      this.refused('A message could not be handed to the gateway; the SMSC is asked to bring it again.', cause)
      if (id !== undefined) repeats.refuse(id)
      return this.answer(TRY_AGAIN, id)
    }
  }

  private answer(status: number, id: string | undefined): Answer {
    return { status, written: (sequence) => id !== undefined && this.deps.repeats.answered(id, sequence) }
  }

  /** Resolves when durable, with what is left to note in the journal. */
  private async take(brought: Brought, id: string): Promise<Entry[]> {
    const { country } = this.deps.config
    const [from, account] = [nameOf(brought.from, country), nameOf(brought.to, country)]
    if (brought.place) return this.takePart(this.partOf(brought, brought.place, { id, from, account }))
    const text = textOf(brought.body, brought.dataCoding)
    await this.receive({ from, account, text, externalMessageId: id })
    return []
  }

  private partOf(brought: Brought, place: Place, names: Pick<Part, 'id' | 'from' | 'account'>): Part {
    return {
      ...names,
      key: JSON.stringify([brought.from.digits, brought.to.digits, place.reference]),
      at: this.deps.clock(),
      total: place.total,
      number: place.number,
      dataCoding: brought.dataCoding,
      body: brought.body.toString('base64'),
    }
  }

  private async takePart(part: Part): Promise<Entry[]> {
    const { journal, reassembly } = this.deps
    for (let other = reassembly.inTheWay(part); other; other = reassembly.inTheWay(part)) await this.handOver(other)
    const whole = reassembly.whole(part)
    if (whole) {
      await this.receiveWhole(whole)
      reassembly.remove(part.key)
      return [{ k: 'done', key: part.key }]
    }
    const kept = { ...part, id: reassembly.idOf(part) }
    await journal.append([{ ...kept, k: 'part' }], true)
    reassembly.keep(kept)
    return []
  }

  private async handOver(message: Collected): Promise<void> {
    await this.receiveWhole(message)
    this.deps.reassembly.remove(message.key)
    await this.deps.journal.append([{ k: 'done', key: message.key }], false)
  }

  private receiveWhole(message: Collected): Promise<void> {
    const { from, account, id: externalMessageId } = message
    return this.receive({ from, account, text: textOfParts(message), externalMessageId })
  }

  private receive(message: Parameters<Gateway['receive']>[0]): Promise<void> {
    return within(PATIENCE, this.deps.gateway.receive(message))
  }

  private async receipt(brought: Brought): Promise<Answer> {
    const { body, dataCoding, id: receiptedId, messageState, networkError } = brought
    // SMSCs write receipts in ASCII, whatever alphabet they call it.
    const text = textOf(body, dataCoding === 8 ? 8 : 3)
    const receipt = readReceipt({ text, receiptedId, messageState, networkError })
    try {
      await this.report(receipt, brought)
      return { status: OK }
    } catch (cause) {
      this.refused('A receipt could not be handed to the gateway; the SMSC is asked to bring it again.', cause)
      return { status: TRY_AGAIN }
    }
  }

  private async report({ id, exact, state, reason }: Receipt, brought: Brought): Promise<void> {
    if (id === undefined) this.deps.log.warn({}, 'A receipt names no message; it was answered and left alone.')
    if (id === undefined || state === undefined) return
    const found = await this.find(id, exact, brought)
    const names = {
      providerMessageId: found?.id ?? id,
      account: found?.account ?? nameOf(brought.to, this.deps.config.country),
    }
    const told = reason ? { reason: reason.slice(0, MOST_REASON) } : {}
    await within(PATIENCE, this.deps.gateway.report({ ...names, state, ...told }))
  }

  /** A receipt may overtake the answer to its submit: then the form of its id is known only when that is here. */
  private async find(id: string, exact: boolean, { from, to }: Brought): Promise<Found | undefined> {
    const { link, sent } = this.deps
    const look = () => sent.find(id, [from.digits, to.digits], exact)
    const found = look()
    if (found?.sure || !link.busy) return found
    await link.settled(RECEIPT_WAITS)
    return look()
  }

  private refused(sentence: string, cause: unknown): void {
    this.deps.log.warn({ error: cause instanceof Error ? cause.name : 'unknown' }, sentence)
  }
}
