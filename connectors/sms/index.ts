// SMS over SMPP 3.4: a connector that is bound to an SMSC as a transceiver.
import { join } from 'node:path'
import { type Accepted, type Connector, DeliveryError, type Gateway, type Outgoing } from '../connector'
import { readSmppUrl, type SmppConfig } from './config'
import { within } from './deadline'
import { Inbound } from './inbound'
import { type Entry, type Journal, memoryJournal, openJournal } from './journal'
import { type Log, silent } from './log'
import { Outbound } from './outbound'
import { Reassembly } from './reassembly'
import { Repeats } from './repeats'
import { Sent } from './sent'
import { SmscLink } from './smsc-link'

export interface SmsOptions {
  /** `smpp://system_id:password@host:port?…`; see config.ts for its settings. */
  readonly url: string
  /**
   * A folder for the journal, which one process may use at a time. Without it a restart forgets parts of messages, which segments
   * were accepted, and which messages the SMSC may bring again.
   */
  readonly journalDir?: string
  readonly log?: Log
  /** Milliseconds since 1970. */
  readonly clock?: () => number
}

/** How long leaving may take in all, in milliseconds: one half for what is on its way, one for the unbind. */
const LEAVING = 5_000
const SWEEP_EVERY = 60_000

/** Throws a sentence when the URL is wrong; connects only in `start`. */
export function createSmsConnector(options: SmsOptions): Connector {
  return new SmsConnector(readSmppUrl(options.url), options)
}

class SmsConnector implements Connector {
  readonly channel = 'sms'
  readonly name = 'SMS'
  readonly account?: string
  private running: Promise<Running> | undefined
  private ready: Running | undefined
  private closed: Promise<void> | undefined

  constructor(
    private readonly config: SmppConfig,
    private readonly options: SmsOptions,
  ) {
    if (config.account) this.account = config.account
  }

  async start(gateway: Gateway): Promise<void> {
    if (this.closed) throw new Error('The SMS connector is closed.')
    this.running ??= Running.open(this.config, this.options, gateway)
    const running = await this.running
    await running.link.open()
    this.ready = running
  }

  async deliver(message: Outgoing): Promise<Accepted> {
    if (this.closed || !this.ready) throw new DeliveryError('closed', { retryable: true, retryAfter: 1 })
    return this.ready.outbound.deliver(message)
  }

  close(): Promise<void> {
    this.closed ??= this.running
      ? this.running.then((running) => running.close()).catch(() => undefined)
      : Promise.resolve()
    return this.closed
  }
}

/** What lives from start to close. */
class Running {
  readonly link: SmscLink
  readonly outbound: Outbound
  private readonly inbound: Inbound
  private readonly sweeps: NodeJS.Timeout

  private constructor(parts: Memory & { config: SmppConfig; options: SmsOptions; gateway: Gateway }) {
    const { config, options, gateway, journal, repeats, reassembly, sent } = parts
    const { log = silent, clock = Date.now } = options
    this.journal = journal
    this.link = new SmscLink({
      ...{ config, log, clock },
      events: {
        bound: () => repeats.bound(),
        brought: (pdu) => this.inbound.brought(pdu),
        proven: (sequence) => repeats.proven(sequence),
        lost: () => repeats.lost(),
      },
    })
    this.outbound = new Outbound({ config, link: this.link, sent })
    this.inbound = new Inbound({ config, gateway, journal, repeats, reassembly, sent, link: this.link, log, clock })
    this.sweeps = setInterval(() => void this.inbound.sweep(), SWEEP_EVERY).unref()
  }

  private readonly journal: Journal

  static async open(config: SmppConfig, options: SmsOptions, gateway: Gateway): Promise<Running> {
    return new Running({ config, options, gateway, ...(await recall(config, options)) })
  }

  async close(): Promise<void> {
    clearInterval(this.sweeps)
    const idle = Promise.all([this.outbound.idle(), this.inbound.idle()])
    await within(LEAVING / 2, idle).catch(() => undefined)
    await this.link.close(LEAVING / 2)
    await this.journal.close()
  }
}

interface Memory {
  readonly journal: Journal
  readonly repeats: Repeats
  readonly reassembly: Reassembly
  readonly sent: Sent
}

/** Opens the journal and fills what remembers from it. */
async function recall(config: SmppConfig, { journalDir, clock = Date.now }: SmsOptions): Promise<Memory> {
  const parts: { snapshot(): Entry[] }[] = []
  const snapshot = () => parts.flatMap((part) => part.snapshot())
  const journal = journalDir === undefined ? memoryJournal() : await openJournal(pathOf(config, journalDir), snapshot)
  const memory = {
    journal,
    repeats: new Repeats(journal, clock),
    reassembly: new Reassembly(),
    sent: new Sent(journal, clock),
  }
  for (const part of [memory.repeats, memory.reassembly, memory.sent]) {
    part.load(journal.entries)
    parts.push(part)
  }
  return memory
}

/** Two binds may share a folder, not a file. */
function pathOf({ host, port, systemId }: SmppConfig, folder: string): string {
  return join(folder, `smpp-${encodeURIComponent(systemId)}-${encodeURIComponent(host)}-${port}.jsonl`)
}
