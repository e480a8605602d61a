// Makes small pictures of large ones, beside the event loop, and trusts none of them.
import sharp from 'sharp'
import { availableParallelism } from 'node:os'
import { pipeline } from 'node:stream/promises'
import type { Readable } from 'node:stream'
import { Turns } from '../model/turns'

export interface Thumbnail {
  readonly bytes: Buffer
  readonly mediaType: 'image/jpeg' | 'image/png'
  /** The picture's own size in pixels, as it is shown, not the thumbnail's. */
  readonly width: number
  readonly height: number
}
export interface ThumbnailOptions {
  /** Pictures at once; 2 when it is not said, and 1 on a machine of two processors or one. */
  readonly concurrency?: number
  /** Pictures that wait; one more gets no thumbnail. 32 when it is not said. */
  readonly maxQueue?: number
  /** For reading and making one, in whole seconds; 10 when it is not said. */
  readonly seconds?: number
  /** Width times height; a picture of more is not unpacked. 40 million when it is not said. */
  readonly maxPixels?: number
}

/** Behind the key of the picture, where it is kept. */
export const THUMBNAIL_ENDINGS = { 'image/jpeg': '.jpg', 'image/png': '.png' } as const
/** One processor stays free for chats. */
const AT_ONCE = availableParallelism() > 2 ? 2 : 1
/** The longer side, in pixels. */
const SIDE = 320
const QUALITY = 75
/** What a picture of this side can take at most, and some more. */
const MAX_BYTES = 256 * 1024

// One thread a picture, nothing kept in memory, and no reader but those of the pictures that are taken: drawings,
// documents and the rest of what libvips knows are not even looked into.
sharp.concurrency(1)
sharp.cache(false)
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif'].map((name) => `VipsForeignLoad${name}`),
})

export class Thumbnails {
  readonly #turns: Turns
  readonly #seconds: number
  readonly #maxPixels: number

  constructor(options: ThumbnailOptions = {}) {
    this.#turns = new Turns({ atOnce: options.concurrency ?? AT_ONCE, waiting: options.maxQueue ?? 32 })
    this.#seconds = options.seconds ?? 10
    this.#maxPixels = options.maxPixels ?? 40_000_000
  }

  /**
   * The picture upright and without what a camera noted; of a moving one its first image. Null when it cannot be read,
   * is too large to unpack, takes too long, or too many wait.
   * @param open gives the picture once it is its turn: its bytes, or better the path of its file, of which nothing then
   *   passes through the event loop; a failure of it is one of the picture
   */
  async make(open: () => Promise<Readable | string | null>): Promise<Thumbnail | null> {
    if (this.#turns.full) return null
    await this.#turns.next()
    try {
      return await this.#make(open)
    } catch {
      return null // a picture without a thumbnail is still a file
    } finally {
      this.#turns.done()
    }
  }

  async #make(open: () => Promise<Readable | string | null>): Promise<Thumbnail | null> {
    const source = await open()
    if (source === null) return null
    const options = { limitInputPixels: this.#maxPixels, pages: 1, failOn: 'error', sequentialRead: true } as const
    const picture = typeof source === 'string' ? sharp(source, options) : sharp(options)
    const [, metadata] = await Promise.all([
      typeof source === 'string' ||
        pipeline(source, picture, { signal: AbortSignal.timeout(this.#seconds * 1_000), end: true }),
      picture.metadata(),
    ])
    const { width, height } = metadata.autoOrient
    const small = picture
      .autoOrient()
      .resize(SIDE, SIDE, { fit: 'inside', withoutEnlargement: true })
      .timeout({ seconds: this.#seconds })
    const isClear = metadata.hasAlpha
    const made = isClear ? small.png({ palette: true, effort: 4 }) : small.jpeg({ quality: QUALITY })
    const out = await made.toBuffer()
    if (out.length > MAX_BYTES) return null
    return { bytes: out, mediaType: isClear ? 'image/png' : 'image/jpeg', width, height }
  }
}
