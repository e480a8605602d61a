// The forms of a transcript: whatever was said stays words, in every one of them.
import fc from 'fast-check'
import { asCsv, asHtml, asText } from '../../src/transcript/forms'
import type { Line, Transcript } from '../../src/transcript/transcripts'
import { logOf, timeOf } from '../support/picture'

const { conversation } = logOf([])
const line = (text: string, more: Partial<Line> = {}): Line => ({
  seq: 1,
  at: timeOf(61),
  from: { name: 'Ann', role: 'customer' },
  text,
  attachments: [],
  ...more,
})
const transcript = (...lines: Line[]): Transcript => ({ conversation, lines })
const picture = { type: 'image/png', name: 'cat.png', contentUrl: 'https://example.org/cat.png' }
const inline = { type: 'image/png', name: '', contentUrl: 'data:image/png;base64,AAAA' }

/** Reads RFC 4180 back. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = []
  for (const [, cell = '', end] of text.matchAll(/"((?:[^"]|"")*)"(,|\r\n)/g)) {
    if (rows.length === 0) rows.push([])
    rows.at(-1)!.push(cell.replaceAll('""', '"'))
    if (end !== ',') rows.push([])
  }
  return rows.slice(0, -1)
}
const unescapeHtml = (text: string) =>
  text.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[name]!,
  )

/** Words as an attacker chooses them. */
const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom('<', '>', '&', '"', "'", '=', '`', '/', '\n', '\r', ',', 'script', '-->', '&lt;', ']]>', 'a'),
      {
        maxLength: 20,
      },
    )
    .map((parts) => parts.join('')),
)

describe('as text', () => {
  it('says when, who and what, with links behind the words', () => {
    const text = asText(
      transcript(line('look', { attachments: [picture, inline] }), line('', { attachments: [inline] })),
    )
    expect(text.split('\n').slice(2)).toEqual([
      '2030-01-01 00:01:01  Ann: look',
      '    [cat.png] https://example.org/cat.png',
      '    [attachment]',
      '2030-01-01 00:01:01  Ann: [attachment]',
      '',
    ])
  })
  it('has one line that begins without a space for each message, whatever breaks the words hold', () => {
    fc.assert(
      fc.property(fc.array(nasty, { maxLength: 5 }), (texts) => {
        const lines = asText(transcript(...texts.map((text) => line(text)))).split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/)
        const begun = lines.slice(2).filter((one) => one !== '' && !one.startsWith('    '))
        expect(begun).toHaveLength(texts.length)
        for (const one of begun) expect(one).toMatch(/^2030-01-01 00:01:01 {2}Ann: /)
      }),
    )
  })
})

describe('as a table', () => {
  it('is read back as what was said, quotes, commas and lines and all', () => {
    fc.assert(
      fc.property(fc.array(nasty, { maxLength: 5 }), (texts) => {
        const [head, ...rows] = parseCsv(asCsv(transcript(...texts.map((text, i) => line(text, { seq: i + 1 })))))
        expect(head).toEqual(['seq', 'at', 'from', 'text', 'attachments'])
        const cells = texts.map((text) => (/^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text))
        expect(rows.map((row) => row[3])).toEqual(cells)
        expect(rows.map((row) => row[0])).toEqual(texts.map((_, i) => String(i + 1)))
      }),
    )
  })
  it('has no cell that a spreadsheet would run', () => {
    const formulas = ['=1+1', '+1', '-1', '@SUM(1)', '\t=1', '\r=1', '\n=1', '＝1', '＋1', '－1', '＠1']
    const lines = formulas.map((text) => line(text, { from: { name: text, role: 'customer' } }))
    for (const row of parseCsv(asCsv(transcript(...lines))).slice(1))
      for (const cell of row) expect(cell).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/)
  })
  it('leaves all other words alone', () => {
    const [, row] = parseCsv(asCsv(transcript(line('1+1=2', { attachments: [picture, inline] }))))
    expect(row).toEqual(['1', timeOf(61), 'Ann', '1+1=2', '[cat.png] https://example.org/cat.png [attachment]'])
  })
})

describe('as a page', () => {
  const TAGS =
    /^<(?:!doctype html|html lang="[^"<>]*"|meta charset="utf-8"|time datetime="[-0-9:.TZ]*"|br|\/?(?:html|title|h1|ol|li|p|strong|time))>$/
  it('holds no tag but its own, whatever anybody says or is called', () => {
    fc.assert(
      fc.property(nasty, nasty, nasty, (text, name, link) => {
        const spoken = { ...conversation, opening: { ...conversation.opening, language: name } }
        const attachments = [{ ...picture, name: text, contentUrl: link }]
        const page = asHtml({
          conversation: spoken,
          lines: [line(text, { from: { name, role: 'customer' }, attachments })],
        })
        for (const [tag] of page.matchAll(/<[^>]*>?/g)) expect(tag).toMatch(TAGS)
        expect(page.match(/</g)).toHaveLength(page.match(/>/g)!.length)
        expect(page).not.toMatch(/&(?!(?:amp|lt|gt|quot|#39);)/)
      }),
    )
  })
  it('shows the words as they were said', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const [, , shown = ''] = /<\/time><\/p>(<p>)(.*)<\/p><\/li>/su.exec(asHtml(transcript(line(text)))) ?? []
        const words = unescapeHtml(shown.replaceAll('<br>', '\n'))
        expect(words).toBe(text.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/).join('\n'))
      }),
    )
  })
})
