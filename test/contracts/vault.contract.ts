// What every vault must do.
import { createHash, randomBytes } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Vault } from '../../src/files/vault'
import { GatewayError } from '../../src/model/errors'
import { newId } from '../../src/model/new-id'

export interface TestVault {
  readonly vault: Vault
  /** Whatever lies in it, finished or not: names, or anything that can be counted. */
  inventory(): Promise<readonly string[]>
  close(): Promise<void>
}

const MB = 1024 * 1024
const PLENTY = { maxBytes: 64 * MB }
const inChunks = (bytes: Buffer, size = 64 * 1024): Readable =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size)),
    { objectMode: false },
  )

export function vaultContract(name: string, openVault: () => Promise<TestVault>): void {
  describe(`vault: ${name}`, () => {
    let under: TestVault
    beforeEach(async () => {
      under = await openVault()
    })
    afterEach(() => under.close())
    const keep = async (bytes: Buffer, key = newId()) => {
      await under.vault.write(key, inChunks(bytes), PLENTY)
      return key
    }
    const readBack = async (...asked: Parameters<Vault['read']>) => {
      const found = await under.vault.read(...asked)
      return found && { bytes: await buffer(found.stream), size: found.size }
    }

    it.each([
      ['of one byte', 1],
      ['of many chunks', 300_000],
      ['of several parts', 11 * MB + 7],
      ['of just one part', 5 * MB],
    ])('gives back a file %s as it was, and tells its size and digest', async (_, length) => {
      const bytes = randomBytes(length)
      const key = newId()
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      expect(await under.vault.write(key, inChunks(bytes), PLENTY)).toEqual({ size: length, sha256 })
      const found = await readBack(key)
      expect(found?.size).toBe(length)
      expect(found?.bytes.equals(bytes)).toBe(true)
    })
    it('gives back a part of a file, and the size of all of it', async () => {
      const key = await keep(Buffer.from('0123456789'))
      const part = async (start: number, end: number) => {
        const found = await readBack(key, { start, end })
        return [found?.bytes.toString(), found?.size]
      }
      expect(await part(0, 1)).toEqual(['01', 10]) // s3rver takes 0-0 for no range at all
      expect(await part(3, 6)).toEqual(['3456', 10])
      expect(await part(9, 9)).toEqual(['9', 10])
    })
    it('has nothing under a key that was never written, or was removed', async () => {
      expect(await under.vault.read(newId())).toBeNull()
      const key = await keep(Buffer.from('gone'))
      await under.vault.remove(key)
      await under.vault.remove(key)
      expect(await under.vault.read(key)).toBeNull()
      expect(await under.inventory()).toEqual([])
    })
    it('keeps files apart, and replaces what is written again', async () => {
      const [a, b] = [await keep(Buffer.from('a')), await keep(Buffer.from('b'))]
      await keep(Buffer.from('again'), a)
      await keep(Buffer.from('small'), `${b}.png`)
      expect((await readBack(a))?.bytes.toString()).toBe('again')
      expect((await readBack(b))?.bytes.toString()).toBe('b')
      expect((await readBack(`${b}.png`))?.bytes.toString()).toBe('small')
    })
    it('takes a file of just the most bytes, and leaves nothing of one that has one more', async () => {
      const bytes = randomBytes(200_000)
      await under.vault.write(newId(), inChunks(bytes), { maxBytes: 200_000 })
      const before = await under.inventory()
      const key = newId()
      await expect(under.vault.write(key, inChunks(bytes), { maxBytes: 199_999 })).rejects.toMatchObject({
        code: 'tooLarge',
      })
      expect(await under.vault.read(key)).toBeNull()
      expect(await under.inventory()).toEqual(before)
    })
    it.each([
      ['at once', 0],
      ['amid the first part', 100_000],
      ['amid a later part', 7 * MB],
    ])('leaves nothing of a file whose stream fails %s, and tells why', async (_, after) => {
      const key = newId()
      const reason = new GatewayError('timeout', 'Too slow.')
      async function* failing() {
        for await (const chunk of inChunks(Buffer.alloc(after))) yield chunk
        throw reason
      }
      await expect(under.vault.write(key, Readable.from(failing()), PLENTY)).rejects.toBe(reason)
      expect(await under.vault.read(key)).toBeNull()
      expect(await under.inventory()).toEqual([])
    })
    it('leaves nothing of a file whose bytes stopped coming, when the patience of the caller ends', async () => {
      const key = newId()
      const stalled = new PassThrough()
      const patience = new AbortController()
      const writing = under.vault.write(key, stalled, { ...PLENTY, signal: patience.signal })
      stalled.write(Buffer.alloc(100_000))
      const reason = new GatewayError('timeout', 'Too slow.')
      patience.abort(reason)
      await expect(writing).rejects.toBe(reason)
      expect(stalled.destroyed).toBe(true)
      expect(await under.inventory()).toEqual([])
    })
    it('breaks writes off when it is closed, and leaves nothing of them', async () => {
      const stalled = new PassThrough()
      stalled.write(Buffer.alloc(100_000))
      const writing = under.vault.write(newId(), stalled, PLENTY).catch((cause: unknown) => cause)
      await under.vault.close()
      expect(await writing).toMatchObject({ code: 'unavailable', retryable: true })
      expect(await under.inventory()).toEqual([])
      await expect(under.vault.write(newId(), inChunks(Buffer.from('late')), PLENTY)).rejects.toMatchObject({
        code: 'unavailable',
      })
    })
    it.each(['', '.', '..', '../../../../etc/passwd', '/etc/passwd', 'short', `${'a'.repeat(22)}/x`, 'a'.repeat(65)])(
      'refuses the key %j, which it never gave',
      async (key) => {
        const refused = { code: 'invalidRequest' }
        await expect(under.vault.write(key, inChunks(Buffer.from('x')), PLENTY)).rejects.toMatchObject(refused)
        await expect(under.vault.read(key)).rejects.toMatchObject(refused)
        await expect(under.vault.remove(key)).rejects.toMatchObject(refused)
        expect(await under.inventory()).toEqual([])
      },
    )
  })
}
