// The page in a real browser: nothing for axe to find, nothing run, nothing fetched, readable on a phone.
import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import type { StaffEntry } from '../../src/transcript/transcript'
import { TranscriptForms } from '../../src/transcript/transcript-forms'
import { startChromium } from '../support/chromium'
import { timeOf } from '../support/picture'
import { anna, bob, bytesOf, lineOf, staffTranscriptOf, whisperOf } from '../support/transcripts'

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
jest.setTimeout(60_000)
let browser: Browser
const forms = new TranscriptForms()
beforeAll(async () => {
  browser = await startChromium()
})
afterAll(async () => {
  await browser.close()
  await forms.close()
})

async function entries(): Promise<StaffEntry[]> {
  const png = await sharp({ create: { width: 900, height: 400, channels: 3, background: '#38a' } })
    .png()
    .toBuffer()
  const contentUrl = `data:image/png;base64,${png.toString('base64')}`
  return [
    { kind: 'joined', seq: 1, at: timeOf(1), from: anna },
    lineOf('hello\n\nsee https://example.org/ and مرحبا', { state: 'read' }),
    lineOf('x'.repeat(400), { from: bob }),
    whisperOf('psst'),
    { kind: 'observerJoined', seq: 4, at: timeOf(62), from: { name: 'Sue', role: 'supervisor' } },
    lineOf('مرحبا بالعالم'),
    lineOf('', { attachments: [{ type: 'image/png', name: 'sea.png', contentUrl, size: png.length }] }),
    { kind: 'ended', seq: 9, at: timeOf(90_000), from: anna, reason: 'customer' },
  ]
}
async function show(language: string): Promise<{ page: Page; asked: string[]; complaints: string[] }> {
  const { body } = await forms.render(staffTranscriptOf(await entries(), { subject: 'Parcels' }), {
    form: 'html',
    language,
  })
  const html = (await bytesOf(body)).toString()
  const page = await browser.newPage({ viewport: { width: 375, height: 700 }, bypassCSP: false })
  const asked: string[] = []
  const complaints: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await page.route('http://kept.example/', (route) =>
    route.fulfill({ contentType: 'text/html; charset=utf-8', body: html }),
  )
  await page.goto('http://kept.example/')
  return { page, asked, complaints }
}

describe.each(['en', 'ar'])('the page in %s', (language) => {
  it('gives axe nothing to find', async () => {
    const { page } = await show(language)
    // By the debugger, which the page's policy does not bind.
    await page.evaluate(AXE)
    const { violations, passes } = await page.evaluate<{ violations: unknown[]; passes: unknown[] }>('axe.run()')
    expect(violations).toEqual([])
    expect(passes.length).toBeGreaterThan(10)
    await page.close()
  })
  it('fetches nothing but itself, is styled under its own policy, and has pictures in it', async () => {
    const { page, asked, complaints } = await show(language)
    expect(asked.filter((url) => !url.startsWith('data:'))).toEqual(['http://kept.example/'])
    expect(complaints).toEqual([])
    expect(await page.evaluate(`getComputedStyle(document.querySelector('li.whisper')).borderStyle`)).toBe('dashed')
    expect(await page.evaluate(`[...document.images].map((image) => image.naturalWidth)`)).toEqual([360])
    expect(await page.evaluate(`document.querySelectorAll('script').length`)).toBe(0)
    await page.close()
  })
  it('is no wider than a phone, however long a word is', async () => {
    const { page } = await show(language)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(375)
    await page.close()
  })
})
it('turns each line to its own direction', async () => {
  const { page } = await show('en')
  const aligned = `[...document.querySelectorAll('.text p')].map((p) => getComputedStyle(p).direction)`
  expect(await page.evaluate(aligned)).toEqual(['ltr', 'ltr', 'ltr', 'ltr', 'ltr', 'rtl'])
  await page.close()
})
