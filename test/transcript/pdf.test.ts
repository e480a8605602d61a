// A PDF says what was written in every script, is a good document, and is the same bytes for the same conversation.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { hashOf } from '../../src/transcript/canonical'
import { TranscriptForms } from '../../src/transcript/transcript-forms'
import type { Transcript } from '../../src/transcript/transcript'
import { timeOf } from '../support/picture'
import { readPdf, wordsOf } from '../support/pdf'
import { anna, bob, bytesOf, lineOf, staffTranscriptOf, transcriptOf, whisperOf } from '../support/transcripts'
import { SCRIPTS } from './scripts'

jest.setTimeout(60_000)
let forms: TranscriptForms
beforeAll(() => {
  forms = new TranscriptForms()
})
afterAll(() => forms.close())
const print = async (transcript: Transcript, more: { language?: string; timeZone?: string } = {}, from = forms) =>
  bytesOf((await from.render(transcript, { form: 'pdf', ...more })).body)

describe('the words of a PDF', () => {
  let lines: string[]
  beforeAll(async () => {
    const entries = SCRIPTS.map(({ text }, i) => lineOf(text, { seq: i + 1 }))
    lines = (await readPdf(await print(transcriptOf(entries)))).pages.flatMap((page) => page.lines)
  })
  it.each(SCRIPTS)('in $script are read as they were written', ({ text }) => {
    expect(lines.map(wordsOf)).toContain(wordsOf(text))
  })
})

it('what no font has is a box that stands for the character, and nothing is left out', async () => {
  const { pages } = await readPdf(await print(transcriptOf([lineOf('a \u16A0 b \u0E01 c \u0007 d \uD800 e')])))
  expect(pages[0]!.lines.map(wordsOf)).toContain('a\u16A0b\u0E01c\u0007d\uFFFDe')
})
it('a word that is too long for a line is cut between characters, never within one', async () => {
  const family = '👨‍👩‍👧‍👦'
  const text = `${'नि'.repeat(120)}${family.repeat(60)}${'x'.repeat(300)}`
  const { pages } = await readPdf(await print(transcriptOf([lineOf(text)])))
  const lines = pages.flatMap((page) => page.lines)
  expect(wordsOf(lines.join(''))).toContain(wordsOf(text))
  for (const line of lines) expect(line).not.toMatch(/^\p{M}|^\u200D|\u200D$/u)
  expect(lines.filter((line) => line.includes(family)).length).toBeGreaterThan(2)
})
it('takes fonts from a folder for what its own do not have', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fonts-'))
  const font = 'LiberationSans-Regular.ttf'
  copyFileSync(join(dirname(require.resolve('pdfjs-dist/package.json')), 'standard_fonts', font), join(folder, font))
  writeFileSync(join(folder, 'broken.ttf'), 'this is no font')
  const more = new TranscriptForms({ fontsDir: folder })
  try {
    const house = transcriptOf([lineOf('\u2302')])
    expect((await print(house)).includes('Liberation')).toBe(false)
    const bytes = await print(house, {}, more)
    expect(bytes.includes('extra-LiberationSans-Regular')).toBe(true)
    expect((await readPdf(bytes)).pages[0]!.lines).toContain('\u2302')
  } finally {
    await more.close()
    rmSync(folder, { recursive: true })
  }
})

it('a folder of fonts that is not there is told of at once', () => {
  expect(() => new TranscriptForms({ fontsDir: join(tmpdir(), 'no such folder') })).toThrow(/FONTS_DIR/)
})

