// What a file is, by its bytes, and what is never taken, whatever it calls itself.
import fc from 'fast-check'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import sharp from 'sharp'
import {
  encodingOf,
  isDisplayable,
  kindOf,
  mediaTypeOf,
  namedAs,
  sampleSize,
  TextGuard,
  type Encoding,
} from '../../src/files/kind'
import { ALL_KINDS, DEFAULT_KINDS, type Kind } from '../../src/files/kinds'
import { GatewayError } from '../../src/model/errors'

const OFFICE = 'application/vnd.openxmlformats-officedocument'
const text = (words: string) => Buffer.from(words)
/** As Windows writes it, with a byte order mark. */
const utf16 = (words: string) => Buffer.from(`\uFEFF${words}`, 'utf16le')
const ascii = (words: string, length = 64) => Buffer.concat([Buffer.from(words, 'latin1'), Buffer.alloc(length)])

/** An archive whose entries are not packed. */
function zip(entries: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(entries).map(([name, body]) => {
    const head = Buffer.alloc(30)
    head.write('PK\u0003\u0004', 'latin1')
    head.writeUInt16LE(20, 4)
    head.writeUInt32LE(body.length, 18)
    head.writeUInt32LE(body.length, 22)
    head.writeUInt16LE(name.length, 26)
    return Buffer.concat([head, Buffer.from(name), Buffer.from(body)])
  })
  return Buffer.concat([...parts, Buffer.from('PK\u0005\u0006' + '\0'.repeat(18), 'latin1')])
}
const office = (main: string, ...before: string[]) => ({
  ...Object.fromEntries(before.map((name) => [name, 'x'.repeat(1_000)])),
  '[Content_Types].xml': `<Types><Override PartName="/doc.xml" ContentType="${main}.main+xml"/></Types>`,
})
const picture = (format: 'png' | 'jpeg' | 'gif' | 'webp' | 'avif') =>
  sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .toFormat(format)
    .toBuffer()
const wav = Buffer.concat([text('RIFF'), Buffer.from([36, 0, 0, 0]), text('WAVEfmt '), Buffer.alloc(32)])
const mp4 = (brand: string) => Buffer.concat([Buffer.from([0, 0, 0, 24]), text(`ftyp${brand}`), Buffer.alloc(64)])
const webm = Buffer.concat([Buffer.from('1a45dfa39f4282847765626d', 'hex'), Buffer.alloc(64)])
const ogg = Buffer.concat([text('OggS'), Buffer.alloc(24), text('OpusHead'), Buffer.alloc(64)])

const asKind = (bytes: Buffer, name = '', allowed: readonly Kind[] = DEFAULT_KINDS) =>
  kindOf(bytes.subarray(0, sampleSize(bytes)), name, allowed)
const codeOf = (cause: unknown) => (cause instanceof GatewayError ? cause.code : cause)
const notTaken = { code: 'unsupportedMediaType' }

