// What should not be there: values of every wrong kind, requests changed field by field, and JSON that JSON.stringify cannot write.
import type { Chance } from './chance'

/** Stands in every text that a case brings, so that an answer that repeats it is found. */
export const MARK = 'Zq7Marker'
export const EVIL_NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'then',
  'toJSON',
  'length',
  '_placeholder',
  '',
  '\u0000',
  'a.b',
  '0',
] as const
export type Fields = Record<string, unknown>

/** JSON text that is written as it stands. */
class Raw {
  constructor(readonly text: string) {}
}

/** JSON of a value with raw text in it. */
export function write(value: unknown): string {
  const raws: string[] = []
  const text = JSON.stringify(value, (_key, one: unknown) => {
    if (!(one instanceof Raw)) return one
    raws.push(one.text)
    return `@raw${raws.length - 1}@`
  }) as string | undefined
  return (text ?? 'null').replace(/"@raw(\d+)@"/g, (_all, index: string) => raws[Number(index)] ?? 'null')
}

const nested = (depth: number, open: string, close: string, core: string) =>
  new Raw(open.repeat(depth) + core + close.repeat(depth))
const own = (name: string, value: unknown): Fields => ({ [name]: value })

const KINDS: readonly ((chance: Chance) => unknown)[] = [
  () => null,
  () => '',
  () => ' ',
  () => MARK,
  (chance) => chance.oneIn(2),
  (chance) => chance.pick([0, -1, 1, 0.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e12 + 1, 1e308]),
  (chance) => new Raw(chance.pick(['1e999', '-1e999', '-0', '1e-400', '123456789012345678901234567890'])),
  (chance) => chance.pick(['NaN', 'Infinity', '-1', '1e3', '0x10', 'true', 'null', 'undefined', '[object Object]']),
  () => [],
  () => ({}),
  () => [null],
  () => [[MARK]],
  () => [{ id: MARK }, MARK, 7, null],
  (chance) => own(chance.pick(EVIL_NAMES), MARK),
  (chance) => own(chance.pick(EVIL_NAMES), { [chance.pick(EVIL_NAMES)]: MARK }),
  () => new Raw(`{"__proto__":{"polluted":"${MARK}"},"constructor":{"prototype":{"polluted":1}}}`),
  () => ({ toString: MARK, valueOf: MARK, toJSON: MARK, length: -1 }),
  (chance) => nested(chance.pick([3, 5, 50, 2_000]), '[', ']', `"${MARK}"`),
  (chance) => nested(chance.pick([3, 5, 50, 2_000]), '{"a":', '}', `"${MARK}"`),
  (chance) => new Raw(chance.pick(['"\\ud800"', '"\\udc00\\ud800"', '"a\\u0000b"', '"\\u202e\\u2066"', '"\\ufeff"'])),
  (chance) => MARK + 'x'.repeat(chance.pick([23, 55, 56, 119, 120, 247, 248, 503, 504, 1_015, 2_040])),
  (chance) => MARK + 'ä€😀'.repeat(chance.pick([10, 20, 40, 500, 1_800, 1_830])),
  (chance) => (chance.oneIn(8) ? MARK + 'x'.repeat(chance.pick([4_100, 16_375, 16_376, 32_760, 33_000])) : 'x'),
  (chance) => `${chance.pick(['javascript', 'file', 'data', 'http', 'HTTPS', ''])}:${MARK}`,
  (chance) => Array.from({ length: chance.pick([10, 11, 50, 51, 300]) }, () => chance.pick<unknown>([MARK, {}, 0])),
  (chance) => Object.fromEntries(Array.from({ length: chance.pick([16, 17, 200]) }, (_, i) => [`k${i}${MARK}`, i])),
  () => ({ _placeholder: true, num: 0 }),
  () => ({ _placeholder: true, num: 1e9 }),
  () => '../../etc/passwd',
  () => "'; DROP TABLE conversations; --",
  () => '2026-13-45T99:99:99Z',
]
export const junk = (chance: Chance): unknown => chance.pick(KINDS)(chance)

const otherCase = (text: string, chance: Chance): string =>
  Array.from(text, (letter) => (chance.oneIn(2) ? letter.toUpperCase() : letter.toLowerCase())).join('')

type Change = (fields: Fields, names: readonly string[], chance: Chance) => void
const CHANGES: readonly Change[] = [
  (fields, names, chance) => (fields[chance.pick(names)] = junk(chance)),
  (fields, names, chance) => (fields[chance.pick(names)] = junk(chance)),
  (fields, names, chance) => (fields[chance.pick(names)] = junk(chance)),
  (fields, names, chance) => void Reflect.deleteProperty(fields, chance.pick(names)),
  (fields, names, chance) => (fields[otherCase(chance.pick(names), chance)] = junk(chance)),
  (fields, names, chance) => {
    const name = chance.pick(names)
    fields[name] = [fields[name]]
  },
  (fields, names, chance) => {
    const name = chance.pick(names)
    fields[name] = { [name]: fields[name] }
  },
  (fields, names, chance) => (fields[chance.pick(names)] = fields[chance.pick(names)]),
  (fields, _names, chance) => {
    Object.defineProperty(fields, chance.pick(EVIL_NAMES), { value: junk(chance), enumerable: true, writable: true })
  },
  (fields, _names, chance) => {
    for (let i = chance.pick([1, 16, 17, 64]); i > 0; i--) fields[`${MARK}${i}`] = chance.oneIn(9) ? junk(chance) : i
  },
]

/** A changed copy, or now and then something else in its place, or the thing itself. */
export function mutated(valid: Fields, names: readonly string[], chance: Chance): unknown {
  if (chance.oneIn(12)) return valid
  if (chance.oneIn(12)) return junk(chance)
  const fields = { ...valid }
  for (let changes = 1 + chance.below(3); changes > 0; changes--) chance.pick(CHANGES)(fields, names, chance)
  return fields
}

/** The text with some of its characters lost, doubled or changed. */
export function garbled(text: string, chance: Chance): string {
  let result = text
  for (let changes = 1 + chance.below(3); changes > 0; changes--) {
    const at = chance.below(result.length + 1)
    const head = result.slice(0, at)
    const inserted = chance.pick(['"', '{', '}', '[', ']', ',', ':', '\\', '0', '-', '\u0000', '\ud83d', '1e9', 'null'])
    result = chance.pick([head + inserted + result.slice(at), head + result.slice(at + 1), head, head + head])
    if (result.length > 100_000) result = head
  }
  return result
}
