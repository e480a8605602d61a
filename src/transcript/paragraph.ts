// A paragraph becomes lines: mixed scripts and directions, each piece in a font that has it, none wider than the page.
import bidiFactory from 'bidi-js'
import { RecentMap } from '../model/recent-map'
import { boxCodes, Clusters, styleOf, type Cluster } from './clusters'
import type { FontFace } from './font-face'
import type { FontShelf, Weight } from './font-shelf'
import { mayBreakBetween } from './line-breaks'
import { Shaper, type ShapedRun } from './shaping'
import { inVisualOrder } from './visual-order'

/** All measures in thousandths of the size; places in the paragraph's text in UTF-16 units. */
interface Extent {
  readonly start: number
  readonly end: number
  readonly level: number
  readonly width: number
}
export type Piece = Extent &
  (
    | { readonly kind: 'glyphs'; readonly run: ShapedRun }
    | { readonly kind: 'box'; readonly codes: readonly string[]; readonly text: string }
    | { readonly kind: 'space'; readonly run: ShapedRun }
  )
export interface PlacedPiece {
  readonly piece: Piece
  readonly x: number
}
export interface LaidLine {
  readonly pieces: readonly PlacedPiece[]
  readonly text: string
  readonly width: number
  readonly ascent: number
  readonly descent: number
  readonly rtl: boolean
}
export interface ParagraphStyle {
  readonly weight: Weight
  /** The language of the conversation: Han characters have the shapes of their country. */
  readonly language: string
  /** `auto`: as its first strong character. */
  readonly direction: 'ltr' | 'rtl' | 'auto'
  /** In thousandths of the size. */
  readonly maxWidth: number
}
interface Atom {
  readonly parts: readonly Part[]
  readonly level: number
  readonly mayBreakBefore: boolean
}
interface Part {
  readonly start: number
  readonly end: number
  readonly source: string
  readonly cluster: Exclude<Cluster, { kind: 'nothing' }>
  readonly level: number
  /** A space is of the font before it, so that a line in one script is in one font. */
  readonly face: FontFace
  /** What is shown instead in a text from right to left: the other bracket. */
  readonly mirrored: string | null
}

/** In UTF-16 units: what comes again and again in a document, as names, times and labels do, is laid once. */
const SHORT = 64
const MAX_KEPT = 1_000
const NO_CUTS: ReadonlySet<number> = new Set()
/** A word of more is cut: what shapes it takes longer the longer it is. */
const MAX_PARTS = 64
const TAB_SPACES = 4
const BOX_WIDTH = 1_050

export class Typesetter {
  readonly #bidi = bidiFactory()
  readonly #graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' })
  readonly #shaper = new Shaper()
  readonly #clusters: Clusters
  readonly #shelf: FontShelf
  #kept = new RecentMap<string, readonly LaidLine[]>(MAX_KEPT)

  constructor(shelf: FontShelf) {
    this.#shelf = shelf
    this.#clusters = new Clusters(shelf)
  }

  /** `text` has no line breaks. `cuts`: places at which a piece must end, because another colour begins. */
  lay(text: string, style: ParagraphStyle, cuts: ReadonlySet<number> = NO_CUTS): readonly LaidLine[] {
    if (text.length > SHORT || cuts.size > 0) return this.#lay(text, style, cuts)
    const { weight, language, direction, maxWidth } = style
    // Neither a language nor a text has a line break: no key is that of another text.
    const key = [weight, language, direction, maxWidth, text].join('\n')
    const known = this.#kept.get(key)
    if (known) return known
    const lines = this.#lay(text, style, cuts)
    this.#kept.set(key, lines)
    return lines
  }
  /** Of texts that were laid: nothing of one document stays for the next. */
  forget(): void {
    this.#kept = new RecentMap(MAX_KEPT)
  }
  #lay(text: string, style: ParagraphStyle, cuts: ReadonlySet<number>): LaidLine[] {
    const { levels, paragraphs } = this.#bidi.getEmbeddingLevels(text, style.direction)
    const base = paragraphs[0]?.level ?? (style.direction === 'rtl' ? 1 : 0)
    const atoms = this.#atoms(text, { style, levels, cuts })
    const lines = this.#fill(atoms, style.maxWidth)
    return lines.map((pieces) => this.#place(text, pieces, base))
  }
  /** The run of a short text in Latin letters and digits. */
  latin(text: string): ShapedRun {
    const run = this.#shaper.shape(text, this.#shelf.latin, 'ltr')
    if (!run) throw new Error('The Latin font has letters, digits and a space')
    return run
  }