describe('the kind of a file', () => {
  it.each(['png', 'jpeg', 'gif', 'webp', 'avif'] as const)('is %s for a picture of that kind', async (format) => {
    expect(await asKind(await picture(format), 'x.exe')).toBe(format)
  })
  it.each<[Kind, Buffer]>([
    ['pdf', ascii('%PDF-1.7\n')],
    ['mp3', ascii('\xff\xfb\x90\x00')],
    ['wav', wav],
    ['mp4', mp4('isom')],
    ['m4a', mp4('M4A ')],
    ['webm', webm],
    ['ogg', ogg],
    ['heic', mp4('heic')],
    ['heic', mp4('mif1')],
    ['mov', mp4('qt  ')],
    ['mov', Buffer.concat([Buffer.from([0, 0, 0, 8]), text('wide'), Buffer.alloc(64)])],
    ['3gp', mp4('3gp4')],
    ['jpeg', Buffer.from([0xff, 0xd8, 0xff])],
    ['aac', ascii('\xff\xf1\x50\x80')],
    ['amr', Buffer.concat([text('#!AMR\n'), Buffer.from([0x3c, 0x08, 0xfe, 0x9c])])],
    ['docx', zip(office(`${OFFICE}.wordprocessingml.document`))],
    ['xlsx', zip(office(`${OFFICE}.spreadsheetml.sheet`))],
    ['pptx', zip(office(`${OFFICE}.presentationml.presentation`))],
    ['docx', zip(office(`${OFFICE}.wordprocessingml.document`, ...Array.from({ length: 200 }, (_, i) => `word/${i}`)))],
    ['odt', zip({ mimetype: 'application/vnd.oasis.opendocument.text' })],
    ['ods', zip({ mimetype: 'application/vnd.oasis.opendocument.spreadsheet' })],
    ['vcf', text('BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n')],
    ['ics', text('BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n')],
    ['txt', text('Grüße, 東京 👋')],
    ['txt', text('1 < 2, and <3 you')],
    ['txt', text('a'.repeat(64 * 1024 - 1) + 'ü')],
    ['txt', text('\uFEFF'.repeat(20_000) + 'so many byte order marks')],
    ['txt', utf16('Grüße, 東京 👋')],
    ['txt', utf16('Grüße, 東京 👋').swap16()],
    ['txt', utf16('a'.repeat(32 * 1024 - 2) + '👋')],
  ])('is %s by its bytes', async (kind, bytes) => {
    expect(await asKind(bytes, 'photo.png')).toBe(kind)
  })
  it.each(['BMW', 'MZ', 'GIF or PNG?', 'Get free', 'FORM 7', 'MAC addresses', '8BPS', 'OggS'])(
    'is text for one that begins with "%s", as files of another kind do',
    async (words) => {
      expect(await asKind(text(`${words} and so on, in words that anybody can read.\n`.repeat(50)))).toBe('txt')
    },
  )
  it('is a table when text says so by its name, and nothing else is by a name', async () => {
    expect(await asKind(text('a,b\n1,2\n'), 'list.CSV')).toBe('csv')
    expect(await asKind(utf16('a\tb\r\n1\t2\r\n'), 'list.csv')).toBe('csv')
    expect(await asKind(await picture('png'), 'list.csv')).toBe('png')
  })
  it('is taken only when it is allowed', async () => {
    await expect(asKind(ascii('%PDF-1.7\n'), '', ['png'])).rejects.toMatchObject(notTaken)
    await expect(asKind(zip({ 'a.txt': 'x' }))).rejects.toMatchObject(notTaken)
    expect(await asKind(zip({ 'a.txt': 'x' }), '', ['zip'])).toBe('zip')
  })

  const never: [string, Buffer][] = [
    ['a drawing', text('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')],
    ['a drawing behind a comment', text('\uFEFF \n<!-- hello --><svg onload="alert(1)"/>')],
    ['a page', text('<!DOCTYPE html><script>alert(1)</script>')],
    ['a page without a head', text('\r\n\t <script>alert(1)</script>')],
    ['a page that begins with a link', text('<a href="javascript:alert(1)">x</a>')],
    ...['free', 'wide', 'moov', 'mdat', 'ftypheic', 'ftypmp42', 'ftypqt  '].flatMap((magic): [string, Buffer][] => [
      [`a page with "${magic}" where films have it`, text(`<!--${magic}--><script>alert(1)</script>`)],
      [`the same with a zero behind it`, text(`<!--${magic}--><svg onload="alert(1)">\0`)],
    ]),
    ['a script that begins as voice messages do', text('#!AMR\nrm -rf /\n')],
    ['a script with a word of films', text('#!  free\nrm -rf /\n')],
    ['XML', text('<?xml version="1.0"?><x/>')],
    ['XML of 16-bit characters', utf16('<?xml version="1.0"?><x/>')],
    ['a page of 16-bit characters', utf16('\uFEFF\r\n<script>alert(1)</script>')],
    ['the same, the other way round', utf16('<svg onload="alert(1)"/>').swap16()],
    ['a page behind very much white space', text(' '.repeat(10_000) + '<script>alert(1)</script>')],
    ['half a character of 16-bit ones', utf16('a\uD83D, and no more').swap16()],
    ['a shell script', text('#!/bin/sh\nrm -rf /\n')],
    ['a program of Windows', ascii('MZ\x90\x00\x03', 512)],
    ['a program of Linux', ascii('\x7fELF\x02\x01\x01', 64)],
    ['a program of macOS', ascii('\xcf\xfa\xed\xfe', 64)],
    ['Java', zip({ 'META-INF/MANIFEST.MF': 'x' })],
    ['an app', zip({ 'classes.dex': 'x' })],
    ['a document with macros', zip(office('application/vnd.ms-word.document.macroEnabled'))],
    ['a rich text', text('{\\rtf1\\ansi hello}')],
    ['bytes of no kind', Buffer.from([1, 2, 3, 0, 255, 254])],
    ['text of another encoding', Buffer.from('Gr\xfc\xdfe aus K\xf6ln', 'latin1')],
    ['text with a zero in it', text('hello\0world')],
  ]
  it.each(never)('row 27: is none that is taken for %s, whatever its name', async (_, bytes) => {
    for (const name of ['cat.png', 'x.txt', 'x.csv', 'x.svg', ''])
      await expect(
        asKind(
          bytes,
          name,
          ALL_KINDS.filter((kind) => kind !== 'zip'),
        ),
      ).rejects.toMatchObject(notTaken)
  })
  it('row 27: is told of any bytes at all, and of those of real programs, without a crash', async () => {
    for (const path of [process.execPath, '/bin/sh', __filename.replace('kind.test.ts', '../../package-lock.json')]) {
      const head = execFileSync('head', ['-c', '65536', path])
      const kind = await asKind(head, 'x.png').catch(codeOf)
      expect(kind).toBe(path.endsWith('.json') ? 'txt' : 'unsupportedMediaType')
    }
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const kind = await asKind(Buffer.from(bytes)).catch(codeOf)
        expect([...DEFAULT_KINDS, 'unsupportedMediaType']).toContain(kind)
      }),
    )
  })
})

