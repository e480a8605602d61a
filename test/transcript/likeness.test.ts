// Lines of a PDF look as Chromium sets them with the same fonts: the right glyphs, in the right order, at the right places.
// UPDATE_REFERENCES=1 draws the references anew, with Chromium.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { startChromium } from '../support/chromium'
import { drawByChromium, drawByUs, inkOf, likeness } from '../support/line-pictures'
import { SCRIPTS } from './scripts'

jest.setTimeout(60_000)
const FOLDER = join(__dirname, 'references')
/** Of the ink, within half a point of the other's; and of the width. */
const ALIKE = { ink: 0.97, width: 0.01 }
const isAlike = ({ ink, width }: { ink: number; width: number }) => ink >= ALIKE.ink && width <= ALIKE.width
function expectAlike({ ink, width }: { ink: number; width: number }): void {
  expect(ink).toBeGreaterThanOrEqual(ALIKE.ink)
  expect(width).toBeLessThanOrEqual(ALIKE.width)
}
const referenceOf = (script: string) => readFileSync(join(FOLDER, `${script}.png`))

/** The same letters, in the wrong shapes or order: what a tolerance must not let through. */
const WRONG: readonly { readonly script: string; readonly how: string; readonly text: (text: string) => string }[] = [
  { script: 'arabic', how: 'letters do not join', text: (text) => Array.from(text).join('\u200C') },
  { script: 'arabic', how: 'words stand from left to right', text: (text) => text.split(' ').reverse().join(' ') },
  { script: 'hebrew', how: 'letters stand from left to right', text: (text) => `\u202D${text}` },
  { script: 'urdu', how: 'letters do not join', text: (text) => Array.from(text).join('\u200C') },
  { script: 'devanagari', how: 'there are no conjuncts', text: (text) => text.replaceAll('\u094D', '\u094D\u200C') },
  { script: 'emoji', how: 'families are taken apart', text: (text) => text.replaceAll('\u200D', '') },
  { script: 'arabic-with-latin', how: 'numbers and words change places', text: (text) => text.replace('123', '321') },
  {
    script: 'latin-with-hebrew',
    how: 'words in brackets are turned around',
    text: (text) => text.replace('שלום עולם', 'עולם שלום'),
  },
  { script: 'vietnamese', how: 'marks are missing', text: (text) => text.normalize('NFD').replace(/\p{M}/gu, '') },
  { script: 'japanese', how: 'one character is another', text: (text) => text.replace('注文', '註文') },
]

let browser: Browser
let ours: Buffer[]
let theirs: Buffer[]
let wrong: Buffer[]
beforeAll(async () => {
  browser = await startChromium()
  theirs = await drawByChromium(browser, SCRIPTS)
  const texts = SCRIPTS.map(({ text }) => text)
  const spoilt = WRONG.map(({ script, text }) => text(SCRIPTS.find((one) => one.script === script)!.text))
  const drawn = await drawByUs(browser, [...texts, ...spoilt])
  ours = drawn.slice(0, texts.length)
  wrong = drawn.slice(texts.length)
  if (process.env['UPDATE_REFERENCES'] !== '1') return
  mkdirSync(FOLDER, { recursive: true })
  for (const [i, { script }] of SCRIPTS.entries()) writeFileSync(join(FOLDER, `${script}.png`), await inkOf(theirs[i]!))
})
afterAll(() => browser.close())

describe.each(SCRIPTS.map(({ script }, i) => ({ script, i })))('a line in $script', ({ script, i }) => {
  it('looks as Chromium sets it', async () => {
    expectAlike(await likeness(ours[i]!, referenceOf(script)))
  })
  it('has a reference that is what Chromium draws', async () => {
    expectAlike(await likeness(theirs[i]!, referenceOf(script)))
  })
})
it.each(WRONG.map(({ script, how }, i) => ({ script, how, i })))(
  '$script is told from one in which $how',
  async ({ script, i }) => {
    expect(isAlike(await likeness(wrong[i]!, referenceOf(script)))).toBe(false)
  },
)
