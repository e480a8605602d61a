// Small pictures of large ones, and of nothing that is none.
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { Thumbnails, type ThumbnailOptions } from '../../src/files/thumbnail'
import { newFolder } from '../support/databases'
import { factOf, processesOf, threadsOf } from '../support/processes'

const plain = (width: number, height: number, channels: 3 | 4 = 3) =>
  sharp({ create: { width, height, channels, background: { r: 200, g: 10, b: 10, alpha: 0.5 } } })
const of = (bytes: Buffer) => async () => Readable.from([bytes])

/** The processes of ours that make thumbnails. */
const darkrooms = (): number[] => processesOf(process.pid, 'darkroom-main.js')

/** A black square, small as a file and huge as a picture: as many of its rows as were asked for. */
function square(side: number, rows = side): Buffer {
  const chunk = (type: string, body: Buffer) => {
    const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
    const ends = Buffer.alloc(8)
    ends.writeUInt32BE(body.length)
    ends.writeUInt32BE(crc32(named), 4)
    return Buffer.concat([ends.subarray(0, 4), named, ends.subarray(4)])
  }
  const size = Buffer.alloc(13)
  size.writeUInt32BE(side)
  size.writeUInt32BE(side, 4)
  size.set([1, 0, 0, 0, 0], 8)
  const pixels = deflateSync(Buffer.alloc((Math.ceil(side / 8) + 1) * rows))
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  return Buffer.concat([signature, chunk('IHDR', size), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))])
}

const open: Thumbnails[] = []
function thumbnailsWith(options: ThumbnailOptions = {}): Thumbnails {
  const thumbnails = new Thumbnails(options)
  open.push(thumbnails)
  return thumbnails
}
afterAll(() => Promise.all(open.map((thumbnails) => thumbnails.close())))

