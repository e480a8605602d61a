// The pages of a PDF: what stands where, what belongs together, and the structure that a screen reader follows.
import type { Typesetter } from './paragraph'
import { PAGE, type PdfDocument, type PdfElement } from './pdf-document'
import { Ink, type Colour } from './pdf-ink'
import {
  GAP,
  GREY,
  isWithin,
  PICTURE_GAP,
  takenBy,
  type Part,
  type PictureRow,
  type Row,
  type WordsRow,
} from './pdf-rows'

/** Points between the margins. */
export const INNER = PAGE.width - 2 * PAGE.side
const RULE: Colour = [0.85, 0.87, 0.9]
const FOOT = {
  size: 8,
  y: PAGE.height - 30,
  style: { weight: 400, language: 'en', direction: 'ltr', maxWidth: 60_000 },
} as const

interface Paper {
  readonly fill: Colour
  readonly border: Colour
  readonly dashed: boolean
}
/** Rows that belong together. */
export interface Block {
  readonly rows: readonly Row[]
  readonly side: 'left' | 'right' | 'full'
  readonly paper?: Paper
  /** Points around the rows, and below the block. */
  readonly padding: number
  readonly space: number
}
interface Box {
  readonly x: number
  readonly width: number
}
interface Tree {
  readonly element: PdfElement
  readonly parts: Map<Part, PdfElement>
}

export class Sheet {
  readonly #document: PdfDocument
  readonly #ink: Ink
  readonly #typesetter: Typesetter
  readonly #name: string
  readonly #root: PdfElement
  readonly #direction: 'ltr' | 'rtl'
  #y = 0
  #pages = 0

  /** `name` stands at the foot of each page. */
  constructor(deps: { document: PdfDocument; typesetter: Typesetter; name: string; direction: 'ltr' | 'rtl' }) {
    this.#document = deps.document
    this.#typesetter = deps.typesetter
    this.#name = deps.name
    this.#direction = deps.direction
    this.#ink = new Ink({ document: deps.document, typesetter: deps.typesetter })
    this.#root = deps.document.struct('Document')
    deps.document.addStructure(this.#root)
    this.#turn()
  }

  skip(points: number): void {
    this.#y += points
  }
  /** Begins a page unless there is room for this much. */
  need(points: number): void {
    if (this.#room < points) this.#turn()
  }
  /** An entry of the outline that leads here. */
  outline(title: string): void {
    // What pdfkit calls `left` is counted from the right edge.
    const at: object = { top: Math.max(0, this.#y - 10), left: PAGE.width }
    this.#document.outline.addItem(title, at)
  }
  /** A thin line across the page. */
  rule(): void {
    this.#paint('Layout', () => {
      const [from, to] = [PAGE.side, PAGE.width - PAGE.side]
      this.#document.lineWidth(0.75).moveTo(from, this.#y).lineTo(to, this.#y).stroke(bytesOf(RULE))
    })
  }

  /** Writes a block, on as many pages as it takes; its first row never stands alone at the end of one. */
  put(block: Block): void {
    const { rows, padding, space } = block
    const element = this.#document.struct('Div')
    this.#root.add(element)
    const tree = { element, parts: new Map<Part, PdfElement>() }
    for (let from = 0; from < rows.length;) {
      const count = this.#fitting(rows.slice(from), padding)
      const isLonely = count === 1 && from === 0 && rows.length > 1
      if ((count === 0 || isLonely) && this.#y > PAGE.top) this.#turn()
      else {
        // What is too tall for an empty page goes over its edge rather than nowhere.
        const taken = rows.slice(from, from + Math.max(count, 1))
        this.#draw(block, taken, tree)
        from += taken.length
        if (from < rows.length) this.#turn()
      }
    }
    element.end()
    this.#y += space
  }

  end(): void {
    this.#foot()
    this.#root.end()
    this.#ink.end(this.#pages)
    this.#document.end()
  }

  get #room(): number {
    return PAGE.height - PAGE.bottom - this.#y
  }
  /** How many rows there is room for. */
  #fitting(rows: readonly Row[], padding: number): number {
    let height = 2 * padding
    const over = rows.findIndex((row) => (height += row.height) > this.#room)
    return over === -1 ? rows.length : over
  }

  #draw({ rows: all, paper, padding, side }: Block, rows: readonly Row[], tree: Tree): void {
    const width = side === 'full' ? INNER : Math.max(...all.map((row) => row.width)) + 2 * padding
    const x = side === 'right' ? PAGE.width - PAGE.side - width : PAGE.side
    const height = rows.reduce((sum, row) => sum + row.height, 2 * padding)
    if (paper) this.#paint('Layout', () => this.#paper(paper, { x, width }, height))
    this.#y += padding
    for (const row of rows) {
      this.#row(row, { x: x + padding, width: width - 2 * padding }, tree)
      this.#y += row.height
    }
    this.#y += padding
  }
  #paper({ fill, border, dashed }: Paper, { x, width }: Box, height: number): void {
    this.#document.save().roundedRect(x, this.#y, width, height, 8)
    if (dashed) this.#document.dash(4, { space: 3 })
    this.#document
      .lineWidth(dashed ? 1.25 : 0.75)
      .fillAndStroke(bytesOf(fill), bytesOf(border))
      .restore()
  }

