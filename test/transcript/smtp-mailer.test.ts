// Mails: what a mail server has accepted, and how everything else ends.
import { createServer, type AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { type SMTPServerOptions } from 'smtp-server'
import { type Mail } from '../../src/transcript/mailer'
import { SmtpMailer, type SmtpLimits } from '../../src/transcript/smtp-mailer'
import { readSmtpUrl } from '../../src/transcript/smtp-url'
import { selfSigned, type Certificate } from '../support/certificate'
import { eventually } from '../support/eventually'
import { MailServer, reply } from '../support/mail-server'
import { headerOf, leavesOf, parameterOf, parseMail, wordsOf } from '../support/mime'

const FROM = { name: 'Example Hilfe ÄÖ', address: 'help@example.org' }
const mailOf = (more: Partial<Mail> = {}): Mail => ({
  to: 'ann@example.org',
  subject: 'Your conversation',
  text: 'Hello Ann\n',
  html: '<p>Hello Ann</p>\n',
  attachments: [],
  language: 'en',
  ...more,
})
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
async function serverWith(manners: SMTPServerOptions = {}, afterData: Error | null = null): Promise<MailServer> {
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
function mailerTo(port: number, { scheme = 'smtp', login = '', options = '', limits = {}, ca }: Way = {}): SmtpMailer {
  const server = readSmtpUrl(`${scheme}://${login}127.0.0.1:${port}${options}`)
  const mailer = new SmtpMailer({ server, from: FROM, limits, ...(ca !== undefined && { ca }) })
  closing.push(() => mailer.close())
  return mailer
}
/** As in a document whose lines may end either way. */
const inLines = (body: Buffer) => body.toString().replaceAll('\r\n', '\n')
const refusedFor = (sentence: RegExp, retryable: boolean) =>
  expect.objectContaining({ code: 'unavailable', message: expect.stringMatching(sentence), retryable })

let certificate: Certificate
beforeAll(() => (certificate = selfSigned('IP:127.0.0.1,DNS:mail.example.org')))

describe('a mail that was sent', () => {
  it('is at the mail server as it was given, for the one recipient, and says that nobody need answer', async () => {
    const server = await serverWith()
    const text = 'Grüße,\r\n.\nשלום 你好 👋\n\n..\nFrom here on\n' + `${'lang '.repeat(400)}\n` + 'ends with spaces  \n'
    const html = `<!doctype html><p dir="rtl">שלום</p>\n${'<b>x</b>'.repeat(500)}\n`
    const file = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256))
    const sent = await mailerTo(server.port).send(
      mailOf({
        subject: 'Ihr Gespräch mit Example: שיחה 会话 👋',
        text,
        html,
        language: 'de-AT',
        attachments: [
          { name: 'Gespräch 会话.pdf', mediaType: 'application/pdf', content: file },
          { name: 'cat.png', mediaType: 'image/png', content: Readable.from([file.subarray(0, 9), file.subarray(9)]) },
        ],
        messageId: '<0190-a.1@example.org>',
      }),
    )
    expect(sent).toEqual({ messageId: '<0190-a.1@example.org>', response: '250 queued as 4F2A' })
    expect(server.accepted).toMatchObject([{ from: 'help@example.org', to: ['ann@example.org'], secure: false }])
    const mail = parseMail(server.accepted[0]!.raw)
    expect(wordsOf(mail, 'from')).toBe('Example Hilfe ÄÖ <help@example.org>')
    expect(headerOf(mail, 'to')).toBe('ann@example.org')
    expect(wordsOf(mail, 'subject')).toBe('Ihr Gespräch mit Example: שיחה 会话 👋')
    expect(headerOf(mail, 'message-id')).toBe('<0190-a.1@example.org>')
    expect(headerOf(mail, 'auto-submitted')).toBe('auto-generated')
    expect(headerOf(mail, 'content-language')).toBe('de-AT')
    expect(Date.parse(headerOf(mail, 'date'))).toBeGreaterThan(Date.parse('2024-01-01'))
    const names = mail.headers.map(([name]) => name).sort()
    expect(names).toEqual([
      'auto-submitted',
      'content-language',
      'content-type',
      'date',
      'from',
      'message-id',
      'mime-version',
      'subject',
      'to',
    ])
    const [words, page, pdf, picture, ...more] = leavesOf(mail)
    expect(more).toEqual([])
    expect(headerOf(words!, 'content-type')).toMatch(/^text\/plain; charset=utf-8/)
    expect(inLines(words!.body)).toBe(text.replaceAll('\r\n', '\n'))
    expect(headerOf(page!, 'content-type')).toMatch(/^text\/html; charset=utf-8/)
    expect(inLines(page!.body)).toBe(html)
    expect(headerOf(mail.parts[0]!, 'content-type')).toMatch(/^multipart\/alternative/)
    expect(headerOf(pdf!, 'content-type')).toMatch(/^application\/pdf/)
    expect(parameterOf(headerOf(pdf!, 'content-disposition'), 'filename')).toBe('Gespräch 会话.pdf')
    expect(pdf!.body.equals(file)).toBe(true)
    expect(headerOf(picture!, 'content-disposition')).toMatch(/^attachment; filename=cat\.png$/)
    expect(picture!.body.equals(file)).toBe(true)
  })
  it('has a Message-ID of its own when none was given, another one each time', async () => {
    const server = await serverWith()
    const mailer = mailerTo(server.port)
    const sent = [await mailer.send(mailOf()), await mailer.send(mailOf())]
    const ids = server.accepted.map(({ raw }) => headerOf(parseMail(raw), 'message-id'))
    expect(ids).toEqual(sent.map(({ messageId }) => messageId))
    expect(new Set(ids).size).toBe(2)
    for (const id of ids) expect(id).toMatch(/^<[\w-]{36}@example\.org>$/)
  })
  it('went over a connection of its own, so that one that died meanwhile takes no mail with it', async () => {
    const server = await serverWith()
    const mailer = mailerTo(server.port)
    for (const subject of ['first', 'second', 'third']) {
      await mailer.send(mailOf({ subject }))
      server.drop()
    }
    expect(server.accepted.map(({ raw }) => headerOf(parseMail(raw), 'subject'))).toEqual(['first', 'second', 'third'])
    expect(server.connections).toBe(3)
  })
  it('said goodbye', async () => {
    const server = await serverWith()
    await mailerTo(server.port).send(mailOf())
    await eventually(() => server.open === 0)
  })
})

