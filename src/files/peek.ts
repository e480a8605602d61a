// Looks at the first bytes of a stream before it is decided what becomes of it.
import { Readable } from 'node:stream'

/** Of which `wanted` sees no more. */
const HEAD_BYTES = 16

export interface Peeked {
  /** The first bytes, as many as were wanted or there are. */
  readonly sample: Buffer
  /** All bytes, the first among them. */
  readonly whole: Readable
}

/** @param wanted how many bytes to look at, given up to 16 of the first; it is asked again as more arrive */
export async function peek(bytes: Readable, wanted: (head: Buffer) => number): Promise<Peeked> {
  const source = bytes[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const held: Buffer[] = []
  let size = 0
  let enough = 1
  while (size < enough) {
    const next = await source.next()
    if (next.done) break
    held.push(next.value)
    size += next.value.length
    enough = wanted(Buffer.concat(held, Math.min(size, HEAD_BYTES)))
  }
  const sample = Buffer.concat(held)
  async function* all(): AsyncGenerator<Buffer> {
    try {
      yield sample
      for (let next = await source.next(); !next.done; next = await source.next()) yield next.value
    } finally {
      bytes.destroy()
    }
  }
  return { sample, whole: Readable.from(all(), { objectMode: false }) }
}
