// Reliability row 31: nothing that is put into a mail becomes a header, a recipient, a part or a command.
import fc from 'fast-check'
import { type Mail, type MailAttachment } from '../../src/transcript/mailer'
import { mimeOf } from '../../src/transcript/mail-message'
import { SmtpMailer } from '../../src/transcript/smtp-mailer'
import { readSmtpUrl } from '../../src/transcript/smtp-url'
import { MailServer } from '../support/mail-server'
import { headerOf, headersOf, leavesOf, parameterOf, parseMail, wordsOf, type Part } from '../support/mime'

const EVIL = 'evil@evil.example'
/** Each begins a line of its own, wherever a line may begin. */
const CORPUS = [
  `a\r\nBcc: ${EVIL}`,
  `a\nBcc: ${EVIL}`,
  `a\rBcc: ${EVIL}`,
  `a\r\n\r\n<h1>Bcc: ${EVIL}</h1>`,
  `a\n\nBcc: ${EVIL}`,
  `a\r\n Bcc: ${EVIL}`,
  `a\u2028Bcc: ${EVIL}\u2029Bcc: ${EVIL}`,
  `a\u0085Bcc: ${EVIL}`,
  `a\v\fBcc: ${EVIL}`,
  `a\0\r\nBcc: ${EVIL}`,
  `a%0d%0aBcc: ${EVIL}`,
  `a\\r\\nBcc: ${EVIL}`,
  `a\u560d\u560aBcc: ${EVIL}`, // letters whose lower bytes are a line break
  `=?utf-8?Q?a=0D=0ABcc:_${EVIL}?=`,
  `=?utf-8?B?${Buffer.from(`a\r\nBcc: ${EVIL}`).toString('base64')}?=`,
  `a?=\r\nBcc: ${EVIL}\r\n =?utf-8?Q?`,
  `ä\r\nBcc: ${EVIL}`,
  `a" <${EVIL}>, "b`,
  `a, ${EVIL}`,
  `a; ${EVIL}`,
  `a>\r\nRCPT TO:<${EVIL}`,
  `a"; filename="b.exe"; x="`,
  `a"\r\nContent-Type: text/html; name="`,
  `\r\n.\r\nMAIL FROM:<${EVIL}>\r\nRCPT TO:<${EVIL}>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n`,
  `\n.\nMAIL FROM:<${EVIL}>\nRCPT TO:<${EVIL}>\nDATA\nSubject: smuggled\n\nx\n.\n`,
  `\n.\r\nMAIL FROM:<${EVIL}>\r\n`,
  `\r.\rMAIL FROM:<${EVIL}>\r`,
  `${'a'.repeat(997)}\r\nBcc: ${EVIL}`,
  `${' '.repeat(80)}Bcc: ${EVIL}`,
  `--=_Part\r\nContent-Type: text/html\r\n\r\n<h1>x</h1>`,
  '../../etc/passwd\r\nX: 1',
  'C:\\secret\\a.pdf\r\nX: 1',
  '\ud800\r\nX: 1',
]
const HEADERS = ['auto-submitted', 'content-type', 'date', 'from', 'message-id', 'mime-version', 'subject', 'to']
const PART_HEADERS = ['content-disposition', 'content-transfer-encoding', 'content-type']
const FROM = { name: 'Help', address: 'help@example.org' }
const mailOf = (more: Partial<Mail>): Mail => ({
  to: 'ann@example.org',
  subject: 'Subject',
  text: 'Text',
  html: '<p>Page</p>',
  attachments: [fileOf({})],
  language: '',
  ...more,
})
const fileOf = (more: Partial<MailAttachment>): MailAttachment => ({
  name: 'a.pdf',
  mediaType: 'application/pdf',
  content: Buffer.from('%PDF'),
  ...more,
})