describe('a mail server', () => {
  it('that offers TLS gets the mail over it, when its certificate is trusted', async () => {
    const server = await serverWith(certificate as SMTPServerOptions)
    await mailerTo(server.port, { ca: certificate.cert }).send(mailOf())
    await mailerTo(server.port, { ca: certificate.cert, options: '?servername=mail.example.org' }).send(mailOf())
    expect(server.accepted.map(({ secure }) => secure)).toEqual([true, true])
  })
  it('that speaks nothing but TLS gets it too', async () => {
    const server = await serverWith({ ...certificate, secure: true })
    await mailerTo(server.port, { scheme: 'smtps', ca: certificate.cert }).send(mailOf())
    expect(server.accepted.map(({ secure }) => secure)).toEqual([true])
  })
  it.each(['smtp', 'smtp+starttls', 'smtps'])('whose certificate is not trusted gets nothing by %s', async (scheme) => {
    const server = await serverWith({ ...certificate, secure: scheme === 'smtps' })
    const sent = mailerTo(server.port, { scheme }).send(mailOf())
    await expect(sent).rejects.toEqual(refusedFor(/cannot be (secured|reached)/, true))
    const other = mailerTo(server.port, { scheme, ca: certificate.cert, options: '?servername=other.example.org' })
    await expect(other.send(mailOf())).rejects.toEqual(refusedFor(/cannot be (secured|reached)/, true))
    expect(server.accepted).toEqual([])
  })
  it('that offers no TLS gets nothing where TLS is required', async () => {
    const server = await serverWith()
    for (const way of [{ scheme: 'smtp+starttls' }, { options: '?requireTLS=on' }])
      await expect(mailerTo(server.port, way).send(mailOf())).rejects.toMatchObject({ code: 'unavailable' })
    expect(server.accepted).toEqual([])
  })

  const onAuth: SMTPServerOptions['onAuth'] = ({ username, password }, _session, done) => {
    if (username === 'user' && password === 'p/:@ ä') done(null, { user: username })
    else done(reply(535, `5.7.8 No, ${username ?? ''} ${password ?? ''}`))
  }
  const login = 'user:p%2F%3A%40%20%C3%A4@'
  it('that asks for a login gets it over TLS', async () => {
    const server = await serverWith({ ...certificate, authOptional: false, onAuth })
    await mailerTo(server.port, { login, ca: certificate.cert }).send(mailOf())
    expect(server.accepted).toMatchObject([{ user: 'user', secure: true }])
  })
  it('gets no password without TLS, unless it was said that it may', async () => {
    const server = await serverWith({ authOptional: false, allowInsecureAuth: true, onAuth })
    await expect(mailerTo(server.port, { login }).send(mailOf())).rejects.toEqual(refusedFor(/offers no TLS/, false))
    await mailerTo(server.port, { login, options: '?plainLogin=on' }).send(mailOf())
    expect(server.accepted).toMatchObject([{ user: 'user', secure: false }])
  })
  it('that takes another login says no for good, and no word of it is repeated', async () => {
    const server = await serverWith({ allowInsecureAuth: true, onAuth })
    const mailer = mailerTo(server.port, { login: 'user:hunter2@', options: '?plainLogin=on' })
    const error: unknown = await mailer.send(mailOf()).catch((cause: unknown) => cause)
    expect(error).toEqual(refusedFor(/our login \(535.*SMTP_URL/, false))
    expect(`${String(error)} ${String((error as Error).cause)}`).not.toMatch(/hunter2|aHVudGVy|No,/)
  })
  it('that asks for a login and was promised none refuses for good; one that offers none is not told a password', async () => {
    const strict = await serverWith({ authOptional: false, allowInsecureAuth: true, onAuth })
    await expect(mailerTo(strict.port).send(mailOf())).rejects.toEqual(refusedFor(/the sender \(530/, false))
    const open = await serverWith({ disabledCommands: ['AUTH', 'STARTTLS'] })
    const mailer = mailerTo(open.port, { login, options: '?plainLogin=on' })
    await expect(mailer.send(mailOf())).rejects.toEqual(refusedFor(/offers no login/, false))
    expect([strict.accepted, open.accepted]).toEqual([[], []])
  })

  it('that offers SMTPUTF8 gets a mailbox of such letters, and one that does not is not asked', async () => {
    const modern = await serverWith()
    await mailerTo(modern.port).send(mailOf({ to: 'jörg@münchen.de' }))
    expect(modern.accepted[0]!.to[0]!.normalize('NFC')).toMatch(/^jörg@(münchen|xn--mnchen-3ya)\.de$/)
    const old = await serverWith({ hideSMTPUTF8: true })
    await expect(mailerTo(old.port).send(mailOf({ to: 'jörg@münchen.de' }))).rejects.toEqual(
      refusedFor(/letters/, false),
    )
    await mailerTo(old.port).send(mailOf({ to: 'joerg@münchen.de' }))
    expect(old.accepted.map(({ raw }) => headerOf(parseMail(raw), 'to'))).toEqual(['joerg@xn--mnchen-3ya.de'])
  })

  it.each<[string, SMTPServerOptions, Error | null, RegExp, boolean]>([
    ['greets with 554', { onConnect: (_s, done) => done(reply(554, 'No')) }, null, /the connection \(554/, false],
    ['greets with 421', { onConnect: (_s, done) => done(reply(421, 'Busy')) }, null, /the connection now \(421/, true],
    ['refuses the sender', { onMailFrom: (_a, _s, done) => done(reply(550, 'No')) }, null, /the sender \(550/, false],
    ['defers the sender', { onMailFrom: (_a, _s, done) => done(reply(451, 'No')) }, null, /the sender now \(451/, true],
    ['refuses the recipient', { onRcptTo: (_a, _s, done) => done(reply(550, 'No')) }, null, /recipient \(550/, false],
    ['defers the recipient', { onRcptTo: (_a, _s, done) => done(reply(451, 'No')) }, null, /recipient now \(451/, true],
    ['refuses the mail', {}, reply(554, 'Spam'), /the mail \(554/, false],
    ['defers the mail', {}, reply(451, 'Later'), /the mail now \(451/, true],
    ['is full', {}, reply(452, 'Full'), /the mail now \(452/, true],
    ['closes after the mail', {}, reply(421, 'Bye'), /the mail now \(421/, true],
  ])('that %s is told from one that has the mail', async (_what, manners, afterData, sentence, retryable) => {
    for (const hidePIPELINING of [false, true]) {
      const server = await serverWith({ ...manners, hidePIPELINING }, afterData)
      const sent = mailerTo(server.port).send(mailOf())
      await expect(sent).rejects.toEqual(refusedFor(sentence, retryable))
      expect(server.accepted).toEqual([])
    }
  })
  it('that refuses is quoted by its codes only', async () => {
    const answer = reply(550, '5.1.1 ann@example.org said Hello Ann')
    const server = await serverWith({ hideENHANCEDSTATUSCODES: true, onRcptTo: (_a, _s, done) => done(answer) })
    const error: unknown = await mailerTo(server.port)
      .send(mailOf())
      .catch((cause: unknown) => cause)
    expect(error).toMatchObject({ message: 'The mail server refuses the recipient (550 5.1.1). Check the address.' })
    expect(String((error as Error).cause)).toBe('Error: SMTP: EENVELOPE, RCPT TO, 550 5.1.1')
  })

  const never = () => undefined
  const unread: Readable[] = []
  it.each<[string, SMTPServerOptions]>([
    ['its greeting', { onConnect: never }],
    ['the login', { allowInsecureAuth: true, onAuth: never }],
    ['the sender', { onMailFrom: never }],
    ['the recipient', { onRcptTo: never }],
    ['the mail, and reads none of it', { onData: (stream) => void unread.push(stream) }],
    ['the mail, and has read all of it', { onData: (stream) => void stream.resume() }],
  ])('that stalls at %s has not accepted, and is left', async (_what, manners) => {
    const server = await serverWith(manners)
    const limits = { connectMs: 300, greetingMs: 200, commandMs: 200 }
    const way = { limits, ...(manners.onAuth && { login, options: '?plainLogin=on' }) }
    const content = Buffer.alloc(4_000_000)
    const attachments = [{ name: 'a.bin', mediaType: 'application/octet-stream', content }]
    const sent = mailerTo(server.port, way).send(mailOf({ attachments }))
    await expect(sent).rejects.toEqual(refusedFor(/does not answer in time/, true))
    for (const stream of unread.splice(0)) stream.resume() // who reads nothing does not see the end either
    await eventually(() => server.open === 0)
    expect(server.accepted).toEqual([])
  })
  it('that stalls at TLS is left', async () => {
    const silent = createServer((socket) => socket.resume().on('error', () => undefined))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    closing.push(() => new Promise((resolve) => silent.close(resolve)))
    const { port } = silent.address() as AddressInfo
    const mailer = mailerTo(port, { scheme: 'smtps', limits: { connectMs: 200, greetingMs: 200, commandMs: 200 } })
    await expect(mailer.send(mailOf())).rejects.toEqual(refusedFor(/does not answer in time/, true))
  })
  it('that says a little now and then is left when the time of the whole mail is over', async () => {
    const server = createServer((socket) => {
      const drip = setInterval(() => socket.write('220-Wait\r\n'), 20)
      socket.on('close', () => clearInterval(drip)).on('error', () => undefined)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => new Promise((resolve) => server.close(resolve)))
    const mailer = mailerTo((server.address() as AddressInfo).port, { limits: { mailMs: 300 } })
    await expect(mailer.send(mailOf())).rejects.toEqual(refusedFor(/does not answer in time/, true))
  })
  it('that talks without end is left at once', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.write('220-' + 'x'.repeat(200_000))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => new Promise((resolve) => server.close(resolve)))
    const mailer = mailerTo((server.address() as AddressInfo).port)
    await expect(mailer.send(mailOf())).rejects.toEqual(refusedFor(/dropped the connection/, true))
  })

  it.each<[string, (server: () => MailServer) => SMTPServerOptions]>([
    ['the greeting', (server) => ({ onConnect: () => server().drop() })],
    ['the sender', (server) => ({ onMailFrom: () => server().drop() })],
    ['the recipient', (server) => ({ onRcptTo: () => server().drop() })],
    ['the middle of the mail', (server) => ({ onData: (stream) => void stream.once('data', () => server().drop()) })],
    ['the end of the mail', (server) => ({ onData: (s) => void s.resume().once('end', () => server().drop()) })],
  ])('that drops the connection at %s has not accepted', async (_what, manners) => {
    const holder: { server?: MailServer } = {}
    holder.server = await serverWith(manners(() => holder.server!))
    const attachments = [{ name: 'a.bin', mediaType: 'application/octet-stream', content: Buffer.alloc(500_000) }]
    const sent = mailerTo(holder.server.port).send(mailOf({ attachments }))
    await expect(sent).rejects.toEqual(refusedFor(/cannot be reached, or dropped/, true))
    expect(holder.server.accepted).toEqual([])
  })
  it('that is not there is told from one that has accepted', async () => {
    const server = await serverWith()
    const { port } = server
    await server.close()
    await expect(mailerTo(port).send(mailOf())).rejects.toEqual(refusedFor(/cannot be reached/, true))
  })
})

describe('a mail with a file that is read while it is sent', () => {
  const file = (content: Readable) =>
    mailOf({ attachments: [{ name: 'a.pdf', mediaType: 'application/pdf', content }] })
  it('is not accepted when the file breaks off', async () => {
    const server = await serverWith()
    async function* broken() {
      yield Buffer.alloc(300_000)
      throw new Error('The disk is gone')
    }
    const sent = mailerTo(server.port).send(file(Readable.from(broken())))
    await expect(sent).rejects.toEqual(refusedFor(/could not be read/, true))
    await eventually(() => server.open === 0)
    expect(server.accepted).toEqual([])
  })
  it('is not accepted when the file was gone before, or goes without a word', async () => {
    const server = await serverWith()
    const gone = new Readable({ read: () => undefined })
    gone.destroy(new Error('The disk is gone'))
    await expect(mailerTo(server.port).send(file(gone))).rejects.toEqual(refusedFor(/could not be read/, true))
    const leaving = new Readable({
      read() {
        this.push(Buffer.alloc(100))
        setImmediate(() => this.destroy())
      },
    })
    await expect(mailerTo(server.port).send(file(leaving))).rejects.toEqual(refusedFor(/could not be read/, true))
    expect(server.accepted).toEqual([])
  })
  it('is not accepted when it grows too large, and neither is one of which that is known before', async () => {
    const server = await serverWith()
    const mailer = mailerTo(server.port, { limits: { maxBytes: 100_000 } })
    const endless = new Readable({ read: (size) => void endless.push(Buffer.alloc(size)) })
    await expect(mailer.send(file(endless))).rejects.toMatchObject({ code: 'tooLarge', retryable: false })
    expect(endless.destroyed).toBe(true)
    const known = mailOf({ attachments: [{ name: 'a', mediaType: 'a/b', content: Buffer.alloc(100_001) }] })
    await expect(mailer.send(known)).rejects.toMatchObject({ code: 'tooLarge' })
    const many = Array.from({ length: 21 }, () => ({ name: 'a', mediaType: 'a/b', content: Buffer.from('a') }))
    await expect(mailer.send(mailOf({ attachments: many }))).rejects.toMatchObject({ code: 'tooLarge' })
    expect(server.accepted).toEqual([])
    expect(server.connections).toBe(1)
  })
  it('lets go of the file whatever becomes of it', async () => {
    const server = await serverWith({}, reply(554, 'No'))
    const files = [0, 1].map(() => Readable.from([Buffer.from('file')]))
    await expect(mailerTo(server.port).send(file(files[0]!))).rejects.toMatchObject({ code: 'unavailable' })
    await expect(mailerTo(server.port).send({ ...file(files[1]!), to: 'nobody' })).rejects.toMatchObject({
      code: 'invalidRequest',
    })
    expect(files.map(({ destroyed }) => destroyed)).toEqual([true, true])
  })
})

describe('many mails', () => {
  /** Holds every mail at its sender, until it is let go. */
  async function holding() {
    const held: (() => void)[] = []
    const server = await serverWith({ onMailFrom: (_address, _session, done) => void held.push(() => done()) })
    return { server, held, letGo: () => held.splice(0).forEach((go) => go()) }
  }
  it('are few at once, the others wait in order, and beyond that they are refused with a time', async () => {
    const { server, held, letGo } = await holding()
    const mailer = mailerTo(server.port, { limits: { atOnce: 2, waiting: 2 } })
    const sent = ['1', '2', '3', '4'].map((subject) => mailer.send(mailOf({ subject })))
    await eventually(() => held.length === 2)
    await expect(mailer.send(mailOf())).rejects.toMatchObject({ code: 'unavailable', retryable: true, retryAfter: 30 })
    letGo()
    await eventually(() => held.length === 2)
    expect(server.connections).toBe(4)
    letGo()
    await Promise.all(sent)
    const subjects = server.accepted.map(({ raw }) => headerOf(parseMail(raw), 'subject'))
    expect([subjects.slice(0, 2).sort(), subjects.slice(2).sort()]).toEqual([
      ['1', '2'],
      ['3', '4'],
    ])
  })
  it('that wait too long, or are given up while they wait, leave their place', async () => {
    const { server, held, letGo } = await holding()
    const mailer = mailerTo(server.port, { limits: { atOnce: 1, waiting: 1, mailMs: 700 } })
    const first = mailer.send(mailOf({ subject: 'first' }))
    await eventually(() => held.length === 1)
    const controller = new AbortController()
    const unwanted = mailer.send(mailOf({ signal: controller.signal }))
    controller.abort()
    await expect(unwanted).rejects.toEqual(refusedFor(/given up/, true))
    await expect(mailer.send(mailOf({ signal: controller.signal }))).rejects.toEqual(refusedFor(/given up/, true))
    const second = mailer.send(mailOf({ subject: 'second' }))
    letGo()
    await first
    await eventually(() => held.length === 1)
    await expect(second).rejects.toEqual(refusedFor(/in time/, true))
    expect(server.accepted).toHaveLength(1)
  })
  it('under way are given up when nobody wants them any more', async () => {
    const { server, held } = await holding()
    const controller = new AbortController()
    const sent = mailerTo(server.port).send(mailOf({ signal: controller.signal }))
    await eventually(() => held.length === 1)
    controller.abort()
    await expect(sent).rejects.toEqual(refusedFor(/given up/, true))
    await eventually(() => server.open === 0)
  })
  it('end with their mailer: those that wait at once, those under way when they are done or their time is over', async () => {
    const { server, held, letGo } = await holding()
    const mailer = mailerTo(server.port, { limits: { atOnce: 1, closeMs: 300 } })
    const [first, second] = [mailer.send(mailOf()), mailer.send(mailOf())]
    await eventually(() => held.length === 1)
    const closed = mailer.close()
    await expect(second).rejects.toEqual(refusedFor(/closing/, true))
    letGo()
    await first
    await closed
    await expect(mailer.send(mailOf())).rejects.toEqual(refusedFor(/closing/, true))

    const other = mailerTo(server.port, { limits: { closeMs: 50 } })
    const stuck = expect(other.send(mailOf())).rejects.toEqual(refusedFor(/closing/, true))
    await eventually(() => held.length === 1)
    await other.close()
    await stuck
    expect(server.accepted).toHaveLength(1)
  })
})
