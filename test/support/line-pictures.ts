// Lines as pictures: drawn by us into a PDF, and by Chromium with the same fonts; and how alike two of them are.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { openDocument } from '../../src/transcript/pdf-document'
import { Ink } from '../../src/transcript/pdf-ink'
import { FontShelf } from '../../src/transcript/font-shelf'
import { Typesetter } from '../../src/transcript/paragraph'

const SIZE = 24
const HEIGHT = 90
const WIDTH = 595
const ORIGIN = 'http://lines.example'
const typesetter = new Typesetter(new FontShelf({ folder: '' }))
const style = { weight: 400, language: 'en', direction: 'auto', maxWidth: 100_000 } as const

/** One line to a row of a page, by our typesetter. */
async function pdfOf(lines: readonly string[]): Promise<Buffer> {
  const document = openDocument({ title: 'Lines', subject: '', language: 'en', createdAt: new Date(0) })
  const chunks: Buffer[] = []
  document.on('data', (chunk: Uint8Array) => chunks.push(Buffer.from(chunk)))
  const written = new Promise((resolve) => document.on('end', resolve))
  const ink = new Ink({ document, typesetter })
  for (const text of lines) {
    document.addPage({ size: [WIDTH, HEIGHT], margin: 0 })
    const [line] = typesetter.lay(text, style)
    if (line) ink.line(line, { x: 20, y: 55 }, { size: SIZE, colour: [0, 0, 0] })
  }
  ink.end(lines.length)
  document.end()
  await written
  return Buffer.concat(chunks)
}

/** Our lines, as pdf.js shows them in Chromium. */
export async function drawByUs(browser: Browser, lines: readonly string[]): Promise<Buffer[]> {
  const bytes = await pdfOf(lines)
  const page = await openPage(browser, '<!doctype html><canvas></canvas>')
  const script = `(async () => {
    const pdfjs = await import('${ORIGIN}/pdfjs/pdf.mjs')
    pdfjs.GlobalWorkerOptions.workerSrc = '${ORIGIN}/pdfjs/pdf.worker.mjs'
    const data = Uint8Array.from(atob('${bytes.toString('base64')}'), (one) => one.charCodeAt(0))
    const pdf = await pdfjs.getDocument({ data }).promise
    const pictures = []
    for (let number = 1; number <= pdf.numPages; number++) {
      const page = await pdf.getPage(number)
      const viewport = page.getViewport({ scale: 2 })
      const canvas = document.querySelector('canvas')
      canvas.width = viewport.width
      canvas.height = viewport.height
      await page.render({ canvas, viewport }).promise
      pictures.push(canvas.toDataURL('image/png').split(',')[1])
    }
    return pictures
  })()`
  const pictures = await page.evaluate<string[]>(script)
  await page.close()
  return pictures.map((text) => Buffer.from(text, 'base64'))
}

export interface Sample {
  readonly text: string
  /** Names in \`FONTS\`, the first that has a character draws it. */
  readonly fonts: readonly string[]
}
const FONTS: Readonly<Record<string, string>> = {
  latin: 'noto-sans/noto-sans-latin',
  'latin-ext': 'noto-sans/noto-sans-latin-ext',
  vietnamese: 'noto-sans/noto-sans-vietnamese',
  cyrillic: 'noto-sans/noto-sans-cyrillic',
  'cyrillic-ext': 'noto-sans/noto-sans-cyrillic-ext',
  greek: 'noto-sans/noto-sans-greek',
  'greek-ext': 'noto-sans/noto-sans-greek-ext',
  arabic: 'noto-sans-arabic/noto-sans-arabic-arabic',
  hebrew: 'noto-sans-hebrew/noto-sans-hebrew-hebrew',
  urdu: 'noto-nastaliq-urdu/noto-nastaliq-urdu-arabic',
  devanagari: 'noto-sans-devanagari/noto-sans-devanagari-devanagari',
  chinese: 'noto-sans-sc/noto-sans-sc-chinese-simplified',
  japanese: 'noto-sans-jp/noto-sans-jp-japanese',
  korean: 'noto-sans-kr/noto-sans-kr-korean',
  emoji: 'noto-emoji/noto-emoji-emoji',
}

