// Web addresses in what people write: found where they stand, and cut off before what ends the sentence.
import fc from 'fast-check'
import { spansOf } from '../../src/transcript/plain'

const linksIn = (text: string) => spansOf(text).flatMap(({ link }) => (link === '' ? [] : [link]))

it.each([
  ['See https://example.org/a.', 'https://example.org/a'],
  ['(https://example.org/a?b=c!)', 'https://example.org/a?b=c'],
  ['ほら「https://example.org/a」。', 'https://example.org/a'],
  ['https://example.org/a.b, and more', 'https://example.org/a.b'],
])('in %j is %s', (text, link) => {
  expect(linksIn(text)).toEqual([link])
})
it('is none without a host behind it, or of another scheme', () => {
  expect(linksIn('https://!!!! javascript:alert(1) ftp://example.org')).toEqual([])
})
it('are all there is to see, together with what stands about them', () => {
  const piece = fc.constantFrom('https://a.example/', '.', '!', '。', ' ', 'x', '\u202e', '<')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join('')
      expect(
        spansOf(text)
          .map((span) => span.text)
          .join(''),
      ).toBe(text)
    }),
  )
})