  #atoms(
    text: string,
    { style, levels, cuts }: { style: ParagraphStyle; levels: Uint8Array; cuts: ReadonlySet<number> },
  ): Atom[] {
    const clusterOf = this.#clusters.of(styleOf(text, style.language), style.weight)
    const atoms: Atom[] = []
    let open: Part[] = []
    let before = ''
    let mayBreak = false
    for (const { segment, index } of this.#graphemes.segment(text)) {
      mayBreak ||= mayBreakBetween(before, segment)
      before = segment
      const cluster = clusterOf(segment)
      if (cluster.kind === 'nothing') continue
      const level = levels[index] ?? 0
      const part = this.#part(segment, index, { level, cluster, before: atoms.at(-1)?.parts.at(-1) })
      const isApart = mayBreak || cuts.has(index)
      if (!isApart && joins(open, part)) open.push(part)
      else atoms.push({ parts: (open = [part]), level, mayBreakBefore: mayBreak })
      mayBreak = false
    }
    return atoms
  }
  #part(
    source: string,
    start: number,
    { level, cluster, before }: Pick<Part, 'level' | 'cluster'> & { before: Part | undefined },
  ): Part {
    const mirrored = level % 2 === 1 ? this.#bidi.getMirroredCharacter(source) : null
    const neighbour = before?.cluster.kind === 'glyphs' && before.cluster.emoji ? undefined : before?.face
    const face = cluster.kind === 'glyphs' ? cluster.face : (neighbour ?? this.#shelf.latin)
    return { start, end: start + source.length, source, cluster, level, mirrored, face }
  }

  #fill(atoms: readonly Atom[], maxWidth: number): Piece[][] {
    const lines: Piece[][] = []
    let line: Piece[] = []
    let width = 0
    for (const word of wordsOf(atoms)) {
      const pieces = word.map((atom) => this.#piece(atom))
      const needed = widthOf(withoutEnd(pieces))
      if (width + needed > maxWidth && line.length > 0) {
        lines.push(line)
        line = []
        width = 0
      }
      if (needed > maxWidth) {
        const cut = this.#cut(word, maxWidth)
        lines.push(...cut.slice(0, -1))
        line = cut.at(-1) ?? []
        width = widthOf(line)
        continue
      }
      line.push(...pieces)
      width += widthOf(pieces)
    }
    return [...lines, line]
  }
  /** A word that is wider than the line, cut between grapheme clusters. */
  #cut(word: readonly Atom[], maxWidth: number): Piece[][] {
    const lines: Piece[][] = []
    let line: Piece[] = []
    let room = maxWidth
    for (const atom of word) {
      let { parts } = atom
      while (parts.length > 0) {
        const count = this.#fitting({ ...atom, parts }, room)
        if (count === 0 && line.length > 0) {
          lines.push(line)
          line = []
          room = maxWidth
          continue
        }
        const piece = this.#piece({ ...atom, parts: parts.slice(0, Math.max(count, 1)) })
        line.push(piece)
        room -= piece.width
        parts = parts.slice(Math.max(count, 1))
      }
    }
    return [...lines, line]
  }
  /** How many clusters of it fit; more are never narrower. */
  #fitting(atom: Atom, room: number): number {
    let [low, high] = [0, atom.parts.length]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.#piece({ ...atom, parts: atom.parts.slice(0, middle) }).width <= room) low = middle
      else high = middle - 1
    }
    return low
  }

  #piece({ parts, level }: Atom): Piece {
    const [first] = parts
    const last = parts.at(-1)
    if (!first || !last) throw new Error('A piece has a cluster')
    const extent = { start: first.start, end: last.end, level }
    switch (first.cluster.kind) {
      case 'space': {
        const run = this.#shaper.shape(' ', first.face, 'ltr') ?? this.latin(' ')
        return { kind: 'space', ...extent, run, width: run.width * (first.cluster.tab ? TAB_SPACES : 1) }
      }
      case 'box':
        return boxOf(parts, extent)
      case 'glyphs': {
        const { emoji, face } = first.cluster
        const run =
          first.mirrored === null
            ? this.#runOf(parts, face, emoji ? 0 : level)
            : this.#mirror(first, { face, mirrored: first.mirrored, level })
        return run ? { kind: 'glyphs', ...extent, run, width: run.width } : boxOf(parts, extent)
      }
    }
  }
  #runOf(parts: readonly Part[], face: FontFace, level: number): ShapedRun | null {
    const text = parts.map(({ cluster }) => (cluster.kind === 'glyphs' ? cluster.text : '')).join('')
    return this.#shaper.shape(text, face, level % 2 === 1 ? 'rtl' : 'ltr')
  }
  /** The other bracket is shown, and the one that was written is what a copy says. */
  #mirror(
    part: Part,
    { face, mirrored, level }: { face: FontFace; mirrored: string; level: number },
  ): ShapedRun | null {
    const shown = Array.from(mirrored).every((one) => face.has(one.codePointAt(0) ?? 0)) ? mirrored : part.source
    const run = this.#shaper.shape(shown, face, level % 2 === 1 ? 'rtl' : 'ltr')
    return run && { ...run, glyphs: run.glyphs.map((glyph, i) => (i === 0 ? { ...glyph, text: part.source } : glyph)) }
  }

  #place(text: string, laid: readonly Piece[], base: number): LaidLine {
    const shown = withoutEnd(laid)
    let x = 0
    const pieces = inVisualOrder(shown).map((piece) => {
      const placed = { piece, x }
      x += piece.width
      return placed
    })
    const faces = new Set([this.#shelf.latin, ...shown.flatMap((one) => (one.kind === 'glyphs' ? [one.run.face] : []))])
    const heights = [...faces].map(({ font, scale }) => ({ up: font.ascent * scale, down: -font.descent * scale }))
    return {
      pieces,
      text: text.slice(laid[0]?.start ?? 0, laid.at(-1)?.end ?? 0),
      width: x,
      ascent: Math.max(...heights.map(({ up }) => up)),
      descent: Math.max(...heights.map(({ down }) => down)),
      rtl: base % 2 === 1,
    }
  }
}

