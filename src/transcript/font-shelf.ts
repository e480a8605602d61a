// Which fonts there are, and which of them a text is tried with, one after the other.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { FontFace, type FaceSource } from './font-face'

export type Weight = 400 | 700
/** What one and the same code point looks different in. */
export interface ScriptStyle {
  /** Whose shapes Han characters have. */
  readonly han: 'ja' | 'ko' | 'zh'
  /** Arabic letters in Nastaliq, as Urdu is written. */
  readonly nastaliq: boolean
}

const URDU = 'noto-nastaliq-urdu'
const LETTERS = ['latin', 'latin-ext', 'vietnamese', 'cyrillic', 'cyrillic-ext', 'greek', 'greek-ext']
const CJK = {
  ja: { family: 'noto-sans-jp', subset: 'japanese' },
  zh: { family: 'noto-sans-sc', subset: 'chinese-simplified' },
  ko: { family: 'noto-sans-kr', subset: 'korean' },
} as const
/** Whoever lacks a character asks the others, nearest shapes first. */
const HAN_ORDER = { ja: ['ja', 'zh', 'ko'], zh: ['zh', 'ja', 'ko'], ko: ['ko', 'ja', 'zh'] } as const
/** Scripts of one family only: asked for nothing else, so that a Latin text opens no other file. */
const ARABIC = /[\p{scx=Arabic}]/u
const HEBREW = /[\p{scx=Hebrew}\u20AA]/u
const DEVANAGARI = /[\p{scx=Devanagari}\u20B9\u25CC]/u
const matches = (pattern: RegExp) => (codePoint: number) => pattern.test(String.fromCodePoint(codePoint))

const MAX_EXTRA_FONTS = 100
const MAX_EXTRA_BYTES = 64 * 1024 * 1024
const EXTRA = new Set(['.ttf', '.otf', '.woff'])

/** Fonts of the build, and behind them those of a folder of the operator's. */
export class FontShelf {
  readonly #faces = new Map<string, FontFace>()
  readonly #chains = new Map<string, readonly FontFace[]>()
  readonly #extra: readonly FontFace[]
  readonly #require = createRequire(__filename)

  /** `folder`: TrueType, OpenType and WOFF files for what the build has no glyphs for, at most 100; empty for none. */
  constructor({ folder }: { folder: string }) {
    this.#extra = folder === '' ? [] : extraFaces(folder)
  }

  get emoji(): FontFace {
    return this.#face('noto-emoji', 'emoji', 400)
  }
  /** For digits and hexadecimal codes. */
  get latin(): FontFace {
    return this.#face('noto-sans', 'latin', 400)
  }
  chain({ han, nastaliq }: ScriptStyle, weight: Weight): readonly FontFace[] {
    const key = `${han} ${nastaliq} ${weight}`
    const known = this.#chains.get(key)
    if (known) return known
    const urdu = this.#face(URDU, 'arabic', weight, matches(ARABIC))
    const arabic = this.#face('noto-sans-arabic', 'arabic', weight, matches(ARABIC))
    const cjk = HAN_ORDER[han].map((language) => CJK[language])
    const chain = [
      ...LETTERS.map((subset) => this.#face('noto-sans', subset, weight)),
      ...(nastaliq ? [urdu, arabic] : [arabic, urdu]),
      this.#face('noto-sans-hebrew', 'hebrew', weight, matches(HEBREW)),
      this.#face('noto-sans-devanagari', 'devanagari', weight, matches(DEVANAGARI)),
      ...cjk.flatMap(({ family, subset }) => [this.#face(family, subset, weight), ...this.#slices(family, weight)]),
      this.emoji,
      this.#face('noto-sans-arabic', 'math', weight),
      this.#face('noto-sans-arabic', 'symbols', weight),
      ...this.#extra,
    ]
    this.#chains.set(key, chain)
    return chain
  }

  #face(family: string, subset: string, weight: Weight, mayHave?: (codePoint: number) => boolean): FontFace {
    const id = `${family}-${subset}-${weight}`
    const known = this.#faces.get(id)
    if (known) return known
    const read = () => readFileSync(join(this.#folder(family), 'files', `${family}-${subset}-${weight}-normal.woff`))
    const face = new FontFace({ id, read, climbs: family === URDU, ...(mayHave ? { mayHave } : {}) })
    this.#faces.set(id, face)
    return face
  }
  /** The rest of a large family lies in a hundred files; a table beside them says what is where. */
  #slices(family: string, weight: Weight): FontFace[] {
    const table: unknown = JSON.parse(readFileSync(join(this.#folder(family), 'unicode.json'), 'utf8'))
    return Object.entries(table ?? {}).flatMap(([name, ranges]: [string, unknown]) => {
      const [, number] = /^\[(\d+)\]$/.exec(name) ?? []
      return number && typeof ranges === 'string' ? [this.#face(family, number, weight, within(ranges))] : []
    })
  }
  #folder(family: string): string {
    return dirname(this.#require.resolve(`@fontsource/${family}/package.json`))
  }
}

/** Reads a `unicode-range` of CSS, such as `U+23,U+30-39`. */
function within(text: string): (codePoint: number) => boolean {
  const ranges = text.split(',').map((range) => {
    const [from = 0, to = from] = range
      .replace('U+', '')
      .split('-')
      .map((hex) => Number.parseInt(hex, 16))
    return { from, to }
  })
  return (codePoint) => ranges.some(({ from, to }) => from <= codePoint && codePoint <= to)
}

/** A file that is no font has no characters; of ours that would be a fault to hear of. */
function optionalFace(source: FaceSource): FontFace {
  let opens: boolean | null = null
  const tryToOpen = () => {
    try {
      return face.font.numGlyphs > 0
    } catch {
      return false
    }
  }
  const face: FontFace = new FontFace({ ...source, mayHave: () => (opens ??= tryToOpen()) })
  return face
}

function extraFaces(folder: string): FontFace[] {
  const files = readdirSync(folder)
    .filter((name) => EXTRA.has(extname(name).toLowerCase()))
    .sort()
  return files.slice(0, MAX_EXTRA_FONTS).flatMap((name) => {
    const file = join(folder, name)
    if (statSync(file).size > MAX_EXTRA_BYTES) return []
    const id = `extra-${name.replace(/[^A-Za-z0-9-]/g, '-')}`
    return [optionalFace({ id, read: () => readFileSync(file) })]
  })
}
