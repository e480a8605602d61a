// Opens font files: a WOFF is unpacked once, because its reader would inflate a table again for each glyph.
import { inflateSync } from 'node:zlib'
import { create, type Font } from 'fontkit'
import { tolerateMissingAnchors } from './missing-anchors'

const MAX_FONT_BYTES = 64 * 1024 * 1024
const WOFF = 0x774f4646

/** Reads TrueType, OpenType and WOFF (version 1). Throws for anything else. */
export function openFont(bytes: Buffer): Font {
  const font = create(bytes.readUInt32BE(0) === WOFF ? unpackWoff(bytes) : bytes)
  if ('fonts' in font) throw new Error('A collection of fonts cannot be embedded')
  tolerateMissingAnchors(font)
  return font
}

interface Table {
  readonly tag: number
  readonly checksum: number
  readonly bytes: Buffer
}

/** WOFF File Format 1.0, W3C Recommendation: the same tables, each deflated, under a directory of its own. */
function unpackWoff(woff: Buffer): Buffer {
  const count = woff.readUInt16BE(12)
  const tables = Array.from({ length: count }, (_, i) => tableAt(woff, 44 + 20 * i))
  const starts: number[] = []
  let end = 12 + 16 * count
  for (const { bytes } of tables) {
    starts.push(end)
    end += (bytes.length + 3) & ~3
    if (end > MAX_FONT_BYTES) throw new Error('A font is larger than 64 MB')
  }
  const sfnt = Buffer.alloc(end)
  sfnt.writeUInt32BE(woff.readUInt32BE(4), 0)
  const power = Math.floor(Math.log2(count))
  sfnt.writeUInt16BE(count, 4)
  sfnt.writeUInt16BE(2 ** power * 16, 6)
  sfnt.writeUInt16BE(power, 8)
  sfnt.writeUInt16BE(count * 16 - 2 ** power * 16, 10)
  tables.forEach(({ tag, checksum, bytes }, i) => {
    const entry = 12 + 16 * i
    const start = starts[i] ?? 0
    sfnt.writeUInt32BE(tag, entry)
    sfnt.writeUInt32BE(checksum, entry + 4)
    sfnt.writeUInt32BE(start, entry + 8)
    sfnt.writeUInt32BE(bytes.length, entry + 12)
    bytes.copy(sfnt, start)
  })
  return sfnt
}
function tableAt(woff: Buffer, at: number): Table {
  const [offset, packed, length] = [woff.readUInt32BE(at + 4), woff.readUInt32BE(at + 8), woff.readUInt32BE(at + 12)]
  const bytes = woff.subarray(offset, offset + packed)
  return {
    tag: woff.readUInt32BE(at),
    checksum: woff.readUInt32BE(at + 16),
    bytes: packed < length ? inflateSync(bytes, { maxOutputLength: MAX_FONT_BYTES }) : bytes,
  }
}
