// Texts of a PDF as rows: laid out, coloured, with their links.
import type { LaidLine, Piece, Typesetter } from './paragraph'
import type { Colour, Pen } from './pdf-ink'
import type { Picture } from './pictures'
import { spansOf } from './plain'

export const GREY: Colour = [0.36, 0.4, 0.46]
export const INK: Colour = [0.11, 0.14, 0.19]
const LINK: Colour = [0.04, 0.31, 0.7]

/** What all rows of a paragraph share: what it is to a screen reader. */
export interface Part {
  readonly tag: 'P' | 'H1' | 'H2' | 'Figure'
  readonly alt?: string
  /** BCP 47, where it is another than the document's. */
  readonly language?: string
}
/** A web address at a place in a paragraph. */
export interface Link {
  readonly start: number
  readonly end: number
  readonly link: string
}
export interface Words {
  readonly line: LaidLine
  readonly pen: Pen
  readonly links: readonly Link[]
  /** Points that it takes from its row, whatever its own width is. */
  readonly column?: number
}
export type Align = 'start' | 'end' | 'centre'
interface Extent {
  readonly part: Part
  readonly width: number
  readonly height: number
}
export interface WordsRow extends Extent {
  readonly kind: 'words'
  readonly words: readonly Words[]
  /** Above the baseline; below it is the rest of the height. */
  readonly ascent: number
  /** `start`: where a paragraph of its direction begins. */
  readonly align: Align
}
export interface PictureRow extends Extent {
  readonly kind: 'picture'
  readonly jpeg: Uint8Array
}
export type Row = WordsRow | PictureRow

export interface RowStyle {
  readonly size: number
  readonly weight?: 400 | 700
  readonly colour?: Colour
  readonly align?: Align
  /** Absent: as the text itself. */
  readonly direction?: 'ltr' | 'rtl'
  /** Points. */
  readonly width: number
  /** The web addresses in the text, or all of it as one. */
  readonly link?: 'within' | { readonly to: string }
}

/** Between two texts on one row. */
export const GAP = 6
/** Above and below a picture. */
export const PICTURE_GAP = 3
const PICTURE = { width: 190, height: 150 }
/** Pixels of a thumbnail to the point: sharp on paper. */
const PIXELS = 2

/** The rows of one text without line breaks. */
export function rowsOf(text: string, part: Part, style: RowStyle, { typesetter, language }: Lettering): Row[] {
  const { size, weight = 400, colour = INK, align = 'start', direction = 'auto' } = style
  const links = linksIn(text, style.link)
  const cuts = new Set(links.flatMap(({ start, end }) => [start, end]))
  const colourOf = (piece: Piece) => (links.some((link) => isWithin(piece, link)) ? LINK : colour)
  const pen = links.length === 0 ? { size, colour } : { size, colour, colourOf }
  const maxWidth = (style.width * 1_000) / size
  return typesetter
    .lay(text, { weight, language, direction, maxWidth }, cuts)
    .map((line) => rowOf([{ line, pen, links }], part, align))
}
export interface Lettering {
  readonly typesetter: Typesetter
  /** The conversation's. */
  readonly language: string
}

/** Several texts on one row, one after the other. */
export function rowOf(words: readonly Words[], part: Part, align: Align): WordsRow {
  const ascent = Math.max(...words.map(({ line, pen }) => (line.ascent * pen.size) / 1_000))
  const descent = Math.max(...words.map(({ line, pen }) => (line.descent * pen.size) / 1_000))
  const width = words.reduce((sum, one) => sum + takenBy(one), 0) + GAP * (words.length - 1)
  return { kind: 'words', part, words, align, width, ascent, height: ascent + descent }
}
export const takenBy = ({ line, pen, column }: Words): number => column ?? (line.width * pen.size) / 1_000

export function pictureRow({ jpeg, width, height }: Picture, alt: string): PictureRow {
  const scale = Math.min(1 / PIXELS, PICTURE.width / width, PICTURE.height / height)
  const part: Part = { tag: 'Figure', alt }
  return { kind: 'picture', part, jpeg, width: width * scale, height: height * scale + 2 * PICTURE_GAP }
}

export const isWithin = (piece: Piece, { start, end }: Link): boolean => piece.start >= start && piece.end <= end

function linksIn(text: string, link: RowStyle['link']): Link[] {
  if (link === undefined) return []
  if (link !== 'within') return link.to === '' ? [] : [{ start: 0, end: text.length, link: link.to }]
  let at = 0
  return spansOf(text).flatMap((span) => {
    const start = at
    at += span.text.length
    return span.link === '' ? [] : [{ start, end: at, link: span.link }]
  })
}
