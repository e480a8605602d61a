// The port for mails: one mail to one mailbox, sent when the mail server says that it has it.
import { type Readable } from 'node:stream'

export interface MailAttachment {
  /** As a reader may see it; what no file name should hold is taken out. */
  readonly name: string
  /** Such as `application/pdf`; whatever is no type of a single file goes out as `application/octet-stream`. */
  readonly mediaType: string
  /** A stream is read once and destroyed, whatever becomes of the mail. */
  readonly content: Buffer | Readable
}

export interface Mail {
  /** One mailbox, as `readMailAddress` takes it. */
  readonly to: string
  /** One line; line breaks and control characters become spaces, and what is longer than 200 characters is cut. */
  readonly subject: string
  readonly text: string
  readonly html: string
  /** At most 20. */
  readonly attachments: readonly MailAttachment[]
  /** A language tag such as `de-AT`, for `Content-Language`; what is none is left out. */
  readonly language: string
  /**
   * `<left@domain>`: the same for every attempt at the same mail, so that a mailbox that got it twice can tell. Made anew
   * if not given.
   */
  readonly messageId?: string | undefined
  /** Gives the mail up; it may have been accepted all the same. */
  readonly signal?: AbortSignal | undefined
}

export interface SentMail {
  readonly messageId: string
  /** The mail server's last word, such as `250 2.0.0 Ok: queued as 4F2A`: for the log, which is where to look a mail up. */
  readonly response: string
}

export interface Mailer {
  /**
   * Resolves once the mail server has accepted the mail for its recipient, which is all that a sender can know.
   * @throws GatewayError `invalidRequest` for an address that is no mailbox, `tooLarge` for a mail beyond the limits,
   *   `unavailable` for whatever the mail server does not take: retryable, except where it said that it never will.
   */
  send(mail: Mail): Promise<SentMail>
  /** Takes no more mails, refuses those that wait, and ends when none is under way. */
  close(): Promise<void>
}
