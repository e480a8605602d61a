// Starts the SMSC that is not ours (smsc.pl, on Debian's Net::SMPP) and gives the tests a handle on it.
import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { foundOrInstalled } from '../debian'
import { eventually } from '../eventually'

/** How it behaves from now on; what is left out stays as it is. The values behind the words are the first ones. */
export interface Behaviour {
  /** Form of the ids in the answer to a submit: hex (eight digits). */
  ids?: 'hex' | 'decimal' | 'name'
  /** Form of the ids in receipts: same. `decimal` is filled up with zeros, `hex` is in small letters without. */
  receiptIds?: 'same' | 'decimal' | 'hex'
  /** When a receipt comes: after the answer to its submit. */
  receipts?: 'after' | 'before' | 'none'
  /** Whether receipts also tell id and state in their own parameters: no. */
  receiptTlv?: boolean
  /** What receipts say: DELIVRD, 000. */
  state?: string
  err?: string
  /** Command statuses for the next submits, in order; after them, and for 0, they are accepted. */
  statuses?: number[]
  /** So many binds are refused, submits never answered, and answers to `deliver_sm` overheard with the link cut. */
  refuseBinds?: number
  mute?: number
  loseAnswers?: number
  /** How many `deliver_sm` may wait for their answer: 10. */
  window?: number
  /** Seconds until a refused `deliver_sm` is brought again (0.3), and an unanswered one (30). */
  retryAfter?: number
  answerWithin?: number
  /** If set, other passwords are refused. */
  password?: string
}

/** A `submit_sm` as the SMSC saw it. */
export interface Submitted {
  readonly session: number
  readonly status: number
  readonly id: string
  readonly from: string
  readonly fromTon: number
  readonly fromNpi: number
  readonly to: string
  readonly toTon: number
  readonly toNpi: number
  readonly dataCoding: number
  readonly registeredDelivery: number
  /** The text of this part, decoded by Perl. */
  readonly text: string
  readonly hex: string
  readonly reference: number
  readonly total: number
  readonly part: number
}

export interface CustomerMessage {
  /** `+491701234567` or a short code. */
  readonly from: string
  readonly to: string
  /** Of any length; longer ones come as parts. */
  readonly text: string
  /** The parts come last one first. */
  readonly reverse?: boolean
}

export interface SmscEvent {
  readonly event: string
  readonly [field: string]: unknown
}

export interface Smsc {
  readonly port: number
  /** `smpp://system:secret@127.0.0.1:port`, with settings behind it. */
  url(settings?: Record<string, string | number>): string
  /** All it saw, in order. */
  readonly events: readonly SmscEvent[]
  /** Submits in the order they came, refused ones included. */
  submitted(): Submitted[]
  /** The texts it accepted, parts joined, in the order in which they became whole. */
  texts(): { from: string; to: string; text: string }[]
  /** Ids of the receipts that were answered OK. */
  receiptsAnswered(): string[]
  /** Sessions that are bound now. */
  bound(): number
  configure(behaviour: Behaviour): Promise<void>
  /** Queues a customer's message, for now or the next bind; resolves with its numbers, one for each part. */
  deliverSms(message: CustomerMessage): Promise<number[]>
  /** The command statuses with which an ESME answered the `deliver_sm` of this number, in order. */
  answers(delivery: number): number[]
  /** Resolves when the last answer to each of them was OK. */
  accepted(deliveries: readonly number[]): Promise<void>
  /** Brings a receipt for a submit of this id. */
  receipt(id: string, state: string, err?: string): void
  /** Sends `enquire_link`, or `unbind`, to everybody. */
  enquire(): void
  unbind(): void
  /** Cuts all connections; what was not acknowledged is brought again after the next bind. */
  drop(): void
  stop(): Promise<void>
}

/** Starts one on a free port of the loopback, or on `port`. */
export async function startSmsc(behaviour: Behaviour = {}, port = 0): Promise<Smsc> {
  const program = foundOrInstalled(perl, 'libnet-smpp-perl', NEED)
  const child = spawn(program, [join(__dirname, 'smsc.pl'), String(port)], { stdio: ['pipe', 'pipe', 'pipe'] })
  const smsc = new PerlSmsc(child)
  await eventually(() => {
    if (!smsc.port) throw new Error(`The SMSC does not listen: ${smsc.complaint}`)
  })
  await smsc.configure(behaviour)
  return smsc
}

