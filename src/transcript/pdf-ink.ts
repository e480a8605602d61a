// Puts laid lines on a page of a PDF, glyph by glyph.
import type { FontFace } from './font-face'
import type { LaidLine, Piece, Typesetter } from './paragraph'
import type { PdfDocument, PdfReference } from './pdf-document'
import { PdfFont } from './pdf-font'
import { NOTHING, type ShapedGlyph, type ShapedRun } from './shaping'

/** Red, green and blue, each 0 to 1. */
export type Colour = readonly [number, number, number]
export interface Pen {
  /** Points. */
  readonly size: number
  readonly colour: Colour
  /** For pieces that belong to a link. */
  readonly colourOf?: (piece: Piece) => Colour
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
    for (const { piece, x, run, colour } of strokesOf(line, pen)) {
      const from = { x: at.x + (x * pen.size) / 1_000, y: at.y }
      if (piece.kind === 'box') this.#box(piece, from, { size: pen.size, colour })
      else if (run) this.#run(run, from, { size: pen.size, colour })
    }
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

  #run(run: Pick<ShapedRun, 'glyphs' | 'face'>, at: Point, { size, colour }: Pen): void {
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
          const text = said === '' ? NOTHING : said
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

interface Stroke {
  readonly piece: Piece
  readonly x: number
  readonly run: Pick<ShapedRun, 'glyphs' | 'face'> | null
  readonly colour: Colour
}
/**
 * In the order of reading, wherever they stand. Neighbours in one font and direction are shown in one go: whoever
 * extracts the text finds the spaces between them.
 */
function strokesOf({ pieces }: LaidLine, { colour, colourOf = () => colour }: Pen): Stroke[] {
  const strokes: Stroke[] = []
  for (const { piece, x } of pieces.toSorted((a, b) => a.piece.start - b.piece.start)) {
    const next = { piece, x, run: piece.kind === 'box' ? null : piece.run, colour: colourOf(piece) }
    const last = strokes.at(-1)
    if (last && goOn(last, next)) strokes.splice(-1, 1, joined(last, next))
    else strokes.push(next)
  }
  return strokes
}
function goOn(last: Stroke, next: Stroke): boolean {
  // A tabulator is wider than its glyph: what follows has a place of its own.
  const isWide = last.piece.kind === 'space' && last.piece.width !== last.piece.run.width
  // Words that climb are taken for columns if they are shown together: each goes with the space before it.
  const isApart = hasClimbed(last) || (hasClimbed(next) && last.piece.kind !== 'space')
  return !isWide && !isApart && areAlike(last, next)
}
const areAlike = (one: Stroke, other: Stroke): boolean =>
  one.run !== null &&
  one.run.face === other.run?.face &&
  one.colour === other.colour &&
  one.piece.level === other.piece.level
const hasClimbed = ({ piece }: Stroke): boolean => piece.kind === 'glyphs' && piece.run.face.climbs
function joined(last: Stroke, next: Stroke): Stroke {
  const isRtl = next.piece.level % 2 === 1
  const { before, after } = hasClimbed(next) ? withSpace(last, next) : { before: glyphsOf(last), after: glyphsOf(next) }
  const glyphs = isRtl ? [...after, ...before] : [...before, ...after]
  return { ...next, x: isRtl ? next.x : last.x, run: next.run && { ...next.run, glyphs } }
}
const glyphsOf = ({ run }: Stroke): readonly ShapedGlyph[] => run?.glyphs ?? []
/** What stands for the word stands for the space, too: a space alone is passed over. Both are turned around later. */
function withSpace(space: Stroke, word: Stroke): { before: readonly ShapedGlyph[]; after: readonly ShapedGlyph[] } {
  const after = glyphsOf(word).map((glyph, i) => (i === 0 ? { ...glyph, text: `${glyph.text} ` } : glyph))
  return { before: glyphsOf(space).map((glyph) => ({ ...glyph, text: NOTHING })), after }
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