describe('a thumbnail', () => {
  const thumbnails = thumbnailsWith()

  it('is a JPEG of at most 320 pixels, with the size of the picture beside it', async () => {
    const made = await thumbnails.make(of(await plain(1_000, 400).png().toBuffer()))
    expect(made).toMatchObject({ mediaType: 'image/jpeg', width: 1_000, height: 400 })
    expect(await sharp(made!.bytes).metadata()).toMatchObject({ format: 'jpeg', width: 320, height: 128 })
    expect(made!.bytes.length).toBeLessThan(256 * 1024)
  })
  it('is made of a file where it lies, too', async () => {
    const folder = await newFolder()
    const path = join(folder, 'picture')
    await writeFile(path, await plain(1_000, 400).webp().toBuffer())
    expect(await thumbnails.make(async () => path)).toMatchObject({
      mediaType: 'image/jpeg',
      width: 1_000,
      height: 400,
    })
    await writeFile(path, 'words')
    expect(await thumbnails.make(async () => path)).toBeNull()
    await rm(folder, { recursive: true })
    expect(await thumbnails.make(async () => path)).toBeNull()
  })
  it('is a PNG where the picture is clear in part', async () => {
    const made = await thumbnails.make(of(await plain(400, 400, 4).webp().toBuffer()))
    expect(made).toMatchObject({ mediaType: 'image/png' })
    expect(await sharp(made!.bytes).metadata()).toMatchObject({ format: 'png', width: 320, hasAlpha: true })
  })
  it('is not larger than the picture', async () => {
    const made = await thumbnails.make(of(await plain(10, 20).gif().toBuffer()))
    expect(made).toMatchObject({ width: 10, height: 20 })
    expect(await sharp(made!.bytes).metadata()).toMatchObject({ width: 10, height: 20 })
  })
  it('stands upright, and tells nothing of what the camera noted', async () => {
    const exif = { IFD0: { Copyright: 'Ann was here' }, IFD3: { GPSLatitude: '51/1 30/1 0/1' } }
    const lying = await plain(400, 200).jpeg().withMetadata({ orientation: 6 }).withExifMerge(exif).toBuffer()
    expect(lying.includes('Ann was here')).toBe(true)
    const made = await thumbnails.make(of(lying))
    expect(made).toMatchObject({ width: 200, height: 400 })
    const { width, height, exif: left, orientation } = await sharp(made!.bytes).metadata()
    expect({ width, height, left, orientation }).toEqual({ width: 160, height: 320 })
    expect(made!.bytes.includes('Ann was here')).toBe(false)
  })
  it('shows the first image of a moving picture', async () => {
    const frames = await Promise.all(
      ['red', 'blue'].map((background) =>
        sharp({ create: { width: 30, height: 30, channels: 3, background } })
          .png()
          .toBuffer(),
      ),
    )
    const moving = await sharp(frames, { join: { animated: true } })
      .gif()
      .toBuffer()
    const made = await thumbnails.make(of(moving))
    expect(made).toMatchObject({ width: 30, height: 30 })
    const { dominant } = await sharp(made!.bytes).stats()
    expect(dominant.r).toBeGreaterThan(dominant.b)
  })
  it('is made of a picture of just under 40 million pixels, which is a small file', async () => {
    const bytes = square(6_320)
    expect(bytes.length).toBeLessThan(10_000)
    expect(await thumbnails.make(of(bytes))).toMatchObject({ width: 6_320, height: 6_320 })
  })
  it('reads AVIF', async () => {
    expect(await thumbnails.make(of(await plain(64, 64).avif().toBuffer()))).toMatchObject({ width: 64, height: 64 })
  })

  it.each<[string, Buffer]>([
    [
      'a drawing',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'),
    ],
    ['no picture', Buffer.from('hello')],
    ['nothing', Buffer.alloc(0)],
    ['a picture of 10 000 million pixels', square(100_000, 100)],
    ['a picture of 41 million pixels', square(6_404)],
    ['half a picture', square(1_000, 500)],
  ])('is not made of %s, and that is no error', async (_, bytes) => {
    expect(await thumbnails.make(of(bytes))).toBeNull()
  })
  it('is not made of a format that is not taken, though it could be read', async () => {
    expect(await thumbnails.make(of(await plain(8, 8).tiff().toBuffer()))).toBeNull()
  })
  it('is not made when the bytes fail or are not there', async () => {
    const failing = Readable.from(
      (function* () {
        throw new Error('gone')
      })(),
    )
    expect(await thumbnails.make(async () => failing)).toBeNull()
    expect(await thumbnails.make(async () => null)).toBeNull()
    expect(await thumbnails.make(() => Promise.reject(new Error('gone')))).toBeNull()
  })
  it('is not waited for longer than it was told, when the bytes do not come', async () => {
    const stalled = new PassThrough()
    expect(await thumbnailsWith({ seconds: 1 }).make(async () => stalled)).toBeNull()
    expect(stalled.destroyed).toBe(true)
  })
  it('is made of so many at once, so many wait, and one more goes without', async () => {
    const few = thumbnailsWith({ concurrency: 2, maxQueue: 1 })
    const bytes = await plain(10, 10).png().toBuffer()
    let busy = 0
    let most = 0
    const gates: (() => void)[] = []
    const open = async () => {
      most = Math.max(most, (busy += 1))
      await new Promise<void>((resolve) => gates.push(resolve))
      busy -= 1
      return Readable.from([bytes])
    }
    const made = [few.make(open), few.make(open), few.make(async () => Readable.from([bytes]))]
    expect(await few.make(open)).toBeNull()
    for (const gate of gates) gate()
    for (const one of await Promise.all(made)) expect(one).toMatchObject({ width: 10 })
    expect(most).toBe(2)
    expect(await few.make(of(bytes))).toMatchObject({ width: 10 })
  })
  it('is made by a process that knows no secret, stands back behind all others, and is gone when it is closed', async () => {
    await Promise.all(open.splice(0).map((thumbnails) => thumbnails.close()))
    const own = thumbnailsWith()
    const bytes = await plain(10, 10).png().toBuffer()
    let looks = 0
    // While it waits for the bytes it can be looked at.
    const looked = Readable.from(
      (function* () {
        const [pid] = darkrooms()
        for (const { nice, policy } of threadsOf(pid!)) expect({ nice, policy }).toEqual({ nice: 19, policy: 5 })
        expect(factOf(pid!, 'environ')).not.toMatch(/REDIS|DATABASE|NODE_OPTIONS|JEST/)
        looks++
        yield bytes
      })(),
    )
    expect(await own.make(async () => looked)).toMatchObject({ width: 10 })
    expect(looks).toBe(1)
    await own.close()
    expect(darkrooms()).toEqual([])
    expect(await own.make(of(bytes))).toBeNull()
  })
  it('is not made when its process is killed, and the next one is made by another', async () => {
    const own = thumbnailsWith()
    const bytes = await plain(10, 10).png().toBuffer()
    const killed = Readable.from(
      (function* () {
        for (const pid of darkrooms()) process.kill(pid, 'SIGKILL')
        yield bytes
      })(),
    )
    expect(await own.make(async () => killed)).toBeNull()
    expect(await own.make(of(bytes))).toMatchObject({ width: 10 })
  })
})
