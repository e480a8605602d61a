// Texts are cut as Twilio's calculator cuts them, and read back as they were.
import fc from 'fast-check'
import { SegmentedMessage } from 'sms-segments-calculator'
import { textOf } from '../../../connectors/sms/codec'
import { decodeGsm7, gsm7Of } from '../../../connectors/sms/gsm7'
import { plainPunctuation, segment, withHeader } from '../../../connectors/sms/segments'

const BASIC = Array.from('@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCXYZÄÖÑÜ§¿abcxyzäöñüà')
const EXTENDED = Array.from('^{}\\[~]|€')
const WIDE = Array.from('שלוםпривет你好ğ’')
const EMOJI = ['😀', '🎉', '🦊', '𝒳']

const texts = (chars: readonly string[]) =>
  fc.array(fc.constantFrom(...chars), { minLength: 1, maxLength: 700 }).map((list) => list.join(''))

const readBack = ({ dataCoding, parts }: ReturnType<typeof segment>) => textOf(Buffer.concat(parts), dataCoding)

describe('segment', () => {
  it.each([
    ['160 plain characters', 'a'.repeat(160), 1],
    ['161 plain characters', 'a'.repeat(161), 2],
    ['80 braces', '{'.repeat(80), 1],
    ['81 braces', '{'.repeat(81), 2],
    ['70 wide characters', 'ш'.repeat(70), 1],
    ['71 wide characters', 'ш'.repeat(71), 2],
    ['36 emoji', '😀'.repeat(36), 2],
  ])('makes of %s the customary number of parts', (_, text, count) => {
    expect(segment(text).parts).toHaveLength(count)
  })

  it.each([
    ['the basic alphabet', BASIC],
    ['the extension table', [...BASIC, ...EXTENDED]],
    ['nothing but escapes', EXTENDED],
    ['UCS-2', [...BASIC, ...WIDE, ...WIDE]],
    ['emoji', [...BASIC, ...EMOJI, ...EMOJI]],
  ])('counts like the independent calculator and loses nothing: %s', (_, chars) => {
    fc.assert(
      fc.property(texts(chars), (text) => {
        const ours = segment(text)
        expect(ours.parts).toHaveLength(new SegmentedMessage(text).segmentsCount)
        expect(readBack(ours)).toBe(text)
      }),
    )
  })

  it('never tears an escaped character or a pair, so that each part can be read alone', () => {
    fc.assert(
      fc.property(fc.oneof(texts([...BASIC, ...EXTENDED]), texts([...WIDE, ...EMOJI])), (text) => {
        const { dataCoding, parts } = segment(text)
        expect(parts.map((part) => textOf(part, dataCoding)).join('')).toBe(text)
        for (const part of parts.length > 1 ? parts : [])
          expect(part.length).toBeLessThanOrEqual(dataCoding ? 134 : 153)
      }),
    )
  })

  it('writes the header that phones expect', () => {
    expect([...withHeader(Buffer.from('x'), 300, 3, 2)]).toEqual([5, 0, 3, 44, 3, 2, 0x78])
  })
})

it('knows the escapes, and shows what it does not know', () => {
  expect(gsm7Of('€')).toEqual([0x1b, 0x65])
  expect(gsm7Of('ш')).toBeUndefined()
  expect(decodeGsm7(Buffer.from([0x00, 0x1b, 0x65, 0x1b, 0x41, 0xff, 0x1b]))).toBe('@€A\ufffd')
})

it('makes typographic signs plain', () => {
  expect(plainPunctuation('“It’s” – fine…')).toBe('"It\'s" - fine...')
})