  #row(row: Row, box: Box, tree: Tree): void {
    const element = this.#elementOf(row.part, tree)
    element.add(this.#document.markStructureContent(row.part.tag))
    if (row.kind === 'picture') this.#picture(row, box)
    else this.#words(row, box)
    this.#document.endMarkedContent()
    if (row.kind === 'words') this.#links(row, box, element)
  }
  #elementOf(part: Part, { element, parts }: Tree): PdfElement {
    const known = parts.get(part)
    if (known) return known
    const { tag, alt, language } = part
    const made = this.#document.struct(tag, {
      ...(alt === undefined ? {} : { alt }),
      ...(language === undefined ? {} : { lang: language }),
    })
    parts.set(part, made)
    element.add(made)
    return made
  }
  #picture({ jpeg, width, height }: PictureRow, box: Box): void {
    const x = this.#direction === 'rtl' ? box.x + box.width - width : box.x
    const size = { width, height: height - 2 * PICTURE_GAP }
    this.#document.image(Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength), x, this.#y + PICTURE_GAP, size)
  }
  #words(row: WordsRow, box: Box): void {
    const y = this.#y + row.ascent
    for (const { words, x } of placed(row, box, this.#direction)) this.#ink.line(words.line, { x, y }, words.pen)
  }
  #links(row: WordsRow, box: Box, element: PdfElement): void {
    for (const { words, x: left } of placed(row, box, this.#direction))
      for (const link of words.links)
        for (const { piece, x } of words.line.pieces) {
          if (!isWithin(piece, link)) continue
          const scale = words.pen.size / 1_000
          const own = this.#document.struct('Link')
          element.add(own)
          const options: object = { structParent: own, Contents: new String(link.link) }
          this.#document.link(left + x * scale, this.#y, piece.width * scale, row.height, link.link, options)
        }
  }

  #turn(): void {
    if (this.#pages > 0) this.#foot()
    this.#document.addPage()
    this.#pages++
    this.#y = PAGE.top
  }
  #foot(): void {
    this.#paint('Pagination', () => {
      const [number] = this.#typesetter.lay(`${this.#pages} /`, FOOT.style)
      const [name] = this.#typesetter.lay(this.#name, FOOT.style)
      if (!number || !name) return
      const pen = { size: FOOT.size, colour: GREY }
      const middle = PAGE.width / 2
      this.#ink.line(number, { x: middle - (number.width * FOOT.size) / 1_000, y: FOOT.y }, pen)
      this.#ink.total({ x: middle + FOOT.size / 4, y: FOOT.y }, pen)
      this.#ink.line(name, { x: PAGE.side, y: FOOT.y }, pen)
    })
  }
  /** What a screen reader passes over. */
  #paint(type: 'Layout' | 'Pagination', draw: () => void): void {
    this.#document.markContent('Artifact', { type })
    draw()
    this.#document.endMarkedContent()
  }
}

const bytesOf = ([red, green, blue]: Colour): [number, number, number] => [red * 255, green * 255, blue * 255]

/** Where the texts of a row begin: side by side in the direction of the document. */
function placed(row: WordsRow, { x, width }: Box, direction: 'ltr' | 'rtl') {
  // A text alone goes by its own direction.
  const isRtl = row.words.length === 1 ? row.words[0]?.line.rtl === true : direction === 'rtl'
  const free = width - row.width
  const indent = { start: isRtl ? free : 0, end: direction === 'rtl' ? 0 : free, centre: free / 2 }
  let left = x + indent[row.align]
  const words = direction === 'rtl' ? row.words.toReversed() : row.words
  return words.map((one) => {
    const taken = takenBy(one)
    const blank = taken - (one.line.width * one.pen.size) / 1_000
    const at = left + (direction === 'rtl' ? blank : 0)
    left += taken + GAP
    return { words: one, x: at }
  })
}
