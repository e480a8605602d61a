// The forms in characters: whatever was said stays words, in every one of them.
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { asCsv } from '../../src/transcript/csv-form'
import { hashOf } from '../../src/transcript/canonical'
import { asHtml } from '../../src/transcript/html-form'
import { Pictures } from '../../src/transcript/pictures'
import { asText } from '../../src/transcript/text-form'
import type { StaffEntry, Transcript } from '../../src/transcript/transcript'
import { TranscriptForms } from '../../src/transcript/transcript-forms'
import { Wording } from '../../src/transcript/wording'
import { timeOf } from '../support/picture'
import { anna, bob, bytesOf, lineOf, staffTranscriptOf, textOf, transcriptOf, whisperOf } from '../support/transcripts'

const HASH = 'f'.repeat(64)
const wording = (language = 'en', timeZone = 'UTC') => new Wording({ language, timeZone })
const picture = { type: 'image/png', name: 'cat.png', contentUrl: 'https://example.org/cat.png', size: 12_345 }
const inline = { type: 'image/png', name: '', contentUrl: 'data:image/png;base64,AAAA' }
const textForm = (transcript: Transcript, ...of: Parameters<typeof wording>) =>
  [...asText(transcript, wording(...of), HASH)].join('')
const csvForm = (transcript: Transcript) => [...asCsv(transcript, wording(), HASH)].join('')
const htmlForm = (transcript: Transcript, ...of: Parameters<typeof wording>) =>
  textOf(asHtml({ transcript, wording: wording(...of), hash: HASH, pictures: new Pictures() }))

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
const BREAK = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/

/** Words as an attacker chooses them. */
const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '<',
        '>',
        '&',
        '"',
        "'",
        '=',
        '`',
        '/',
        '\n',
        '\r',
        ',',
        'script',
        '-->',
        '&lt;',
        ']]>',
        'a',
        'https://a.b/',
      ),
      { maxLength: 20 },
    )
    .map((parts) => parts.join('')),
)
/** One of each kind. */
const everything: StaffEntry[] = [
  { kind: 'joined', seq: 1, at: timeOf(1), from: anna },
  lineOf('hello', { seq: 2, state: 'read' }),
  whisperOf('psst', { seq: 3 }),
  { kind: 'observerJoined', seq: 4, at: timeOf(62), from: { name: 'Sue', role: 'supervisor' } },
  { kind: 'observerLeft', seq: 5, at: timeOf(63), from: { name: 'Sue', role: 'supervisor' } },
  { kind: 'left', seq: 6, at: timeOf(64), from: bob, reason: 'removed' },
  { kind: 'ended', seq: 7, at: timeOf(65), from: anna, reason: 'inactivity' },
]

describe('as text', () => {
  it('says when, who and what, with links behind the words, how far it came, and the hash', () => {
    const said = [
      lineOf('look', { attachments: [picture, inline], state: 'delivered' }),
      lineOf('', { attachments: [inline] }),
    ]
    expect(textForm(transcriptOf(said, { subject: 'Cats' })).split('\n')).toEqual([
      'Conversation 2030-01-01 00:00:00 (UTC)',
      'Subject: Cats',
      'Channel: web',
      'Started: 2030-01-01 00:00:00 (UTC)',
      'Ended: 2030-01-01 00:10:00 (UTC)',
      'People: Ann (Customer), Bo (Agent)',
      '',
      '2030-01-01 00:01:01  Ann: look',
      '    [cat.png] https://example.org/cat.png (image/png, 12.3 kB)',
      '    [attachment] (image/png)',
      '    (delivered)',
      '2030-01-01 00:01:01  Ann: [attachment] (image/png)',
      '',
      `Content hash: sha256:${HASH}`,
      '',
    ])
  })
  it('marks what is for staff only, and says who came and went', () => {
    expect(
      textForm(staffTranscriptOf(everything, { endedAt: null }))
        .split('\n')
        .slice(1, -3),
    ).toEqual([
      'For staff only',
      'Channel: web',
      'Started: 2030-01-01 00:00:00 (UTC)',
      'Ended: still running',
      'People: Ann (Customer), Bo (Agent)',
      '',
      '2030-01-01 00:00:01  * Ann joined',
      '2030-01-01 00:01:01  Ann: hello',
      '    (read)',
      '2030-01-01 00:01:01  Bo [Whisper, staff only]: psst',
      '2030-01-01 00:01:02  * Sue began to observe',
      '2030-01-01 00:01:03  * Sue stopped observing',
      '2030-01-01 00:01:04  * Bo was removed',
      '2030-01-01 00:01:05  * The conversation ended because nobody wrote any more',
    ])
  })
  it('has times of the zone and words of the language that were asked for', () => {
    const text = textForm(transcriptOf(everything.slice(0, 1) as never), 'de-AT', 'America/New_York')
    expect(text).toContain('Gespräch 2029-12-31 19:00:00 (America/New_York)')
    expect(text).toContain('2029-12-31 19:00:01  * Ann ist dazugekommen')
  })
  it('has one line that begins without a space for each message, whatever breaks words and names hold', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(nasty, nasty), { maxLength: 5 }), (said) => {
        const entries = said.map(([text, name]) => lineOf(text, { from: { name: `Ann${name}`, role: 'customer' } }))
        const [, body = ''] = textForm(transcriptOf(entries, { people: [] })).split(/\n\n(.*)\n\n?Content hash/s)
        const begun = body.split(BREAK).filter((one) => one !== '' && !one.startsWith('    '))
        expect(begun).toHaveLength(said.length)
        for (const one of begun) expect(one).toMatch(/^2030-01-01 00:01:01 {2}Ann/)
      }),
    )
  })
})

