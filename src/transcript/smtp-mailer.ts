// Sends mails through a mail server: few at once, each over a connection of its own, each within a deadline.
import { type GatewayError } from '../model/errors'
import { type MailFrom } from './mail-address'
import { mimeOf, type MimeMail } from './mail-message'
import { unavailable } from './mail-refusal'
import { type Mail, type Mailer, type SentMail } from './mailer'
import { handOver, type SmtpDeadlines } from './smtp-hand-over'
import { type SmtpServer } from './smtp-url'
import { Turns } from '../model/turns'

export interface SmtpLimits extends SmtpDeadlines {
  /** Milliseconds from the call to its end, waiting for a turn included. */
  readonly mailMs: number
  /** Mails, and so connections, at once. */
  readonly atOnce: number
  /** Mails that may wait for their turn. */
  readonly waiting: number
  /** Bytes of a mail as it is sent; a file takes a third more in it than it has. */
  readonly maxBytes: number
  /** Milliseconds that a closing mailer leaves those under way. */
  readonly closeMs: number
}

const LIMITS: SmtpLimits = {
  connectMs: 10_000,
  greetingMs: 5_000,
  commandMs: 10_000,
  mailMs: 20_000,
  atOnce: 4,
  waiting: 100,
  maxBytes: 25 * 1024 * 1024,
  closeMs: 5_000,
}

export class SmtpMailer implements Mailer {
  readonly #server: SmtpServer
  readonly #from: MailFrom
  readonly #limits: SmtpLimits
  readonly #ca: string | undefined
  readonly #turns: Turns
  /** All that have not ended, with what ends them. */
  readonly #mails = new Map<Promise<unknown>, { readonly giveUp: (why: GatewayError) => void; sending: boolean }>()
  #closed = false

  /** @param deps `ca`: PEM of the certificates to trust instead of those that Node knows */
  constructor(deps: { server: SmtpServer; from: MailFrom; limits?: Partial<SmtpLimits>; ca?: string }) {
    this.#server = deps.server
    this.#from = deps.from
    this.#limits = { ...LIMITS, ...deps.limits }
    this.#ca = deps.ca
    this.#turns = new Turns(this.#limits)
  }

  async send(mail: Mail): Promise<SentMail> {
    const mime = mimeOf(mail, this.#from, this.#limits)
    if (this.#closed || this.#turns.full) {
      mime.release()
      throw this.#closed ? closing() : unavailable('Too many mails are waiting to be sent.')
    }
    const controller = new AbortController()
    const state = { giveUp: (why: GatewayError) => controller.abort(why), sending: false }
    const sent = this.#deliver(mime, controller.signal, state)
    this.#mails.set(sent, state)
    const late = setTimeout(
      () => state.giveUp(unavailable('The mail server does not answer in time.')),
      this.#limits.mailMs,
    )
    const unwanted = () => state.giveUp(unavailable('The mail was given up.'))
    mail.signal?.addEventListener('abort', unwanted, { once: true })
    if (mail.signal?.aborted) unwanted()
    try {
      return { messageId: mime.messageId, response: await sent }
    } finally {
      clearTimeout(late)
      mail.signal?.removeEventListener('abort', unwanted)
      this.#mails.delete(sent)
      mime.release()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const { giveUp, sending } of this.#mails.values()) if (!sending) giveUp(closing())
    const late = setTimeout(() => this.#mails.forEach(({ giveUp }) => giveUp(closing())), this.#limits.closeMs)
    await Promise.allSettled(this.#mails.keys())
    clearTimeout(late)
  }

  async #deliver(mime: MimeMail, signal: AbortSignal, state: { sending: boolean }): Promise<string> {
    await this.#turns.next(signal)
    state.sending = true
    try {
      return await handOver(mime, { server: this.#server, deadlines: this.#limits, ca: this.#ca, signal })
    } finally {
      this.#turns.done()
    }
  }
}

const closing = () => unavailable('The gateway is closing and sends no more mails.')