/** The same lines, as Chromium sets them. */
export async function drawByChromium(browser: Browser, samples: readonly Sample[]): Promise<Buffer[]> {
  const faces = Object.keys(FONTS).map((name) => `@font-face{font-family:"${name}";src:url(/fonts/${name}.woff)}`)
  const rows = samples.map(
    ({ text, fonts }) =>
      `<p dir="auto" style="font-family:${fonts.map((name) => `'${name}'`).join(',')}"><span>${text}</span></p>`,
  )
  const css = `*{margin:0}body{background:#fff;color:#000}p{width:${WIDTH}px;height:${HEIGHT}px;line-height:${HEIGHT}px;font-size:${SIZE}px;white-space:pre;overflow:hidden;padding:0 20px;box-sizing:border-box;text-rendering:geometricPrecision;text-spacing-trim:space-all}`
  const page = await openPage(
    browser,
    `<!doctype html><meta charset="utf-8"><style>${faces.join('')}${css}</style>${rows.join('')}`,
  )
  await page.evaluate('document.fonts.ready')
  const pictures: Buffer[] = []
  for (const row of await page.$$('p')) pictures.push(await row.screenshot())
  await page.close()
  return pictures
}

async function openPage(browser: Browser, html: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 800 }, deviceScaleFactor: 2 })
  const pdfjs = join(dirname(require.resolve('pdfjs-dist/package.json')), 'legacy/build')
  await page.route(`${ORIGIN}/**`, (route) => {
    const { pathname } = new URL(route.request().url())
    const [, folder = '', name = ''] = pathname.split('/')
    if (folder === '') return route.fulfill({ contentType: 'text/html; charset=utf-8', body: html })
    const file = folder === 'pdfjs' ? join(pdfjs, name) : fontFile(name.replace('.woff', ''))
    if (!existsSync(file)) return route.abort()
    return route.fulfill({
      contentType: folder === 'pdfjs' ? 'text/javascript' : 'font/woff',
      body: readFileSync(file),
    })
  })
  await page.goto(`${ORIGIN}/`)
  return page
}
function fontFile(name: string): string {
  const [family = '', file = ''] = (FONTS[name] ?? '').split('/')
  return join(dirname(require.resolve(`@fontsource/${family}/package.json`)), 'files', `${file}-400-normal.woff`)
}

interface Dots {
  readonly width: number
  readonly height: number
  readonly dark: Uint8Array
}
/** Only the ink, without the white around it; black or white. */
export async function inkOf(png: Buffer): Promise<Buffer> {
  return sharp(png)
    .flatten({ background: '#fff' })
    .greyscale()
    .trim({ background: '#fff', threshold: 60 })
    .png()
    .toBuffer()
}
async function read(png: Buffer): Promise<Dots> {
  const { data, info } = await sharp(png)
    .flatten({ background: '#fff' })
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const dark = new Uint8Array(info.width * info.height)
  for (let i = 0; i < dark.length; i++) dark[i] = (data[i * info.channels] ?? 255) < 128 ? 1 : 0
  return { width: info.width, height: info.height, dark }
}

/** How much of the ink of either has ink of the other within a pixel (of two to the point), and how the widths differ. */
export async function likeness(one: Buffer, other: Buffer): Promise<{ ink: number; width: number }> {
  const [a, b] = [await read(await inkOf(one)), await read(await inkOf(other))]
  return {
    ink: Math.min(covered(a, b), covered(b, a)),
    width: Math.abs(a.width - b.width) / Math.max(a.width, b.width),
  }
}
const REACH = 1
function covered(a: Dots, b: Dots): number {
  let [all, met] = [0, 0]
  for (let y = 0; y < a.height; y++)
    for (let x = 0; x < a.width; x++) {
      if (!a.dark[y * a.width + x]) continue
      all++
      if (isNear(b, x, y)) met++
    }
  return all === 0 ? 0 : met / all
}
function isNear({ dark, width, height }: Dots, x: number, y: number): boolean {
  for (let v = Math.max(0, y - REACH); v <= Math.min(height - 1, y + REACH); v++)
    for (let u = Math.max(0, x - REACH); u <= Math.min(width - 1, x + REACH); u++) if (dark[v * width + u]) return true
  return false
}
