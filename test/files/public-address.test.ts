// Reliability row 28: which addresses are public, and that no spelling makes one of the others so.
import fc from 'fast-check'
import { publicAddress } from '../../src/files/public-address'

/** First and last, as IANA's registries and RFCs name them; written down a second time, on purpose. */
const REFUSED_4 = [
  ['0.0.0.0', '0.255.255.255'],
  ['10.0.0.0', '10.255.255.255'],
  ['100.64.0.0', '100.127.255.255'],
  ['127.0.0.0', '127.255.255.255'],
  ['168.63.129.16', '168.63.129.16'],
  ['169.254.0.0', '169.254.255.255'],
  ['172.16.0.0', '172.31.255.255'],
  ['192.0.0.0', '192.0.0.255'],
  ['192.0.2.0', '192.0.2.255'],
  ['192.31.196.0', '192.31.196.255'],
  ['192.52.193.0', '192.52.193.255'],
  ['192.88.99.0', '192.88.99.255'],
  ['192.168.0.0', '192.168.255.255'],
  ['192.175.48.0', '192.175.48.255'],
  ['198.18.0.0', '198.19.255.255'],
  ['198.51.100.0', '198.51.100.255'],
  ['203.0.113.0', '203.0.113.255'],
  ['224.0.0.0', '255.255.255.255'],
] as const
const REFUSED_6 = [
  ['0:0:0:0:0:0:0:0', '1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'], // loopback, mapped, compatible, NAT64 and more
  ['2001:0:0:0:0:0:0:0', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff'], // Teredo, benchmarking, ORCHID
  ['2001:db8:0:0:0:0:0:0', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['2002:0:0:0:0:0:0:0', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['2620:4f:8000:0:0:0:0:0', '2620:4f:8000:ffff:ffff:ffff:ffff:ffff'],
  ['3fff:0:0:0:0:0:0:0', '3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['4000:0:0:0:0:0:0:0', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'], // unique local, link-local, multicast and more
] as const

const number4 = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const text4 = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')
const number6 = (text: string) => text.split(':').reduce((sum, part) => (sum << 16n) + BigInt(`0x${part}`), 0n)
const groups6 = (value: bigint) =>
  Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - 16 * index)) & 0xffffn)
const text6 = (value: bigint) =>
  groups6(value)
    .map((group) => group.toString(16))
    .join(':')

const refused4 = fc
  .constantFrom(...REFUSED_4)
  .chain(([first, last]) => fc.integer({ min: number4(first), max: number4(last) }))
const refused6 = fc
  .constantFrom(...REFUSED_6)
  .chain(([first, last]) => fc.bigInt({ min: number6(first), max: number6(last) }))
const any4 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const inRefused4 = (value: number) =>
  REFUSED_4.some(([first, last]) => value >= number4(first) && value <= number4(last))

