// A vault in memory, for tests of what stands above one.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Measure } from '../../src/files/measure'
import type { ByteRange, StoredBytes, Vault, WriteLimits, Written } from '../../src/files/vault'
import { checkKey, closedVault } from '../../src/files/vault-key'

export class MemoryVault implements Vault {
  readonly files = new Map<string, Buffer>()
  /** How many writes are under way. */
  writing = 0
  readonly #closing = new AbortController()

  async write(key: string, bytes: Readable, { maxBytes, signal }: WriteLimits): Promise<Written> {
    checkKey(key)
    if (this.#closing.signal.aborted) throw closedVault()
    const measure = new Measure(maxBytes)
    const chunks: Buffer[] = []
    const closing = this.#closing.signal
    const until = signal ? AbortSignal.any([signal, closing]) : closing
    this.writing += 1
    try {
      const keep = async (arriving: AsyncIterable<Buffer>) => {
        for await (const chunk of arriving) chunks.push(chunk)
      }
      await pipeline(bytes, measure, keep, { signal: until })
      this.files.set(key, Buffer.concat(chunks))
      return measure.result()
    } catch (cause) {
      if (closing.aborted) throw closedVault()
      signal?.throwIfAborted()
      throw cause
    } finally {
      this.writing -= 1
    }
  }
  async read(key: string, range?: ByteRange): Promise<StoredBytes | null> {
    checkKey(key)
    if (this.#closing.signal.aborted) throw closedVault()
    const found = this.files.get(key)
    if (!found) return null
    const part = range ? found.subarray(range.start, range.end + 1) : found
    return { stream: Readable.from(part.length > 0 ? [part] : [], { objectMode: false }), size: found.length }
  }
  async remove(key: string): Promise<void> {
    checkKey(key)
    this.files.delete(key)
  }
  async sweep(): Promise<number> {
    return 0
  }
  async close(): Promise<void> {
    this.#closing.abort()
  }
}