/** What a spreadsheet would run. */
const RUNS = /^\s*[=+\-@＝＋－＠]|^[\t\r\n]/

describe('as a table', () => {
  it('is read back as what was said, quotes, commas and lines and all', () => {
    fc.assert(
      fc.property(fc.array(nasty, { maxLength: 5 }), (texts) => {
        const entries = texts.map((text, i) => lineOf(text, { seq: i + 1 }))
        const [head, ...rows] = parseCsv(csvForm(transcriptOf(entries)))
        expect(head!.slice(0, 5)).toEqual(['seq', 'at', 'from', 'text', 'attachments'])
        const said = rows.slice(0, -1)
        expect(said.map((row) => row[3])).toEqual(texts.map((text) => (RUNS.test(text) ? `'${text}` : text)))
        expect(said.map((row) => row[0])).toEqual(texts.map((_, i) => String(i + 1)))
      }),
    )
  })
  it('has no cell that a spreadsheet would run', () => {
    const formulas = [
      '=1+1',
      '+1',
      '-1',
      '@SUM(1)',
      '\t=1',
      '\r=1',
      '\n=1',
      '＝1',
      '＋1',
      '－1',
      '＠1',
      ' =1',
      '\u00A0=1',
    ]
    const entries = formulas.map((text) => lineOf(text, { from: { name: text, role: 'customer' } }))
    const rows = parseCsv(csvForm(transcriptOf(entries)))
    expect(rows).toHaveLength(formulas.length + 2)
    for (const row of rows) for (const cell of row) expect(cell).not.toMatch(RUNS)
  })
  it('leaves all other words alone, and says what else is known', () => {
    const rows = parseCsv(csvForm(transcriptOf([lineOf('1+1=2', { attachments: [picture, inline], state: 'failed' })])))
    expect(rows.slice(1)).toEqual([
      [
        ...['1', timeOf(61), 'Ann', '1+1=2', '[cat.png] https://example.org/cat.png [attachment]'],
        ...['customer', 'message', 'not delivered', '2030-01-01 00:01:01'],
      ],
      ['', '', '', `sha256:${HASH}`, '', '', 'hash', '', ''],
    ])
  })
  it('has a row for whatever happened', () => {
    const rows = parseCsv(csvForm(staffTranscriptOf(everything)))
    expect(rows.slice(1, -1).map((row) => row[6])).toEqual(everything.map(({ kind }) => kind))
  })
})