/** Perl, when it has all that the SMSC needs. */
const perl = (): string | undefined => {
  try {
    execFileSync('perl', ['-MNet::SMPP', '-MJSON::PP', '-e', '1'], { stdio: 'ignore' })
    return 'perl'
  } catch {
    return undefined
  }
}
const NEED = 'This test needs an SMSC that is not ours: apt-get install libnet-smpp-perl (it carries Net::SMPP).'

class PerlSmsc implements Smsc {
  readonly events: SmscEvent[] = []
  complaint = ''
  private nextKey = 1

  constructor(private readonly child: ChildProcessWithoutNullStreams) {
    createInterface({ input: child.stdout }).on('line', (line) => this.events.push(JSON.parse(line) as SmscEvent))
    child.stderr.on('data', (chunk: Buffer) => (this.complaint = (this.complaint + chunk.toString()).slice(-2_000)))
    child.stdin.on('error', () => undefined) // it may have died; the test will notice by what it does not say
  }

  get port(): number {
    return Number(this.of('listening')[0]?.['port'] ?? 0)
  }

  url(settings: Record<string, string | number> = {}): string {
    const query = Object.entries(settings).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    return `smpp://system:secret@127.0.0.1:${this.port}?${query.join('&')}`
  }

  submitted(): Submitted[] {
    return this.of('submitted') as unknown as Submitted[]
  }

  texts(): { from: string; to: string; text: string }[] {
    const parts = new Map<string, Map<number, string>>()
    return this.submitted().flatMap(({ from, to, reference, total, part, text, status }) => {
      if (status !== 0) return []
      const key = `${from} ${to} ${reference} ${total}`
      const known = (parts.get(key) ?? new Map<number, string>()).set(part, text)
      parts.set(key, known)
      if (known.size < total) return []
      parts.delete(key)
      const whole = [...known].sort(([a], [b]) => a - b).map(([, piece]) => piece)
      return [{ from, to, text: whole.join('') }]
    })
  }

  receiptsAnswered(): string[] {
    return this.of('answered').flatMap(({ receipt, status }) =>
      typeof receipt === 'string' && status === 0 ? [receipt] : [],
    )
  }

  bound(): number {
    const gone = new Set(this.of('gone').map(({ session }) => session))
    return this.of('bound').filter(({ session }) => !gone.has(session)).length
  }

  async configure(set: Behaviour): Promise<void> {
    await this.ask('configure', 'configured', { set })
  }

  async deliverSms(message: CustomerMessage): Promise<number[]> {
    const { deliveries } = await this.ask('deliver', 'queued', { ...message })
    return deliveries as number[]
  }

  answers(delivery: number): number[] {
    return this.of('answered').flatMap((one) => (one['delivery'] === delivery ? [Number(one['status'])] : []))
  }

  async accepted(deliveries: readonly number[]): Promise<void> {
    await eventually(() => {
      const open = deliveries.filter((delivery) => this.answers(delivery).at(-1) !== 0)
      if (open.length > 0) throw new Error(`The SMSC waits for the answers to ${open.join(', ')}.`)
    })
  }

  receipt(id: string, state: string, err = '000'): void {
    this.tell({ cmd: 'receipt', id, state, err })
  }

  enquire(): void {
    this.tell({ cmd: 'enquire' })
  }

  unbind(): void {
    this.tell({ cmd: 'unbind' })
  }

  drop(): void {
    this.tell({ cmd: 'drop' })
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const exit = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await exit
  }

  private of(event: string): SmscEvent[] {
    return this.events.filter((one) => one.event === event)
  }

  private tell(order: object): void {
    this.child.stdin.write(`${JSON.stringify(order)}\n`)
  }

  private async ask(cmd: string, answer: string, fields: object): Promise<SmscEvent> {
    const key = this.nextKey++
    this.tell({ ...fields, cmd, key })
    let answered: SmscEvent | undefined
    await eventually(() => {
      answered = this.of(answer).find((one) => one['key'] === key)
      if (!answered) throw new Error(`The SMSC does not answer ${cmd}: ${this.complaint}`)
    })
    return answered ?? { event: answer }
  }
}
