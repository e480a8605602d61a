// Cuts a text into what fits a short message: GSM-7 where every character allows it, otherwise UCS-2. Pure.
import { gsm7Of } from './gsm7'

/** A text as the parts of one message, each without its user data header. */
export interface Segmented {
  /** 0 is the SMSC's default alphabet (GSM 03.38), 8 is UCS-2. */
  readonly dataCoding: 0 | 8
  readonly parts: readonly Buffer[]
}

/** How many bytes one part may have: alone, and beside a header of six. A septet travels in a byte of its own. */
const ROOM = { 0: { alone: 160, among: 153 }, 8: { alone: 140, among: 134 } } as const

/** The total stands in one byte of the header. */
export const MOST_SEGMENTS = 255

const PLAIN: ReadonlyMap<string, string> = new Map(
  Object.entries({ '‘': "'", '’': "'", '‚': "'", '‛': "'", '“': '"', '”': '"', '„': '"', '‟': '"' }).concat(
    Object.entries({ '«': '"', '»': '"', '‐': '-', '‑': '-', '‒': '-', '–': '-', '—': '-', '―': '-', '…': '...' }),
  ),
)

/** Typographic quotes, dashes and the ellipsis as their plain ones, which GSM-7 has. */
export const plainPunctuation = (text: string): string => Array.from(text, (char) => PLAIN.get(char) ?? char).join('')

/** One part, or as many as it takes; neither an escaped character nor a surrogate pair is ever torn apart. */
export function segment(text: string): Segmented {
  const chars = Array.from(text) // characters, never halves of a pair
  const septets = chars.map(gsm7Of)
  const dataCoding = septets.includes(undefined) ? 8 : 0
  const units =
    dataCoding === 0
      ? septets.map((codes) => Buffer.from(codes ?? []))
      : chars.map((char) => Buffer.from(char, 'utf16le').swap16())
  const { alone, among } = ROOM[dataCoding]
  const whole = units.reduce((sum, unit) => sum + unit.length, 0)
  return { dataCoding, parts: whole <= alone ? [Buffer.concat(units)] : pack(units, among) }
}

function pack(units: readonly Buffer[], room: number): Buffer[] {
  const parts: Buffer[] = []
  let part: Buffer[] = []
  let size = 0
  for (const unit of units) {
    if (size + unit.length > room) {
      parts.push(Buffer.concat(part))
      part = []
      size = 0
    }
    part.push(unit)
    size += unit.length
  }
  return [...parts, Buffer.concat(part)]
}

/** The part behind its user data header: which of how many, of the message with this reference (0 to 255). */
export const withHeader = (part: Buffer, reference: number, total: number, number: number): Buffer =>
  Buffer.concat([Buffer.from([5, 0, 3, reference & 0xff, total, number]), part])
