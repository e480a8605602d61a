// What a reader takes for one character, and the font that has it.
import { RecentMap } from '../model/recent-map'
import type { FontFace } from './font-face'
import type { FontShelf, ScriptStyle, Weight } from './font-shelf'
import { isIgnorable } from './shaping'

export type Cluster =
  | { readonly kind: 'glyphs'; readonly text: string; readonly face: FontFace; readonly emoji: boolean }
  /** No font has it: a box shows its code points. */
  | { readonly kind: 'box' }
  | { readonly kind: 'space'; readonly tab: boolean }
  /** Bidi controls and the like: it has done its work when the order is known. */
  | { readonly kind: 'nothing' }

/** Of one style. */
const MAX_CACHED = 5_000
/** A box of more would be a line of its own. */
const MAX_BOX_CODES = 4
const SPACE = /^\s$/u
const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}]/u
const HANGUL = /\p{Script=Hangul}/u
/** Letters that Urdu has and neither Arabic nor Persian. */
const URDU = /[ٹڈڑںےۓہھ]/u
/** An emoji by itself, the letters of flags among them, or one that a selector or a keycap makes one. */
const EMOJI = /^(?:\p{Emoji_Presentation}|\p{Emoji}[\u{1F3FB}-\u{1F3FF}]?\uFE0F|[0-9#*]\uFE0F?\u20E3)/u

/** The paragraph decides, then the conversation's language: a name in Han says nothing by itself. */
export function styleOf(text: string, language: string): ScriptStyle {
  const [spoken = ''] = language.toLowerCase().split('-')
  const han = KANA.test(text) ? 'ja' : HANGUL.test(text) ? 'ko' : spoken === 'ja' || spoken === 'ko' ? spoken : 'zh'
  return { han, nastaliq: spoken === 'ur' || URDU.test(text) }
}

export class Clusters {
  readonly #shelf: FontShelf
  /** By their style, and in it by their text. */
  readonly #cache = new Map<string, RecentMap<string, Cluster>>()

  constructor(shelf: FontShelf) {
    this.#shelf = shelf
  }

  /** Finds clusters of one style. */
  of(style: ScriptStyle, weight: Weight): (text: string) => Cluster {
    const key = `${style.han} ${style.nastaliq} ${weight}`
    const known = this.#cache.get(key) ?? new RecentMap<string, Cluster>(MAX_CACHED)
    this.#cache.set(key, known)
    return (text) => {
      const found = known.get(text)
      if (found) return found
      const cluster = this.#find(text, style, weight)
      known.set(text, cluster)
      return cluster
    }
  }

  #find(text: string, style: ScriptStyle, weight: Weight): Cluster {
    if (SPACE.test(text)) return { kind: 'space', tab: text.startsWith('\t') }
    if (codePointsOf(text).every(isIgnorable)) return { kind: 'nothing' }
    const chain = this.#shelf.chain(style, weight)
    const emoji = EMOJI.test(text)
    const faces = emoji ? [this.#shelf.emoji, ...chain] : chain
    for (const spelling of new Set([text, text.normalize('NFC'), text.normalize('NFD')])) {
      const needed = codePointsOf(spelling).filter((codePoint) => !isIgnorable(codePoint))
      const face = faces.find((one) => needed.every((codePoint) => one.has(codePoint)))
      if (face) return { kind: 'glyphs', text: spelling, face, emoji: face === this.#shelf.emoji }
    }
    return { kind: 'box' }
  }
}

const codePointsOf = (text: string): number[] => Array.from(text, (character) => character.codePointAt(0) ?? 0)
/** In hexadecimal digits; of a heap of marks only the first. */
export const boxCodes = (text: string): string[] =>
  codePointsOf(text)
    .filter((codePoint) => !isIgnorable(codePoint))
    .slice(0, MAX_BOX_CODES)
    .map((codePoint) => codePoint.toString(16).toUpperCase().padStart(4, '0'))