describe('as a page', () => {
  const TAGS =
    /^<(?:!doctype html|html lang="[A-Za-z0-9-]*" dir="(?:ltr|rtl)"|meta charset="utf-8"|meta http-equiv="Content-Security-Policy" content="[^"<>]*"|meta name="viewport" content="[^"<>]*"|meta name="referrer" content="no-referrer"|time datetime="[-0-9:.TZ]*"|br|dd dir="auto"|h2 class="aside"|li class="(?:customer|staff|whisper|move|move internal)"|p class="(?:who|state|mark)"|p dir="auto"|span class="mark"|div class="(?:text|file)"(?: lang="[A-Za-z0-9-]*")?|a href="https?:\/\/[^"<>\s]*" rel="noopener noreferrer nofollow"|\/?(?:html|head|body|main|header|footer|style|title|h1|h2|h3|dl|div|dt|dd|ol|li|p|strong|bdi|span|time|code|a))>$/
  it('holds no tag but its own, whatever anybody says or is called', async () => {
    await fc.assert(
      fc.asyncProperty(nasty, nasty, nasty, async (text, name, link) => {
        const attachments = [{ ...picture, name: text, type: name, contentUrl: link }]
        const from = { name, role: 'customer' as const }
        const more = { subject: text, channel: name, account: link, language: name, people: [from] }
        const page = await htmlForm(transcriptOf([lineOf(text, { from, attachments })], more), name)
        const [before = '', , after = ''] = page.split(/(?<=<style>)(.*)(?=<\/style>)/s)
        for (const part of [before, after]) {
          for (const [tag] of part.matchAll(/<[^>]*>?/g)) expect(tag).toMatch(TAGS)
          expect(part.match(/</g)).toHaveLength(part.match(/>/g)!.length)
          expect(part).not.toMatch(/&(?!(?:amp|lt|gt|quot|#39);)/)
        }
      }),
    )
  })
  it('shows the words as they were said', async () => {
    await fc.assert(
      fc.asyncProperty(nasty, async (said) => {
        const text = `x${said}`
        const page = await htmlForm(transcriptOf([lineOf(text)]))
        const [, shown = ''] = /<div class="text"[^>]*>(.*?)<\/div>/su.exec(page) ?? []
        const lines = shown.split('</p><p dir="auto">').map((line) => unescapeHtml(line.replace(/<[^>]*>/g, '')))
        expect(lines.join('\n')).toBe(text.replaceAll('\0', '\uFFFD').split(BREAK).join('\n'))
      }),
    )
  })
  it('says what else is known, in the language of the conversation where it has words for it', async () => {
    const page = await htmlForm(staffTranscriptOf(everything, { language: 'fr' }), 'fr')
    for (const words of [
      'lang="fr"',
      'Réservé au personnel',
      'Aparté, réservé au personnel',
      '<bdi>Ann</bdi> a rejoint',
      'lu</p>',
      HASH,
    ])
      expect(page).toContain(words)
  })
})

describe('whatever the form', () => {
  const forms = new TranscriptForms()
  afterAll(() => forms.close())
  const transcript = transcriptOf([lineOf('hello')], { language: 'xx-not a tag' })
  it.each(['json', 'html', 'txt', 'csv', 'pdf'] as const)(
    '%s has a type, a plain name, the hash at its end and in its ETag',
    async (form) => {
      const { mediaType, filename, etag, body } = await forms.render(transcript, { form })
      const bytes = await bytesOf(body)
      expect(mediaType).toMatch(/^(?:text|application)\/[a-z]+(?:; charset=utf-8)?$/)
      expect(filename).toMatch(new RegExp(`^conversation-2030-01-01-[A-Za-z0-9]{1,8}\\.${form}$`))
      expect(etag).toMatch(new RegExp(`^"${await hashOf(transcript)}-[0-9a-f]{8}"$`))
      if (form !== 'pdf') expect(bytes.subarray(-1_000).toString()).toContain(`sha256:${await hashOf(transcript)}`)
    },
  )
  it.each(['json', 'html', 'txt', 'csv'] as const)(
    '%s of a long conversation lets others have their turn after every chunk',
    async (form) => {
      const long = transcriptOf(Array.from({ length: 100 }, (_, i) => lineOf(`${i} ${'long '.repeat(3_000)}`)))
      const { body } = await forms.render(long, { form })
      let turns = 0
      let chunks = 0
      body.on('data', () => chunks++)
      for (; !body.closed; turns++) await nextTurn()
      expect(chunks).toBeGreaterThan(5)
      expect(turns).toBeGreaterThanOrEqual(chunks - 1)
    },
  )
  it('tells forms, zones and languages of one content apart', async () => {
    const tagOf = async (options: Parameters<TranscriptForms['render']>[1]) => {
      const { etag, body } = await forms.render(transcript, options)
      body.destroy()
      return etag
    }
    const tags = [
      await tagOf({ form: 'txt' }),
      await tagOf({ form: 'csv' }),
      await tagOf({ form: 'txt', timeZone: 'Asia/Tokyo' }),
      await tagOf({ form: 'txt', language: 'de' }),
    ]
    expect(new Set(tags).size).toBe(tags.length)
    expect(await tagOf({ form: 'txt' })).toBe(tags[0])
  })
  it('a time zone that does not exist is refused with a sentence', async () => {
    await expect(forms.render(transcript, { form: 'txt', timeZone: 'Mars/Base' })).rejects.toMatchObject({
      code: 'invalidRequest',
      details: ['timeZone'],
    })
  })
  it('the JSON without its hash has that hash', async () => {
    const { body } = await forms.render(transcript, { form: 'json' })
    const { hash, ...content } = JSON.parse((await bytesOf(body)).toString()) as Record<string, unknown>

    expect(hash).toBe(`sha256:${createHash('sha256').update(JSON.stringify(content)).digest('hex')}`)
  })
})
