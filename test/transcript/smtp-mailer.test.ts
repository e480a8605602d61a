// Mails: what a mail server has accepted, and what becomes of many, of large ones and of those that nobody wants.
import { createServer, type AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { eventually } from '../support/eventually'
import { reply } from '../support/mail-server'
import { closing, mailerTo, mailOf, refusedFor, serverWith } from '../support/mails'
import { headerOf, leavesOf, parameterOf, parseMail, wordsOf } from '../support/mime'

/** As in a document whose lines may end either way. */
const inLines = (body: Buffer) => body.toString().replaceAll('\r\n', '\n')

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
    const said: string[] = []
    const answers: Record<string, string> = { DATA: '354 Go on', QUIT: '221 Bye' }
    const server = createServer((socket) => {
      socket.on('error', () => undefined).write('220 Hello\r\n')
      createInterface(socket).on('line', (line) => {
        const inMail = said.includes('DATA') && !said.includes('.')
        said.push(line)
        if (!inMail || line === '.') socket.write(`${answers[line] ?? '250 Ok'}\r\n`)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => new Promise((resolve) => server.close(resolve)))
    const sent = await mailerTo((server.address() as AddressInfo).port).send(mailOf())
    expect(sent.response).toBe('250 Ok')
    await eventually(() => said.at(-1) === 'QUIT')
    expect(said.slice(1, 4)).toEqual(['MAIL FROM:<help@example.org>', 'RCPT TO:<ann@example.org>', 'DATA'])
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
  it('with a file that breaks while they wait are refused when it is their turn, and harm nobody', async () => {
    const { server, held, letGo } = await holding()
    const mailer = mailerTo(server.port, { limits: { atOnce: 1 } })
    const first = mailer.send(mailOf())
    const content = new Readable({ read: () => undefined })
    const broken = mailer.send(mailOf({ attachments: [{ name: 'a.pdf', mediaType: 'application/pdf', content }] }))
    const refused = expect(broken).rejects.toEqual(refusedFor(/could not be read/, true))
    await eventually(() => held.length === 1)
    content.destroy(new Error('The disk is gone'))
    letGo()
    await first
    await eventually(() => held.length === 1)
    letGo()
    await refused
    expect(server.accepted).toHaveLength(1)
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