/** As the host of a URL: all that inet_aton and the URL standard take for an address of IPv4. */
const spellings4 = (value: number): string[] => {
  const parts = text4(value).split('.').map(Number)
  const [a = 0, b = 0, c = 0] = parts
  const [hex, octal] = [(part: number) => `0x${part.toString(16)}`, (part: number) => `0${part.toString(8)}`]
  const plain = [
    text4(value),
    String(value),
    hex(value),
    `0X${value.toString(16).toUpperCase()}`,
    octal(value),
    `0x${value.toString(16).padStart(20, '0')}`,
    parts.map(hex).join('.'),
    parts.map(octal).join('.'),
    parts.map((part) => `000${octal(part)}`).join('.'),
    parts.map((part, index) => [String, hex, octal][index % 3]!(part)).join('.'),
    `${a}.${value % 2 ** 24}`,
    `${a}.${b}.${value % 2 ** 16}`,
    `${hex(a)}.${octal(b)}.${hex(value % 2 ** 16)}`,
    `${a}.${b}.${c}.${hex(value % 256)}`,
  ]
  const letters = text4(value).replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)))
  const encoded = text4(value).replace(/\d/g, (digit) => `%3${digit}`)
  return [...plain, ...plain.map((text) => `${text}.`), letters, encoded, text4(value).replaceAll('.', '。')]
}
/** Addresses of IPv6 that hold one of IPv4, by every way of getting from one to the other. */
const holding4 = (value: number): string[] => {
  const [high, low] = [(value >>> 16).toString(16), (value & 0xffff).toString(16)]
  const not = ~value >>> 0
  return [
    `::ffff:${text4(value)}`,
    `::FFFF:${high}:${low}`,
    `0:0:0:0:0:ffff:${high}:${low}`,
    `0000:0000:0000:0000:0000:ffff:${text4(value)}`,
    `::${text4(value)}`,
    `::${high}:${low}`,
    `::ffff:0:${text4(value)}`,
    `64:ff9b::${text4(value)}`,
    `64:ff9b:1::${high}:${low}`,
    `2002:${high}:${low}::1`,
    `2001:0:${high}:${low}::1`,
    `2001::1:0:${(not >>> 16).toString(16)}:${(not & 0xffff).toString(16)}`,
    `2a00:1450::5efe:${high}:${low}`,
    `2a00:1450:1:1:200:5efe:${high}:${low}`,
    `2a00:1450:1:1:0:5efe:${text4(value)}`,
    `fe80::5efe:${text4(value)}`,
  ]
}
const spellings6 = (value: bigint): string[] => {
  const groups = groups6(value)
  const [high, low] = [value >> 32n, Number(value & 0xffffffffn)]
  return [
    text6(value),
    text6(value).toUpperCase(),
    groups.map((group) => group.toString(16).padStart(4, '0')).join(':'),
    `${text6(high << 32n)
      .split(':')
      .slice(0, 6)
      .join(':')}:${text4(low)}`,
    new URL(`http://[${text6(value)}]`).hostname.slice(1, -1),
  ]
}
/** What a URL with that host leads to. */
const hostOf = (host: string) => new URL(`http://${host}/`).hostname.replace(/^\[|\]$/g, '')

const notNull = (texts: readonly string[]) => texts.filter((text) => publicAddress(text) !== null)

it('row 28: no address that is not public is public, in any spelling of a URL', () => {
  fc.assert(
    fc.property(refused4, refused6, (four, six) => {
      const texts = spellings6(six)
      expect(notNull(spellings4(four).map(hostOf))).toEqual([])
      expect(notNull([...texts, ...texts.map((text) => hostOf(`[${text}]`))])).toEqual([])
      expect(notNull(texts.map((text) => `${text}%eth0`))).toEqual([])
    }),
    { numRuns: 500 },
  )
})
it('row 28: no address of IPv6 is public that holds one of IPv4, whichever that is', () => {
  fc.assert(
    fc.property(fc.oneof(refused4, any4), (four) => {
      const texts = holding4(four)
      expect(notNull([...texts, ...texts.map((text) => hostOf(`[${text}]`))])).toEqual([])
    }),
    { numRuns: 500 },
  )
})
it('every other address is public, and has one spelling', () => {
  const others4 = any4.filter((value) => !inRefused4(value))
  const others6 = fc.bigInt({
    min: number6('2003:0:0:0:0:0:0:0'),
    max: number6('25ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'),
  })
  fc.assert(
    fc.property(others4, others6, (four, six) => {
      expect(new Set(spellings4(four).map((host) => publicAddress(hostOf(host))))).toEqual(new Set([text4(four)]))
      expect(new Set(spellings6(six).map(publicAddress))).toEqual(new Set([hostOf(`[${text6(six)}]`)]))
    }),
    { numRuns: 500 },
  )
})
it('the networks end where they end', () => {
  for (const [first, last] of REFUSED_4) {
    for (const edge of [first, last]) expect([edge, publicAddress(edge)]).toEqual([edge, null])
    for (const beside of [number4(first) - 1, number4(last) + 1])
      if (beside >= 0 && beside < 2 ** 32 && !inRefused4(beside))
        expect(publicAddress(text4(beside))).toBe(text4(beside))
  }
  for (const [first, last] of REFUSED_6) for (const edge of [first, last]) expect(publicAddress(edge)).toBeNull()
  for (const beside of [
    '2000::1',
    '2001:200::',
    '2001:db7:ffff::',
    '2001:db9::',
    '2003::',
    '2620:4f:8001::',
    '3fff:1000::1',
    '3ffe::1',
  ])
    expect(publicAddress(beside)).not.toBeNull()
})
it.each([
  '',
  'localhost',
  '127.1',
  '2130706433',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '1.2.3.4.',
  '[2606:4700::1]',
  ' 1.1.1.1',
  '1.1.1.1/8',
])('a text like %j, which is no whole address, is none', (text) => expect(publicAddress(text)).toBeNull())
