// One bound session with an SMSC: requests with deadlines, answers to the peer's requests, enquire_link, and leave-taking.
import { readFileSync } from 'node:fs'
import * as smpp from 'smpp'
import type { Fields, Pdu, Session } from 'smpp'
import type { SmppConfig } from './config'
import { speakBytes } from './raw-packets'
import { nameOfStatus, OK, TRY_AGAIN, UNKNOWN_COMMAND } from './status'

speakBytes('deliver_sm')

/** So many packets of the SMSC may be in work; those above are told to come again. */
const MOST_BROUGHT = 200

/** How a packet of the SMSC is answered, and who wants to know when that was written. */
export interface Answer {
  readonly status: number
  /** Told the number of our last request before it, or undefined when it could not be written. */
  written?(sequence: number | undefined): void
}

export interface SessionEvents {
  /** Called before any packet is brought. */
  bound(): void
  brought(pdu: Pdu): Promise<Answer>
  /** The SMSC answered our request of this number. */
  proven(sequence: number): void
}

export class SessionError extends Error {
  override readonly name = 'SessionError'
  constructor(
    /** `refused`: the bind; `unsendable`: the packet does not fit; `silence`: no answer in time; `lost`: the connection is gone. */
    readonly kind: 'refused' | 'unsendable' | 'silence' | 'lost',
    sentence: string,
    cause?: unknown,
  ) {
    super(sentence, { cause })
  }
}

/**
 * Connects and binds as a transceiver. Rejects with a `SessionError` within two response timeouts; `signal` gives up at once.
 */
export async function bindSession(
  config: SmppConfig,
  events: SessionEvents,
  signal: AbortSignal,
): Promise<BoundSession> {
  const bound = new BoundSession(config, events)
  const abort = () => bound.destroy('it was closed')
  signal.addEventListener('abort', abort, { once: true })
  try {
    if (signal.aborted) abort()
    await bound.connected
    await bound.bind()
    return bound
  } catch (cause) {
    bound.destroy('the bind failed')
    throw cause
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

type Command = 'bind_transceiver' | 'submit_sm' | 'enquire_link' | 'unbind'

export class BoundSession {
  readonly connected: Promise<void>
  /** Resolves with the reason when the connection is gone. */
  readonly ended: Promise<string>
  private readonly session: Session
  private readonly calls = new Set<(cause: SessionError) => void>()
  private readonly patience: number
  private enquiries: NodeJS.Timeout | undefined
  private brought = 0
  private gone: string | undefined

  constructor(
    private readonly config: SmppConfig,
    private readonly events: SessionEvents,
  ) {
    this.patience = config.response_timeout * 1_000
    const { host, port, tls, ca_file: ca } = config
    this.session = smpp.connect({
      ...{ host, port, tls, noDelay: true },
      ...(tls && ca ? { ca: readFileSync(ca) } : {}),
    })
    this.session.on('error', (cause: Error) => this.destroy(cause.message))
    this.session.on('pdu', (pdu: Pdu) => this.hear(pdu))
    this.ended = new Promise((resolve) => {
      this.session.on('close', () => {
        this.leave(this.gone ?? 'the SMSC closed the connection')
        resolve(this.gone ?? '')
      })
    })
    this.connected = new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.destroy('it does not answer'), this.patience)
      this.session.on(tls ? 'secureConnect' : 'connect', resolve)
      void this.ended.then((reason) => reject(new SessionError('lost', `No connection to the SMSC: ${reason}.`)))
      this.connectedOrEnded(() => clearTimeout(timer))
    })
  }

  async bind(): Promise<void> {
    const { systemId, password, source_ton, source_npi, system_type, address_range } = this.config
    const fields = { system_id: systemId, password, system_type, address_range, interface_version: 0x34 }
    const address = { addr_ton: source_ton ?? 0, addr_npi: source_npi ?? 0 }
    await this.request('bind_transceiver', { ...fields, ...address }, ({ command_status: status }) => {
      if (status !== OK) throw new SessionError('refused', `The SMSC refuses the bind: ${nameOfStatus(status)}.`)
      this.events.bound()
    })
    this.enquiries = setInterval(() => {
      this.request('enquire_link', {}).catch(() => this.destroy('the SMSC does not answer enquire_link'))
    }, this.config.enquire_link * 1_000)
  }

  /** Sends a request and waits for its answer. `heard` is called with it even when it comes too late. */
  request(command: Command, fields: Fields, heard: (answer: Pdu) => void = () => undefined): Promise<Pdu> {
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown) => {
        clearTimeout(timer)
        this.calls.delete(fail)
        reject(cause instanceof Error ? cause : new Error(String(cause)))
      }
      const timer = setTimeout(
        () => fail(new SessionError('silence', `No answer to ${command} in time.`)),
        this.patience,
      )
      this.calls.add(fail)
      const answered = (answer: Pdu) => {
        try {
          this.events.proven(answer.sequence_number)
          heard(answer)
          this.calls.delete(fail)
          clearTimeout(timer)
          resolve(answer)
        } catch (cause) {
          fail(cause) // thrown on, it would leave the library deaf
        }
      }
      try {
        if (this.gone || !this.session[command](fields, answered)) {
          fail(new SessionError('lost', 'The link to the SMSC is gone.'))
        }
      } catch (cause) {
        fail(new SessionError('unsendable', `The fields of ${command} do not fit.`, cause))
      }
    })
  }

  /** Says goodbye and closes; after `patience` milliseconds without being asked back. */
  async unbind(patience: number): Promise<void> {
    const timer = setTimeout(() => this.destroy('we left'), patience)
    await this.request('unbind', {}).catch(() => undefined)
    this.gone ??= 'we left'
    this.session.close()
    await this.ended
    clearTimeout(timer)
  }

  destroy(reason: string): void {
    this.leave(reason)
    this.session.destroy()
  }

  private leave(reason: string): void {
    this.gone ??= reason
    clearInterval(this.enquiries)
    for (const fail of this.calls) fail(new SessionError('lost', `The link to the SMSC is gone: ${this.gone}.`))
  }

  private connectedOrEnded(act: () => void): void {
    this.session.once(this.config.tls ? 'secureConnect' : 'connect', act)
    this.session.once('close', act)
  }

  private hear(pdu: Pdu): void {
    if (pdu.isResponse()) return
    if (pdu.command === 'deliver_sm' || pdu.command === 'data_sm') void this.take(pdu)
    else if (pdu.command === 'enquire_link') this.send(pdu.response())
    else if (pdu.command === 'unbind') {
      this.send(pdu.response())
      this.gone ??= 'the SMSC unbound us'
      this.session.close()
      setTimeout(() => this.session.destroy(), this.patience).unref() // it may leave its side open
    } else if (pdu.command === 'unknown' || `${pdu.command}_resp` in smpp.commands) {
      this.send(pdu.response({ command_status: UNKNOWN_COMMAND }))
    }
  }

  private async take(pdu: Pdu): Promise<void> {
    this.brought += 1
    const answer: Answer = this.brought > MOST_BROUGHT ? { status: TRY_AGAIN } : await this.bring(pdu)
    this.brought -= 1
    const { sequence } = this.session
    const fields = answer.status === OK ? { message_id: '' } : { command_status: answer.status }
    const written = this.send(pdu.response(fields))
    answer.written?.(written ? sequence : undefined)
  }

  private bring(pdu: Pdu): Promise<Answer> {
    return this.events.brought(pdu).catch(() => ({ status: TRY_AGAIN }))
  }

  private send(pdu: Pdu): boolean {
    try {
      return !this.gone && this.session.send(pdu)
    } catch {
      return false
    }
  }
}