describe('a PDF as a document', () => {
  const transcript = staffTranscriptOf(
    [
      { kind: 'joined', seq: 1, at: timeOf(1), from: anna },
      lineOf('see https://example.org/a?b=1 and ftp://example.org, please', { state: 'read' }),
      whisperOf('psst'),
      { kind: 'observerJoined', seq: 4, at: timeOf(70), from: { name: 'Sue', role: 'supervisor' } },
      lineOf('', {
        from: bob,
        attachments: [
          { type: 'application/pdf', name: 'bill.pdf', contentUrl: 'https://files.example/bill', size: 12_345 },
        ],
      }),
      lineOf('next day', { at: timeOf(90_000) }),
      { kind: 'ended', seq: 9, at: timeOf(90_060), from: anna, reason: 'customer' },
    ],
    { subject: 'Parcels', channel: 'sms', account: '+1000' },
  )
  it('has a head, names, roles, times in the zone that was asked for, files, states and marks, in order', async () => {
    const { pages } = await readPdf(await print(transcript, { timeZone: 'Asia/Karachi' }))
    const lines = pages.flatMap((page) => page.lines.map((line) => line.replace(/[\p{Cf}]/gu, '')))
    const text = lines.join('\n')
    expect(text).toMatch(
      /^Conversation\nFor staff only\nSubject Parcels\nChannel sms\nAccount \+1000\nStarted 2030-01-01 05:00:00 \(Asia\/Karachi\)/,
    )
    for (const line of [
      'Ann (Customer)',
      'Ann joined · 5:00 AM',
      'Ann Customer · 5:01 AM',
      'read',
      'Whisper, staff only',
      'psst',
      'Sue began to observe · 5:01 AM',
      'bill.pdf',
      'application/pdf, 12.3 kB',
      'Wednesday, January 2, 2030',
      'Ann ended the conversation · 6:01 AM',
    ])
      expect(text).toContain(line)
    expect(lines.indexOf('psst')).toBeLessThan(lines.indexOf('bill.pdf'))
  })
  it('has a title, a subject, a language, the time of its data, and an outline', async () => {
    const { info, language, outline } = await readPdf(await print(transcript))
    expect(info).toMatchObject({
      Title: 'Conversation 2030-01-01 00:00:00',
      Subject: 'Parcels',
      CreationDate: 'D:20300101001000Z',
    })
    expect(language).toBe('en')
    expect(outline).toEqual(['Conversation', 'Tuesday, January 1, 2030', 'Wednesday, January 2, 2030'])
  })
  it('opens web addresses, in the words and behind the name of a file, and nothing else', async () => {
    const { pages } = await readPdf(await print(transcript))
    const links = pages.flatMap((page) => page.links)
    expect(new Set(links.map(({ subtype }) => subtype))).toEqual(new Set(['Link']))
    const urls = new Set(links.map(({ url }) => url))
    expect(urls).toEqual(new Set(['https://example.org/a?b=1', 'https://files.example/bill']))
  })
  it('has a structure for screen readers', async () => {
    const { pages } = await readPdf(await print(transcript))
    const tags = new Set(pages.flatMap((page) => page.tags))
    for (const tag of ['Document', 'H1', 'H2', 'P', 'Link']) expect(tags).toContain(tag)
  })
  it('counts its pages, and ends with the hash of its content', async () => {
    const long = transcriptOf(Array.from({ length: 60 }, (_, i) => lineOf(`message ${i}\n`.repeat(4).trim())))
    const { pages } = await readPdf(await print(long))
    expect(pages.length).toBeGreaterThan(3)
    pages.forEach(({ lines }, i) => expect(wordsOf(lines.join(''))).toContain(`${i + 1}/${pages.length}`))
    expect(wordsOf(pages.at(-1)!.lines.join(''))).toContain(`sha256:${await hashOf(long)}`)
    expect(wordsOf(pages[0]!.lines.join(''))).not.toContain('sha256:')
  })
  it('shows a picture, with the name of its file for whoever does not see it', async () => {
    const png = await sharp({ create: { width: 40, height: 30, channels: 4, background: '#fa08' } })
      .png()
      .toBuffer()
    const contentUrl = `data:image/png;base64,${png.toString('base64')}`
    const { pages } = await readPdf(
      await print(transcriptOf([lineOf('', { attachments: [{ type: 'image/png', name: 'cat.png', contentUrl }] })])),
    )
    expect(pages[0]!.tags).toContain('Figure')
    expect(pages[0]!.alts).toEqual(['cat.png'])
  })
  it('speaks the language that was asked for, from right to left, too', async () => {
    const german = await readPdf(await print(transcript, { language: 'de' }))
    expect(german.pages[0]!.lines.join('\n')).toContain('Gespräch\nNur für Mitarbeitende')
    const urdu = await readPdf(await print(transcript, { language: 'ur' }))
    expect(urdu.language).toMatch(/^ur/)
    expect(urdu.pages[0]!.lines.map(wordsOf)).toContain('گفتگو')
  })
  it('is the same bytes for the same conversation, in a process that has made others before', async () => {
    const once = await print(transcript)
    await print(transcriptOf([lineOf('something else 你好')]))
    expect((await print(transcript)).equals(once)).toBe(true)
    expect((await print({ ...transcript, subject: 'Others' })).equals(once)).toBe(false)
  })
})