/** A mail of ours has these headers, these parts and no other, and every line of it ends as lines do. */
function judge(raw: Buffer, allowed: readonly string[] = HEADERS): Part {
  const text = raw.toString('latin1')
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n\0]/)
  for (const line of text.split('\r\n')) expect(line.length).toBeLessThanOrEqual(998)
  const mail = parseMail(raw)
  expect(mail.headers.map(([name]) => name).sort()).toEqual([...allowed].sort())
  expect(headerOf(mail, 'to')).toBe('ann@example.org')
  expect(headerOf(mail, 'from').replace('Help ', '')).toBe('<help@example.org>')
  const leaves = leavesOf(mail)
  expect(leaves.map((part) => headerOf(part, 'content-type').split(';')[0])).toEqual([
    'text/plain',
    'text/html',
    expect.stringMatching(/^[a-z]+\/[a-z-]+$/),
  ])
  for (const part of leaves)
    for (const [name, value] of part.headers) {
      expect(PART_HEADERS).toContain(name)
      expect(headersOf(part, name)).toEqual([value])
    }
  expect(headerOf(leaves[2]!, 'content-disposition')).toMatch(/^attachment; filename/)
  return mail
}

describe('row 31: over a real mail server', () => {
  let server: MailServer
  let mailer: SmtpMailer
  beforeAll(async () => {
    server = await MailServer.start()
    mailer = new SmtpMailer({
      server: readSmtpUrl(`smtp://127.0.0.1:${server.port}`),
      from: FROM,
      limits: { atOnce: 40 },
    })
  })
  afterAll(async () => {
    await mailer.close()
    await server.close()
  })

  const fields: Record<string, (text: string) => Partial<Mail>> = {
    subject: (subject) => ({ subject }),
    language: (language) => ({ language }),
    'name of a file': (name) => ({ attachments: [fileOf({ name })] }),
    'type of a file': (mediaType) => ({ attachments: [fileOf({ mediaType })] }),
    'file itself': (text) => ({ attachments: [fileOf({ content: Buffer.from(text) })] }),
    text: (text) => ({ text }),
    page: (html) => ({ html }),
  }
  it.each(Object.entries(fields))('the %s stays what it is', async (_name, field) => {
    server.accepted.length = 0
    const sent = await Promise.all(CORPUS.map((text) => mailer.send(mailOf(field(text)))))
    const byId = new Map(server.accepted.map((mail) => [headerOf(parseMail(mail.raw), 'message-id'), mail]))
    expect(server.accepted).toHaveLength(CORPUS.length)
    sent.forEach(({ messageId }, index) => {
      const mail = byId.get(messageId)!
      expect([mail.from, mail.to]).toEqual(['help@example.org', ['ann@example.org']])
      const given = field(CORPUS[index]!)
      const read = judge(mail.raw)
      const [text, html, file] = leavesOf(read)
      const lines = (body: string) =>
        Buffer.from(body)
          .toString()
          .replaceAll(/\r\n|\r/g, '\n')
      if (given.text !== undefined) expect(lines(text!.body.toString())).toBe(lines(given.text))
      if (given.html !== undefined) expect(lines(html!.body.toString())).toBe(lines(given.html))
      if (given.attachments) expect(file!.body.equals(given.attachments[0]!.content as Buffer)).toBe(true)
      expect(wordsOf(read, 'subject')).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
      expect(parameterOf(headerOf(file!, 'content-disposition'), 'filename')).not.toMatch(
        /[\p{Cc}\u2028\u2029/\\<>:;"]/u,
      )
    })
  })
  it('an address and a Message-ID are refused instead', async () => {
    server.accepted.length = 0
    for (const text of CORPUS) {
      for (const to of [text, `${text}@example.org`, `ann@example.org${text.slice(1)}`])
        await expect(mailer.send(mailOf({ to }))).rejects.toMatchObject({ code: 'invalidRequest' })
      for (const messageId of [text, `<${text}@example.org>`])
        await expect(mailer.send(mailOf({ messageId }))).rejects.toMatchObject({ code: 'invalidRequest' })
    }
    expect(server.accepted).toEqual([])
  })
})

describe('row 31: whatever is given', () => {
  const piece = fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    ':',
    ' ',
    '.',
    'Bcc',
    '=',
    '?',
    '"',
    '\\',
    ';',
    '/',
    '\0',
    'ä',
    '\u2028',
    '会',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
    fc.constantFrom(...CORPUS),
  )
  it('is a mail of the same headers and parts', async () => {
    const any = fc.record({ subject: text, text, html: text, name: text, mediaType: text, language: text, from: text })
    await fc.assert(
      fc.asyncProperty(any, async ({ name, mediaType, from, ...mail }) => {
        const mime = mimeOf(
          mailOf({ ...mail, attachments: [fileOf({ name, mediaType })] }),
          { name: from, address: FROM.address },
          { maxBytes: 1_000_000 },
        )
        const chunks: Buffer[] = []
        for await (const chunk of mime.bytes()) chunks.push(chunk as Buffer)
        const raw = Buffer.concat(chunks)
        const read = parseMail(raw)
        const known = headerOf(read, 'content-language') === '' ? HEADERS : [...HEADERS, 'content-language']
        const subject = headerOf(read, 'subject') === '' ? known.filter((header) => header !== 'subject') : known
        expect(headerOf(read, 'from')).toMatch(/^(?:[^<>]*|"(?:[^"\\]|\\.)*") ?<?help@example\.org>?$/)
        const plain = Buffer.from(
          raw.toString('latin1').replace(/^From: .*(?:\r\n[ \t].*)*/m, 'From: Help <help@example.org>'),
          'latin1',
        )
        judge(plain, subject)
      }),
      { numRuns: 150 },
    )
  })
})

