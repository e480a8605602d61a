// Puts laid lines on a page of a PDF, glyph by glyph.
import type { FontFace } from './font-face'
import type { LaidLine, Piece, Typesetter } from './paragraph'
import type { PdfDocument, PdfReference } from './pdf-document'
import { PdfFont } from './pdf-font'
import type { ShapedGlyph, ShapedRun } from './shaping'

/** Red, green and blue, each 0 to 1. */
export type Colour = readonly [number, number, number]
export interface Pen {
  /** Points. */
  readonly size: number
  readonly colour: Colour
  /** For pieces that belong to a link. */
  readonly colourOf?: ((piece: Piece) => Colour) | undefined
}
export interface Point {
  readonly x: number
  readonly y: number
}

export class Ink {
  readonly #document: PdfDocument
  readonly #typesetter: Typesetter
  readonly #fonts = new Map<FontFace, PdfFont>()
  #total: PdfReference | null = null

  constructor(deps: { document: PdfDocument; typesetter: Typesetter }) {
    this.#document = deps.document
    this.#typesetter = deps.typesetter
  }

  /** From the left end of the baseline. */
  line(line: LaidLine, at: Point, pen: Pen): void {
    const said = line.pieces.map(({ piece }) => textOf(piece)).join('')
    const isPlain = said === line.text.trimEnd()
    // Where glyphs stand in another order than their letters, a copy says what was written.
    if (!isPlain) this.#document.markContent('Span', { actual: line.text })
    for (const { piece, x } of line.pieces) {
      const from = { x: at.x + (x * pen.size) / 1_000, y: at.y }
      const colour = pen.colourOf?.(piece) ?? pen.colour
      if (piece.kind === 'box') this.#box(piece, from, { size: pen.size, colour })
      else this.#run(piece.kind === 'space' ? this.#typesetter.space : piece.run, from, { size: pen.size, colour })
    }
    if (!isPlain) this.#document.endMarkedContent()
  }

  /** How many pages there are: written now, known at the end. */
  total(at: Point, { size, colour }: Pen): void {
    const scale = size / TOTAL_SIZE
    const total = (this.#total ??= this.#document.ref({ Type: 'XObject', Subtype: 'Form', FormType: 1 }))
    const xobjects = this.#document.page.xobjects as Record<string, PdfReference>
    xobjects['Total'] = total
    const paint = `${colour.map(num).join(' ')} rg`
    this.#document.addContent(`q ${paint} ${num(scale)} 0 0 ${num(-scale)} ${num(at.x)} ${num(at.y)} cm /Total Do Q`)
  }

  /** Writes the fonts, and the number of pages into all of them. */
  end(pages: number): void {
    if (this.#total) {
      const run = this.#typesetter.latin(String(pages))
      const font = this.#fontOf(run.face)
      const width = (run.width * TOTAL_SIZE) / 1_000
      Object.assign(this.#total.data, {
        BBox: [0, -TOTAL_SIZE, width, 2 * TOTAL_SIZE],
        Resources: { Font: { [font.name]: font.dictionary } },
      })
      this.#total.end(`BT /${font.name} ${TOTAL_SIZE} Tf ${showing(run.glyphs, font)} ET`)
    }
    for (const font of this.#fonts.values()) font.end()
  }

  #run(run: ShapedRun, at: Point, { size, colour }: Pen): void {
    const font = this.#fontOf(run.face)
    const fonts = this.#document.page.fonts as Record<string, PdfReference>
    fonts[font.name] ??= font.dictionary
    this.#document.addContent(
      `BT ${colour.map(num).join(' ')} rg /${font.name} ${num(size)} Tf ` +
        // The page is turned over, so that y grows downwards: letters are turned back.
        `1 0 0 -1 ${num(at.x)} ${num(at.y)} Tm ${showing(run.glyphs, font, size)} ET`,
    )
  }

  /** A visible box with the code points in it, two digits above the others. */
  #box(piece: Extract<Piece, { kind: 'box' }>, at: Point, { size, colour }: Pen): void {
    const each = (piece.width * size) / 1_000 / piece.codes.length
    let said = piece.text
    piece.codes.forEach((code, i) => {
      const x = at.x + i * each
      const [width, height] = [each - 0.1 * size, 0.98 * size]
      const [left, top] = [x + 0.05 * size, at.y - 0.82 * size]
      const paint = `${colour.map(num).join(' ')} RG`
      this.#document.addContent(
        `q ${paint} ${num(size * 0.05)} w ${[left, top, width, height].map(num).join(' ')} re S Q`,
      )
      const half = Math.ceil(code.length / 2)
      for (const [row, digits] of [code.slice(0, half), code.slice(half)].entries()) {
        const small = size * 0.42
        const run = this.#typesetter.latin(digits)
        // The first digit stands for the character, the others for nothing: a copy has it, not its number.
        const glyphs = run.glyphs.map((glyph) => {
          const text = said === '' ? '\u2060' : said
          said = ''
          return { ...glyph, text }
        })
        const offset = (width - (run.width * small) / 1_000) / 2
        this.#run({ ...run, glyphs }, { x: left + offset, y: top + (row + 1) * 0.45 * size }, { size: small, colour })
      }
    })
  }

  #fontOf(face: FontFace): PdfFont {
    const known = this.#fonts.get(face)
    if (known) return known
    const font = new PdfFont(this.#document, face, `F${this.#fonts.size + 1}`)
    this.#fonts.set(face, font)
    return font
  }
}

const TOTAL_SIZE = 8

function textOf(piece: Piece): string {
  if (piece.kind === 'space') return ' '
  return piece.kind === 'box' ? piece.text : piece.run.glyphs.map(({ text }) => text).join('')
}

/** The operators that show these glyphs: moved from where their widths would put them, and raised. */
function showing(glyphs: readonly ShapedGlyph[], font: PdfFont, size = 1): string {
  const operators: string[] = []
  let row: string[] = []
  let rise = 0
  const flush = () => {
    if (row.length > 0) operators.push(`[${row.join(' ')}] TJ`)
    row = []
  }
  for (const glyph of glyphs) {
    if (glyph.dy !== rise) {
      flush()
      operators.push(`${num((glyph.dy * size) / 1_000)} Ts`)
      rise = glyph.dy
    }
    if (glyph.dx !== 0) row.push(num(-glyph.dx))
    row.push(`<${font.codeOf(glyph)}>`)
    const left = glyph.dx + glyph.width - glyph.advance
    if (Math.abs(left) > 0.01) row.push(num(left))
  }
  flush()
  if (rise !== 0) operators.push('0 Ts')
  return operators.join(' ')
}
/** PDF has no exponents, and three digits are finer than any printer. */
const num = (value: number): string => {
  const text = value.toFixed(3).replace(/\.?0+$/, '')
  return text === '-0' ? '0' : text
}
