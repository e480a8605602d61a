// What a file arrived in is given back once it was written, and never before: whatever way a form is cut, the file is whole.
import fc from 'fast-check'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { DiskVault } from '../../src/files/disk-vault'
import { Pace } from '../../src/files/pace'
import { receiveFile } from '../../src/files/multipart'
import { Spent } from '../../src/files/spent'
import { newFileId } from '../../src/model/new-id'

/** With its memory to itself, as Node hands over what a request brings. */
function chunkOf(bytes: Uint8Array): Buffer {
  const chunk = Buffer.from(new ArrayBuffer(bytes.length))
  chunk.set(bytes)
  return chunk
}
const zeros = (length: number) => chunkOf(new Uint8Array(length))
const lengths = (chunks: Buffer[]) => chunks.map((chunk) => chunk.length)

it('gives back a chunk when as many bytes of the file are taken as it and those before it could hold', () => {
  const spent = new Spent()
  const chunks = [10, 20, 30].map(zeros)
  spent.add(chunks[0]!)
  spent.begin()
  spent.add(chunks[1]!)
  spent.add(chunks[2]!)
  spent.upTo(9)
  expect(lengths(chunks)).toEqual([10, 20, 30])
  spent.upTo(29)
  expect(lengths(chunks)).toEqual([0, 20, 30])
  spent.upTo(30)
  expect(lengths(chunks)).toEqual([0, 0, 30])
  spent.all()
  expect(lengths(chunks)).toEqual([0, 0, 0])
})
it('holds nothing of what stands before the file or behind it', () => {
  const spent = new Spent()
  const chunks = [10, 10, 10, 10].map(zeros)
  spent.add(chunks[0]!)
  spent.add(chunks[1]!)
  spent.begin()
  spent.add(chunks[2]!)
  spent.end()
  spent.add(chunks[3]!)
  spent.all()
  expect(lengths(chunks)).toEqual([10, 0, 0, 10])
})
it('leaves a chunk alone that shares its memory with others', () => {
  const spent = new Spent()
  const shared = Buffer.alloc(64).subarray(0, 32)
  spent.add(shared)
  spent.begin()
  spent.all()
  expect(shared).toHaveLength(32)
})

describe('a form over a folder', () => {
  let folder: string
  let vault: DiskVault
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spent-'))
    vault = await DiskVault.open({ folder })
  })
  afterAll(async () => {
    await vault.close()
    await rm(folder, { recursive: true })
  })

  const field = (length: number) =>
    length === 0 ? '' : `---zz\r\nContent-Disposition: form-data; name="a"\r\n\r\n${'f'.repeat(length)}\r\n`
  const HEAD = '---zz\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'

  it('comes out whole, whatever way it was cut and whatever stands around the file, and its memory is given back', async () => {
    let [arrived, kept] = [0, 0]
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc.integer({ min: 1, max: 900_000 }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1_000, max: 70_000 })), { minLength: 1 }),
        fc.tuple(fc.constantFrom(0, 1, 900, 60_000), fc.constantFrom(0, 900)),
        async (seed, size, cuts, [before, behind]) => {
          // Bytes that differ wherever they stand, and line ends as they begin a boundary.
          const file = Buffer.from(
            Array.from({ length: size }, (_, i) => (i % 97 < 4 ? [13, 10, 45, 45][i % 97]! : i >> 5)),
          )
          file.set(seed.subarray(0, size))
          const form = Buffer.concat(
            [field(before), HEAD, file, '\r\n', field(behind), '---zz--\r\n'].map((p) => Buffer.from(p)),
          )
          const chunks: Buffer[] = []
          for (let at = 0, i = 0; at < form.length; i++) {
            // Small cuts are for where it is hard: a whole file of them would take a minute.
            const length = i < 200 ? cuts[i % cuts.length]! : 65_536
            chunks.push(chunkOf(form.subarray(at, (at += length))))
          }
          const request = {
            stream: Readable.from(chunks),
            headers: { 'content-type': 'multipart/form-data; boundary=-zz' },
          }
          const key = newFileId()
          const pace = new Pace({ isTalk: () => false })
          await receiveFile(request, { maxBytes: 1_000_000, totalMs: 60_000, idleMs: 60_000, pace }, (arriving) =>
            vault.write(key, arriving.bytes, { maxBytes: 1_000_000, taken: arriving.taken! }),
          )
          expect((await buffer((await vault.read(key))!.stream)).equals(file)).toBe(true)
          await vault.remove(key)
          arrived += form.length
          kept += chunks.reduce((sum, { length }) => sum + length, 0)
        },
      ),
      { numRuns: 60 },
    )
    // The fields before the file and behind it are left to the collector.
    expect(kept).toBeLessThan(arrived / 4)
  }, 60_000)
})
