// Hands one mail to the mail server over a connection of its own, and tells how that ended.
import { isIP } from 'node:net'
import { type ConnectionOptions } from 'node:tls'
import { type NodemailerError } from 'nodemailer/lib/errors'
import SmtpConnection from 'nodemailer/lib/smtp-connection'
import { needsSmtpUtf8 } from './mail-address'
import { type MimeMail } from './mail-message'
import { asRefusal, refusedForGood, unavailable } from './mail-refusal'
import { type SmtpServer } from './smtp-url'

/** Milliseconds. */
export interface SmtpDeadlines {
  /** Looking the server up, connecting, its greeting and TLS. */
  readonly connectMs: number
  /** Of these, for the server's first words. */
  readonly greetingMs: number
  /** For the answer to each command, and between two bytes of the mail. */
  readonly commandMs: number
}
export interface HandOver {
  readonly server: SmtpServer
  readonly deadlines: SmtpDeadlines
  /** Certificates to trust instead of those that Node knows, PEM; for tests. */
  readonly ca?: string | undefined
  /** Aborted with the GatewayError to end with. */
  readonly signal: AbortSignal
}

/** A reply is a few lines. */
const MAX_REPLY_BYTES = 64 * 1024
/** How long a server gets to say goodbye, when it has the mail already. */
const QUIT_MS = 1_000

/**
 * A connection for each mail: one that was kept could have died meanwhile, and a mail over it could be lost or doubled.
 * Resolves with the server's answer to the whole mail, a 2yz, as RFC 5321 §4.2.1 counts success.
 * @throws GatewayError as `Mailer.send`
 */
export function handOver(mail: MimeMail, how: HandOver): Promise<string> {
  const connection = new SmtpConnection(optionsOf(how))
  connection.on('error', () => undefined) // whatever comes after the end
  const { signal } = how
  return new Promise<string>((resolve, reject) => {
    const giveUp = () => reject(signal.reason instanceof Error ? signal.reason : unavailable('The mail was given up.'))
    signal.addEventListener('abort', giveUp, { once: true })
    if (signal.aborted) giveUp()
    else converse(connection, mail, how).then(resolve, reject)
  }).then(
    (response) => {
      connection.quit()
      setTimeout(() => connection.close(), QUIT_MS).unref()
      return response
    },
    (error: unknown) => {
      connection.close()
      throw error
    },
  )
}

async function converse(connection: SmtpConnection, mail: MimeMail, { server }: HandOver): Promise<string> {
  const dropped = new Promise<never>((_resolve, reject) => {
    connection.once('error', (error: NodemailerError) => reject(asRefusal(error)))
    connection.once('end', () => reject(unavailable('The mail server dropped the connection.')))
  })
  const step = <T>(begin: (done: (error?: Error | null, result?: T) => void) => void): Promise<T | undefined> =>
    Promise.race([
      dropped,
      new Promise<T | undefined>((resolve, reject) =>
        begin((error, result) => (error ? reject(asRefusal(error)) : resolve(result))),
      ),
    ])
  dropped.catch(() => undefined) // nobody may be waiting when it ends
  await step((done) => connection.connect(done))
  if (needsSmtpUtf8(mail.to) && !/^250[ -]SMTPUTF8\b/im.test(connection.lastServerResponse || ''))
    throw refusedForGood('The mail server takes no addresses with such letters. Use another address.')
  const { login } = server
  if (login) {
    checkLogin(connection, server)
    await step<boolean>((done) => connection.login({ user: login.user, pass: login.password }, done))
  }
  const bytes = mail.bytes()
  try {
    const sent = await step<{ response: string; accepted: string[] }>((done) =>
      connection.send({ from: mail.from, to: [mail.to] }, bytes, done),
    )
    if (sent?.accepted.length !== 1) throw unavailable('The mail server did not take the recipient.')
    return sent.response
  } finally {
    bytes.destroy()
  }
}

/** A password is said where it is asked for, and where nobody listens. */
function checkLogin(connection: SmtpConnection, { plainLogin }: SmtpServer): void {
  if (!connection.allowsAuth)
    throw refusedForGood(
      'The mail server offers no login. Take user and password out of SMTP_URL, or use its other port.',
    )
  if (!connection.secure && !plainLogin)
    throw refusedForGood(
      'The mail server offers no TLS, so no password is sent to it. Use smtps://, or plainLogin=on in SMTP_URL.',
    )
}

function optionsOf({ server, deadlines, ca }: HandOver) {
  const servername = server.servername ?? (isIP(server.host) ? undefined : server.host)
  const tls: ConnectionOptions = {
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(servername !== undefined && { servername }),
    ...(ca !== undefined && { ca }),
  }
  return {
    host: server.host,
    port: server.port,
    secure: server.tls === 'always',
    requireTLS: server.tls === 'required',
    name: server.name,
    servername,
    tls,
    connectionTimeout: deadlines.connectMs,
    dnsTimeout: deadlines.connectMs,
    greetingTimeout: deadlines.greetingMs,
    socketTimeout: deadlines.commandMs,
    socketCloseTimeout: QUIT_MS,
    maxResponseSize: MAX_REPLY_BYTES,
    logger: false,
  }
}
