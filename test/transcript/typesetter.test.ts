// Whatever anybody writes is laid out: nothing is lost, nothing is blank, nothing is wider than the page.
import fc from 'fast-check'
import { FontShelf } from '../../src/transcript/font-shelf'
import { Typesetter, type LaidLine } from '../../src/transcript/paragraph'
import { SCRIPTS } from './scripts'

const typesetter = new Typesetter(new FontShelf({ folder: '' }))
const style = { weight: 400, language: 'en', direction: 'auto', maxWidth: 20_000 } as const
const lay = (text: string, more: Partial<Parameters<Typesetter['lay']>[1]> = {}) =>
  typesetter.lay(text, { ...style, ...more })
const facesIn = (lines: readonly LaidLine[]) =>
  lines.flatMap(({ pieces }) => pieces.map(({ piece }) => (piece.kind === 'glyphs' ? piece.run.face.id : piece.kind)))
const kindsIn = (lines: readonly LaidLine[]) => lines.flatMap(({ pieces }) => pieces.map(({ piece }) => piece.kind))
const wordsIn = (lines: readonly LaidLine[]) => lines.map(({ text }) => text.trimEnd())

const BLANK = /^[\s\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]$/u
/** Letters of all scripts, what joins and marks them, and what turns a line around. */
const letters = fc.oneof(
  fc.constantFrom(...SCRIPTS.flatMap(({ text }) => Array.from(text))),
  fc.constantFrom(
    ' ',
    '\t',
    '\u200B',
    '\u200C',
    '\u200D',
    '\u202E',
    '\u2066',
    '\u2069',
    '\u0301',
    '\u094D',
    '\uFE0F',
    '\uD800',
    '(',
    ')',
    '-',
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
)
const words = fc
  .array(letters, { maxLength: 40 })
  .map((parts) => parts.join('').replace(/[\n\r\v\f\u0085\u2028\u2029\u001C-\u001E]/g, ''))

it('has a glyph or a box for every character, in lines that are no wider than asked', () => {
  fc.assert(
    fc.property(words, (text) => {
      const lines = lay(text, { maxWidth: 8_000 })
      const shown = new Set<number>()
      for (const { pieces, width } of lines) {
        if (pieces.length > 1) expect(width).toBeLessThanOrEqual(8_000 + 1e-6)
        for (const { piece } of pieces) {
          for (let at = piece.start; at < piece.end; at++) shown.add(at)
          if (piece.kind === 'glyphs') for (const { id } of piece.run.glyphs) expect(id).toBeGreaterThan(0)
        }
      }
      for (let at = 0; at < text.length; at++) {
        const character = String.fromCodePoint(text.codePointAt(at)!)
        if (!BLANK.test(character)) expect(shown).toContain(at)
        at += character.length - 1
      }
    }),
    { numRuns: 500 },
  )
})
it.each(SCRIPTS)('has fonts for $script', ({ text }) => {
  expect(kindsIn(lay(text))).not.toContain('box')
})
it('shows what no font has as a box with its code points', () => {
  const [line] = lay('\u16A0\u{12000}')
  expect(line!.pieces.map(({ piece }) => piece)).toMatchObject([
    { kind: 'box', codes: ['16A0'] },
    { kind: 'box', codes: ['12000'] },
  ])
})
it('makes one glyph of an emoji of many parts, where the font has it', () => {
  for (const emoji of ['👩🏽‍💻', '👨‍👩‍👧‍👦', '🇩🇪', '❤️', '1️⃣', '🏳️‍🌈']) {
    const [line] = lay(emoji)
    expect(line!.pieces).toHaveLength(1)
    const { piece } = line!.pieces[0]!
    expect(piece.kind === 'glyphs' && piece.run.glyphs).toHaveLength(1)
  }
})
it('gives Han characters the shapes of the paragraph, or of the conversation where it does not tell', () => {
  expect(facesIn(lay('直す'))[0]).toMatch(/-jp-/)
  expect(facesIn(lay('직 直'))[2]).toMatch(/-kr-/)
  expect(facesIn(lay('直', { language: 'ja-JP' }))[0]).toMatch(/-jp-/)
  expect(facesIn(lay('直', { language: 'ko' }))[0]).toMatch(/-kr-/)
  expect(facesIn(lay('直', { language: 'zh-Hans' }))[0]).toMatch(/-sc-/)
  expect(facesIn(lay('直'))[0]).toMatch(/-sc-/)
})
it('writes Urdu in Nastaliq, also words with marks that have nothing to hold on to, and Arabic in Naskh', () => {
  expect(facesIn(lay('مزید آغاز', { language: 'ur' }))).toEqual([
    expect.stringContaining('nastaliq'),
    'space',
    expect.stringContaining('nastaliq'),
  ])
  expect(facesIn(lay('ہے'))[0]).toContain('nastaliq')
  expect(facesIn(lay('مرحبا'))[0]).toContain('arabic')
})

describe('where a line ends', () => {
  it('is behind a space, which is not seen', () => {
    expect(wordsIn(lay('aaaa bbbb cccc', { maxWidth: 5_500 }))).toEqual(['aaaa bbbb', 'cccc'])
  })
  it('is between characters of scripts without spaces, never before what closes or behind what opens', () => {
    const lines = wordsIn(lay('今日は「東京」へ行きます。'.repeat(4), { maxWidth: 6_500 }))
    expect(lines.length).toBeGreaterThan(5)
    for (const line of lines) {
      expect(line).not.toMatch(/^[」。、ー]/)
      expect(line).not.toMatch(/「$/)
    }
  })
  it('is never at a space that holds together', () => {
    expect(wordsIn(lay('aaaa 10\u00A0kg', { maxWidth: 4_000 }))).toEqual(['aaaa', '10\u00A0kg'])
  })
  it('is anywhere between characters in a word that is too long', () => {
    const lines = lay('e\u0301'.repeat(50), { maxWidth: 5_000 })
    expect(lines.length).toBeGreaterThan(4)
    for (const { text } of lines) expect(text).toMatch(/^(?:e\u0301)+$/)
  })
})

describe('the order of pieces', () => {
  const shownIn = (text: string, direction: 'ltr' | 'rtl' | 'auto' = 'auto') =>
    lay(text, { direction })[0]!.pieces.map(({ piece }) => text.slice(piece.start, piece.end))
  it('is from right to left in a text that begins so, with numbers and Latin words the other way', () => {
    expect(shownIn('אב 12 cd גד')).toEqual(['גד', ' ', 'cd', ' ', '12', ' ', 'אב'])
    expect(lay('אב')[0]!.rtl).toBe(true)
  })
  it('is that of the surroundings where it is told', () => {
    expect(shownIn('ab אב', 'rtl')).toEqual(['אב', ' ', 'ab'])
    expect(lay('ab', { direction: 'rtl' })[0]!.rtl).toBe(true)
  })
  it('mirrors brackets, and remembers which one was written', () => {
    const [line] = lay('א(ב)')
    const glyphs = line!.pieces.flatMap(({ piece }) => (piece.kind === 'glyphs' ? piece.run.glyphs : []))
    const [open] = typesetter.latin('(').glyphs
    const [close] = typesetter.latin(')').glyphs
    expect(glyphs[0]).toMatchObject({ id: open!.id, text: ')' })
    expect(glyphs[2]).toMatchObject({ id: close!.id, text: '(' })
  })
})