it.each([
  ['cat.png', 'cat.png'],
  ['../../etc/passwd', 'passwd'],
  ['C:\\Users\\ann\\cat.png', 'cat.png'],
  ['.bashrc', 'bashrc'],
  ['...', 'attachment'],
  ['', 'attachment'],
  ['cat\u202egnp.exe', 'cat gnp.exe'],
  ['a<b>:"c|d?e*;f.pdf', 'a b c d e f.pdf'],
  [`${'n'.repeat(300)}.pdf`, `${'n'.repeat(96)}.pdf`],
  ['會話'.repeat(60), '會話'.repeat(50)],
])('a file called %j is sent as %j', async (name, sent) => {
  const mime = mimeOf(mailOf({ attachments: [fileOf({ name })] }), FROM, { maxBytes: 1_000_000 })
  const chunks: Buffer[] = []
  for await (const chunk of mime.bytes()) chunks.push(chunk as Buffer)
  const [, , file] = leavesOf(parseMail(Buffer.concat(chunks)))
  expect(parameterOf(headerOf(file!, 'content-disposition'), 'filename')).toBe(sent)
})

it.each([
  ['IMAGE/PNG', 'image/png'],
  ['application/vnd.oasis.opendocument.text', 'application/vnd.oasis.opendocument.text'],
  ['multipart/mixed; boundary=x', 'application/octet-stream'],
  ['multipart/mixed', 'application/octet-stream'],
  ['Message/RFC822', 'application/octet-stream'],
  ['text/html; charset=utf-7', 'application/octet-stream'],
  ['text', 'application/octet-stream'],
  ['', 'application/octet-stream'],
])('a file of type %j is sent as %j', async (mediaType, sent) => {
  const mime = mimeOf(mailOf({ attachments: [fileOf({ mediaType })] }), FROM, { maxBytes: 1_000_000 })
  const chunks: Buffer[] = []
  for await (const chunk of mime.bytes()) chunks.push(chunk as Buffer)
  const [, , file] = leavesOf(parseMail(Buffer.concat(chunks)))
  expect(headerOf(file!, 'content-type').split(';')[0]).toBe(sent)
  expect(headerOf(file!, 'content-disposition')).toBe('attachment; filename=a.pdf')
})
