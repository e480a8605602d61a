// Words become glyphs: which, where, and what each stands for when somebody copies them out of a document.
import { RecentMap } from '../model/recent-map'
import type { FontFace } from './font-face'

/** All measures in thousandths of the size. */
export interface ShapedGlyph {
  readonly id: number
  /** What it stands for: read in the order of the text, the glyphs of a run say the run. */
  readonly text: string
  readonly width: number
  readonly advance: number
  readonly dx: number
  readonly dy: number
}
export interface ShapedRun {
  readonly face: FontFace
  /** As they stand on the paper, from left to right. */
  readonly glyphs: readonly ShapedGlyph[]
  readonly width: number
}
/** Stands for nothing: a format character, which readers of text pass over. */
export const NOTHING = '\u2060'
const MAX_CACHED = 20_000

/** What shows nothing by itself and only changes its neighbours. */
export const IGNORABLE = /^[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]$/u
export const isIgnorable = (codePoint: number): boolean => IGNORABLE.test(String.fromCodePoint(codePoint))

export class Shaper {
  readonly #cache = new RecentMap<string, ShapedRun | null>(MAX_CACHED)

  /** Null where the font has no glyph for a part of it. `rtl`: the text is in logical order, the glyphs are not. */
  shape(text: string, face: FontFace, direction: 'ltr' | 'rtl'): ShapedRun | null {
    const key = `${direction} ${face.id} ${text}`
    const known = this.#cache.get(key)
    if (known !== undefined) return known
    const run = tryToShape(text, face, direction)
    this.#cache.set(key, run)
    return run
  }
}

/** Fonts are programs, and texts are anybody's: what a shaper stumbles over is shown as what no font has. */
function tryToShape(...what: Parameters<typeof shapeNow>): ShapedRun | null {
  try {
    return shapeNow(...what)
  } catch {
    return null
  }
}

function shapeNow(text: string, face: FontFace, direction: 'ltr' | 'rtl'): ShapedRun | null {
  const { font, scale } = face
  const { glyphs, positions } = font.layout(text, undefined, undefined, undefined, direction)
  const shown: ShapedGlyph[] = []
  for (const [i, glyph] of glyphs.entries()) {
    const at = positions[i]
    if (!at) continue
    const isBlank = glyph.codePoints.length > 0 && glyph.codePoints.every(isIgnorable)
    if (isBlank) continue
    if (glyph.id === 0) return null
    shown.push({
      id: glyph.id,
      text: String.fromCodePoint(...glyph.codePoints),
      width: glyph.advanceWidth * scale,
      advance: at.xAdvance * scale,
      dx: at.xOffset * scale,
      dy: at.yOffset * scale,
    })
  }
  const named =
    direction === 'rtl' && face.climbs ? onTheBaseline(shown, text, face) : nameGlyphs(shown, text, direction)
  return { face, glyphs: named, width: named.reduce((sum, { advance }) => sum + advance, 0) }
}

/**
 * Where glyphs stand in another order than their characters, as a vowel before its consonant, one stands for the whole
 * run and the others for nothing.
 */
function nameGlyphs(glyphs: readonly ShapedGlyph[], text: string, direction: 'ltr' | 'rtl'): ShapedGlyph[] {
  const read = direction === 'rtl' ? glyphs.toReversed() : glyphs
  const said = read.map((glyph) => glyph.text).join('')
  const isInOrder = said.normalize('NFC') === text.normalize('NFC')
  return glyphs.map((glyph) => {
    const named = isInOrder ? glyph.text : glyph === read[0] ? text : ''
    return { ...glyph, text: named === '' ? NOTHING : direction === 'rtl' ? backwards(named) : named }
  })
}
/**
 * Letters that climb from right to left, as in Nastaliq, would each be a line to whoever reads them by their places: a
 * blank on the baseline stands for the word.
 */
function onTheBaseline(glyphs: readonly ShapedGlyph[], text: string, face: FontFace): ShapedGlyph[] {
  const { id, advanceWidth } = face.font.glyphForCodePoint(0x20)
  const blank = { id, text: backwards(text), width: advanceWidth * face.scale, advance: 0, dx: 0, dy: 0 }
  return [blank, ...glyphs.map((glyph) => ({ ...glyph, text: NOTHING }))]
}
/** What extracts text (pdf.js, Poppler, PDFium) turns a line from right to left around, also within one glyph. */
const backwards = (text: string): string => Array.from(text).reverse().join('')