/** What no font has, or what no shaper can put together. */
function boxOf(parts: readonly Part[], extent: Omit<Extent, 'width'>): Piece {
  const codes = parts.flatMap(({ source }) => boxCodes(source))
  const text = parts.map(({ source }) => wellFormed(source)).join('')
  return { kind: 'box', ...extent, codes, text, width: BOX_WIDTH * codes.length }
}
/** Half of a surrogate pair is no character: nothing could be copied. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\uFFFD')

/** Do these go through the shaper together? */
function joins(open: readonly Part[], next: Part): boolean {
  const last = open.at(-1)
  if (last?.cluster.kind !== 'glyphs' || next.cluster.kind !== 'glyphs') return false
  if (last.level !== next.level || open.length >= MAX_PARTS) return false
  if (last.mirrored !== null || next.mirrored !== null || last.cluster.emoji || next.cluster.emoji) return false
  return last.cluster.face === next.cluster.face
}

function wordsOf(atoms: readonly Atom[]): Atom[][] {
  const words: Atom[][] = []
  for (const atom of atoms) {
    const word = words.at(-1)
    if (word && !atom.mayBreakBefore) word.push(atom)
    else words.push([atom])
  }
  return words
}
const widthOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, { width }) => sum + width, 0)

/** Spaces at the end of a line are not seen. */
function withoutEnd(pieces: readonly Piece[]): readonly Piece[] {
  const last = pieces.findLastIndex(({ kind }) => kind !== 'space')
  return pieces.slice(0, last + 1)
}
