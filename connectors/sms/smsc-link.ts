// The link to the SMSC: bound again whenever it is lost, with a window for submits and a pause when the SMSC asks for one.
import { setTimeout as delay } from 'node:timers/promises'
import type { Pdu } from 'smpp'
import { DeliveryError } from '../connector'
import { bindSession, type BoundSession, SessionError, type SessionEvents } from './bound-session'
import { submitFields, type Submit } from './codec'
import type { SmppConfig } from './config'
import type { Log } from './log'
import { asksForPause, isPermanent, nameOfStatus, OK } from './status'
import { SubmitWindow } from './window'

/** Waits between binds, in milliseconds: doubled each time up to the cap, and cut by chance. */
const BACKOFF = { first: 500, cap: 30_000 }
/** A link that held so long begins again with the shortest wait, in milliseconds. */
const STEADY = 5_000
/** Pauses when the SMSC throttles, in milliseconds: doubled until it takes a message again. */
const PAUSE = { first: 1_000, cap: 30_000 }

export interface LinkDeps {
  readonly config: SmppConfig
  readonly log: Log
  readonly clock: () => number
  readonly events: SessionEvents & { lost(): void }
}

export class SmscLink {
  private readonly window: SubmitWindow
  private readonly closing = new AbortController()
  private readonly outstanding = new Set<Promise<unknown>>()
  private session: BoundSession | undefined
  private running: Promise<void> | undefined
  private pause = PAUSE.first
  private pausedUntil = 0
  private bindAgainAt = 0

  constructor(private readonly deps: LinkDeps) {
    this.window = new SubmitWindow(deps.config.window, deps.clock)
  }

  /** Resolves at the first bind; keeps trying until then. Rejects when it is closed before. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.closing.signal.addEventListener('abort', () => reject(new Error('The link was closed before it was bound.')))
      this.running ??= this.run(resolve)
    })
  }

  /** Submits one part and resolves with the SMSC's id. `accepted` hears of it even when the answer comes too late. */
  async submit(part: Submit, accepted: (id: string) => void): Promise<string> {
    this.bound()
    await this.window.enter(this.deps.config.response_timeout * 1_000)
    const call = this.bound(() => this.window.leave())
      .request('submit_sm', submitFields(part), (answer) => {
        if (answer.command_status === OK) accepted(answer.message_id ?? '')
      })
      .finally(() => this.window.leave())
    this.outstanding.add(call)
    try {
      return this.taken(await call)
    } catch (cause) {
      throw cause instanceof SessionError ? this.errorOf(cause) : cause
    } finally {
      this.outstanding.delete(call)
    }
  }

  /** Resolves when the submits that are outstanding now are answered or given up; at most after `patience` milliseconds. */
  async settled(patience: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const enough = new Promise<void>((resolve) => (timer = setTimeout(resolve, patience)))
    await Promise.race([Promise.allSettled(this.outstanding), enough]).finally(() => clearTimeout(timer))
  }

  get busy(): boolean {
    return this.outstanding.size > 0
  }

  /** Unbinds, at most for `patience` milliseconds, and stays away. */
  async close(patience: number): Promise<void> {
    this.closing.abort()
    this.window.close(new DeliveryError('closed', { retryable: true }))
    await this.session?.unbind(patience)
    await this.running
  }

  private bound(otherwise?: () => void): BoundSession {
    if (this.session) return this.session
    otherwise?.()
    throw this.down()
  }

  private left(): boolean {
    return this.closing.signal.aborted
  }

  private async run(opened: () => void): Promise<void> {
    const { signal } = this.closing
    const { clock, config, events, log } = this.deps
    const peer = { host: config.host, port: config.port, systemId: config.systemId }
    for (let attempt = 0; !this.left(); attempt++) {
      try {
        const session = await bindSession(config, events, signal)
        this.session = session
        const since = clock()
        log.info(peer, 'The SMSC accepted the bind.')
        opened()
        const reason = await session.ended
        this.gone()
        if (clock() - since >= STEADY) attempt = 0
        if (!this.left()) log.warn({ ...peer, reason }, 'The link to the SMSC is gone; it will be bound again.')
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : 'unknown'
        if (!this.left()) log.warn({ ...peer, attempt, reason }, 'The bind failed; it will be tried again.')
      }
      await this.rest(Math.random() * Math.min(BACKOFF.cap, BACKOFF.first * 2 ** Math.min(attempt, 10)))
    }
  }

  private gone(): void {
    this.session = undefined
    this.window.refuseAll(this.down())
    this.deps.events.lost()
  }

  private async rest(milliseconds: number): Promise<void> {
    this.bindAgainAt = this.deps.clock() + milliseconds
    await delay(milliseconds, undefined, { signal: this.closing.signal }).catch(() => undefined)
  }

  private taken(answer: Pdu): string {
    const status = answer.command_status
    if (status === OK) {
      this.pause = PAUSE.first
      return answer.message_id ?? ''
    }
    if (!asksForPause(status)) throw new DeliveryError(nameOfStatus(status), { retryable: !isPermanent(status) })
    throw new DeliveryError(nameOfStatus(status), { retryable: true, retryAfter: Math.ceil(this.rested() / 1_000) })
  }

  /** Pauses all submits and tells for how long. Those that were out already and are throttled as well do not lengthen it. */
  private rested(): number {
    const now = this.deps.clock()
    if (now >= this.pausedUntil) {
      this.pausedUntil = now + this.pause
      this.window.pause(this.pause)
      this.pause = Math.min(PAUSE.cap, this.pause * 2)
    }
    return this.pausedUntil - now
  }

  private errorOf(cause: SessionError): DeliveryError {
    if (cause.kind === 'unsendable') return new DeliveryError('unsendable', { retryable: false, cause })
    return new DeliveryError(cause.kind === 'silence' ? 'no-answer' : 'link-lost', { retryable: true, cause })
  }

  private down(): DeliveryError {
    const retryAfter = Math.max(1, Math.ceil((this.bindAgainAt - this.deps.clock()) / 1_000))
    return new DeliveryError(this.left() ? 'closed' : 'link-down', { retryable: true, retryAfter })
  }
}
