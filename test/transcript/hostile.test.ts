// Reliability row 27: whatever is put into a text, a name, a file's name or an address stays words in every form of a transcript.
import type { Browser } from 'playwright-core'
import type { StaffTranscript } from '../../src/transcript/transcript'
import { TranscriptForms } from '../../src/transcript/transcript-forms'
import { startChromium } from '../support/chromium'
import { timeOf } from '../support/picture'
import { readPdf, wordsOf } from '../support/pdf'
import { bytesOf, lineOf, staffTranscriptOf, whisperOf } from '../support/transcripts'

jest.setTimeout(60_000)
const CORPUS = [
  '<script>window.pwned = 1</script>',
  '"><img src=x onerror="window.pwned = 1">',
  `'><svg/onload=window.pwned=1>`,
  '</title><script>window.pwned=1</script>',
  '</style><script>window.pwned=1</script>',
  '<!--<script>--><img src=x onerror=window.pwned=1>',
  '<a href="javascript:window.pwned=1">x</a>',
  'javascript:window.pwned=1',
  'JaVaScRiPt:window.pwned=1//https://example.org',
  '\u0001javascript:window.pwned=1',
  'java\nscript:window.pwned=1',
  'data:text/html,<script>window.pwned=1</script>',
  'data:image/svg+xml,<svg onload=window.pwned=1>',
  'data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9IndpbmRvdy5wd25lZD0xIi8+',
  'vbscript:msgbox(1)',
  'file:///etc/passwd',
  'https://example.org/"onmouseover="window.pwned=1',
  'https://example.org/<script>window.pwned=1</script>',
  "https://example.org/'><script>window.pwned=1</script>",
  '&lt;script&gt;window.pwned=1&lt;/script&gt;',
  '&#x6a;avascript:window.pwned=1',
  '<iframe srcdoc="<script>parent.pwned=1</script>">',
  '<meta http-equiv="refresh" content="0;url=javascript:window.pwned=1">',
  '<base href="https://evil.example/">',
  '<form action="https://evil.example/"><input name=a autofocus onfocus=window.pwned=1>',
  ') >> /AA << /O << /S /JavaScript /JS (app.alert(1)) >> >> (',
  '\\) /S /URI /URI (javascript:1) endobj 1 0 obj << /S /JavaScript >>',
  '%PDF-1.7 endstream endobj trailer << /OpenAction << /S /Launch >> >>',
  '\u202Ejs.tpircsavaj\u202C',
  '=HYPERLINK("javascript:1")',
]
const hostile = (words: string): StaffTranscript => {
  const from = { name: words, role: 'customer' as const }
  const attachments = [
    { type: words, name: words, contentUrl: words, thumbnailUrl: words },
    { type: 'image/svg+xml', name: words, contentUrl: `https://example.org/${words}` },
  ]
  return staffTranscriptOf(
    [
      { kind: 'joined', seq: 1, at: timeOf(1), from },
      lineOf(words, { from, attachments }),
      whisperOf(words, { from: { name: words, role: 'agent' } }),
    ],
    { subject: words, channel: words, account: words, language: words, people: [from] },
  )
}

describe('reliability row 27', () => {
  const forms = new TranscriptForms()
  let browser: Browser
  beforeAll(async () => {
    browser = await startChromium()
  })
  afterAll(async () => {
    await browser.close()
    await forms.close()
  })

  it('a page runs nothing, fetches nothing and leads nowhere but to the web', async () => {
    const page = await browser.newPage()
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    for (const [i, words] of CORPUS.entries()) {
      const address = `http://kept.example/${i}`
      const html = (await bytesOf((await forms.render(hostile(words), { form: 'html' })).body)).toString()
      // Without its policy the page must be as harmless.
      const bare = html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '')
      await page.route(address, (route) => route.fulfill({ contentType: 'text/html; charset=utf-8', body: bare }))
      await page.goto(address)
      const found = await page.evaluate<{
        pwned: unknown
        links: string[]
        nodes: number
        handlers: number
        shown: string
      }>(`({
        pwned: window.pwned ?? null,
        links: [...document.links].map(({ protocol }) => protocol),
        nodes: document.querySelectorAll('script,iframe,object,embed,form,input,base,svg,link,meta[http-equiv]').length,
        handlers: [...document.querySelectorAll('*')].filter((one) => [...one.attributes].some(({ name }) => name.startsWith('on'))).length,
        shown: document.body.textContent,
      })`)
      expect({ words, ...found }).toMatchObject({ pwned: null, nodes: 0, handlers: 0 })
      for (const protocol of found.links) expect(protocol).toMatch(/^https?:$/)
      expect(wordsOf(found.shown)).toContain(wordsOf(words))
    }
    expect(asked).toEqual(CORPUS.map((_, i) => `http://kept.example/${i}`))
    await page.close()
  })
  it('a PDF has no script, no action, no file in it, and no link but to the web', async () => {
    const all = CORPUS.map(hostile)
    const inHead = all.filter((_, i) => i % 6 === 1)
    const together = { ...hostile('all'), entries: all.flatMap(({ entries }) => entries) }
    for (const transcript of [together, ...inHead]) {
      const { pages, scripts, info } = await readPdf(
        await bytesOf((await forms.render(transcript, { form: 'pdf' })).body),
      )
      expect(scripts).toBe('[null,null,null]')
      for (const { subtype, url } of pages.flatMap((page) => page.links)) {
        expect(subtype).toBe('Link')
        expect(url).toMatch(/^https?:\/\//)
      }
      const metadata = Object.keys(info).filter((name) => !/^(?:Is|PDF)[A-Z]/.test(name))
      for (const name of metadata)
        expect(['CreationDate', 'Creator', 'EncryptFilterName', 'Language', 'Producer', 'Subject', 'Title']).toContain(
          name,
        )
      expect(wordsOf(String(info['Subject']))).toBe(wordsOf(transcript.subject))
      const shown = wordsOf(pages.flatMap(({ lines }) => lines).join(''))
      if (transcript === together) expect(shown).toContain(wordsOf('<script>window.pwned = 1</script>'))
    }
  })
  it('a table has no formula, and a text no line of its own', async () => {
    for (const words of CORPUS) {
      const csv = (await bytesOf((await forms.render(hostile(words), { form: 'csv' })).body)).toString()
      expect(csv).not.toMatch(/(?:^|,|\n)"\s*[=+@-]/)
      const text = (await bytesOf((await forms.render(hostile(words), { form: 'txt' })).body)).toString()
      const body = text.split('\n\n')[1]!.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/)
      for (const line of body) expect(line).toMatch(/^(?:2030-| {4})/)
    }
  })
})