describe('every kind', () => {
  it('is shown only when it is a picture that browsers draw, and has a type that no browser runs', () => {
    expect(ALL_KINDS.filter((kind) => isDisplayable(mediaTypeOf(kind)))).toEqual(['png', 'jpeg', 'gif', 'webp'])
    for (const kind of ALL_KINDS) expect(mediaTypeOf(kind)).not.toMatch(/html|xml$|svg|script/)
  })
  it('has a name with an ending that fits it', () => {
    expect(namedAs('jpeg', 'cat.JPEG')).toBe('cat.JPEG')
    expect(namedAs('txt', 'evil.html')).toBe('evil.html.txt')
    expect(namedAs('png', 'setup.exe')).toBe('setup.exe.png')
    expect(namedAs('pdf', 'report')).toBe('report.pdf')
    expect(namedAs('pdf', 'v1.2 final')).toBe('v1.2 final.pdf')
  })
})

describe('a text on its way', () => {
  const through = async (encoding: Encoding, ...chunks: Buffer[]) => {
    const guard = new TextGuard(encoding, DEFAULT_KINDS)
    const [bytes] = await Promise.all([buffer(guard), pipeline(Readable.from(chunks), guard)])
    return bytes
  }
  it('passes, wherever its characters are cut', () =>
    fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat(20), async (words, at) => {
        const plain = words.replaceAll('\0', '')
        for (const bytes of [text(`-${plain}`), utf16(plain), utf16(plain).swap16()])
          expect(await through(encodingOf(bytes), bytes.subarray(0, at), bytes.subarray(at))).toEqual(bytes)
      }),
    ))
  it.each([
    ['with a zero far behind', [text('a'), Buffer.alloc(1)]],
    ['of 16-bit characters with a zero far behind', [utf16('a'), Buffer.alloc(2)]],
    ['of 16-bit characters that ends amid one', [utf16('a'), Buffer.alloc(1, 'b')]],
    ['of another encoding far behind', [text('a'), Buffer.from([0xff])]],
    ['that ends amid a character', [text('a'), text('ü').subarray(0, 1)]],
    ['of chance', [randomBytes(10_000)]],
  ])('is stopped %s', async (_, chunks) => {
    await expect(through(encodingOf(chunks[0]!), ...chunks)).rejects.toMatchObject(notTaken)
  })
})
