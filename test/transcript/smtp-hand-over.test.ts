// Mail servers as they are: with TLS and logins, refusing, deferring, stalling and dropping.
import { createServer, type AddressInfo } from 'node:net'
import { type Readable } from 'node:stream'
import { type SMTPServerOptions } from 'smtp-server'
import { selfSigned, type Certificate } from '../support/certificate'
import { eventually } from '../support/eventually'
import { reply, type MailServer } from '../support/mail-server'
import { closing, mailerTo, mailOf, refusedFor, serverWith } from '../support/mails'
import { headerOf, parseMail } from '../support/mime'

let certificate: Certificate
beforeAll(() => (certificate = selfSigned('IP:127.0.0.1,DNS:mail.example.org')))

describe('a mail server', () => {
  it('that offers TLS gets the mail over it, when its certificate is trusted', async () => {
    const server = await serverWith(certificate)
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

  it.each<[string, { manners?: SMTPServerOptions; afterData?: Error }, RegExp, boolean]>([
    [
      'greets with 554',
      { manners: { onConnect: (_s, done) => done(reply(554, 'No')) } },
      /the connection \(554/,
      false,
    ],
    [
      'greets with 421',
      { manners: { onConnect: (_s, done) => done(reply(421, 'Busy')) } },
      /the connection now \(421/,
      true,
    ],
    [
      'refuses the sender',
      { manners: { onMailFrom: (_a, _s, done) => done(reply(550, 'No')) } },
      /the sender \(550/,
      false,
    ],
    [
      'defers the sender',
      { manners: { onMailFrom: (_a, _s, done) => done(reply(451, 'No')) } },
      /the sender now \(451/,
      true,
    ],
    [
      'refuses the recipient',
      { manners: { onRcptTo: (_a, _s, done) => done(reply(550, 'No')) } },
      /recipient \(550/,
      false,
    ],
    [
      'defers the recipient',
      { manners: { onRcptTo: (_a, _s, done) => done(reply(451, 'No')) } },
      /recipient now \(451/,
      true,
    ],
    ['refuses the mail', { afterData: reply(554, 'Spam') }, /the mail \(554/, false],
    ['defers the mail', { afterData: reply(451, 'Later') }, /the mail now \(451/, true],
    ['is full', { afterData: reply(452, 'Full') }, /the mail now \(452/, true],
    ['closes after the mail', { afterData: reply(421, 'Bye') }, /the mail now \(421/, true],
  ])(
    'that %s is told from one that has the mail',
    async (_what, { manners, afterData = null }, sentence, retryable) => {
      for (const hidePIPELINING of [false, true]) {
        const server = await serverWith({ ...manners, hidePIPELINING }, afterData)
        const sent = mailerTo(server.port).send(mailOf())
        await expect(sent).rejects.toEqual(refusedFor(sentence, retryable))
        expect(server.accepted).toEqual([])
      }
    },
  )
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
    const limits = { connectMs: 300, greetingMs: 200, commandMs: 200, mailMs: 600_000 }
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
    const mailer = mailerTo(port, {
      scheme: 'smtps',
      limits: { connectMs: 200, greetingMs: 200, commandMs: 200, mailMs: 600_000 },
    })
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
