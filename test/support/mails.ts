// Mails as tests send them, by mailers that end with their test.
import { type SMTPServerOptions } from 'smtp-server'
import { type Mail } from '../../src/transcript/mailer'
import { SmtpMailer, type SmtpLimits } from '../../src/transcript/smtp-mailer'
import { readSmtpUrl } from '../../src/transcript/smtp-url'
import { MailServer } from './mail-server'

const FROM = { name: 'Example Hilfe ÄÖ', address: 'help@example.org' }
export const mailOf = (more: Partial<Mail> = {}): Mail => ({
  to: 'ann@example.org',
  subject: 'Your conversation',
  text: 'Hello Ann\n',
  html: '<p>Hello Ann</p>\n',
  attachments: [],
  language: 'en',
  ...more,
})
export const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
export async function serverWith(manners: SMTPServerOptions = {}, afterData: Error | null = null): Promise<MailServer> {
  const server = await MailServer.start(manners, afterData)
  closing.push(() => server.close())
  return server
}
interface Way {
  readonly scheme?: string
  readonly login?: string
  readonly options?: string
  readonly limits?: Partial<SmtpLimits>
  readonly ca?: string
}
export function mailerTo(
  port: number,
  { scheme = 'smtp', login = '', options = '', limits = {}, ca }: Way = {},
): SmtpMailer {
  const server = readSmtpUrl(`${scheme}://${login}127.0.0.1:${port}${options}`)
  const mailer = new SmtpMailer({ server, from: FROM, limits, ...(ca !== undefined && { ca }) })
  closing.push(() => mailer.close())
  return mailer
}
/** How `send` fails when the mail server does not have the mail. */
export const refusedFor = (sentence: RegExp, retryable: boolean): unknown =>
  expect.objectContaining({ code: 'unavailable', message: expect.stringMatching(sentence) as string, retryable })
