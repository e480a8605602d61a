// Has small pictures made of large ones, in processes of their own: what strangers sent is unpacked where it can break nothing.
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { SidePool } from '../aside/side-pool'
import type { SideProcess } from '../aside/side-process'
import { Turns } from '../model/turns'
import type { FromDarkroom, PictureLimits, Thumbnail, ToDarkroom } from './darkroom-protocol'

export interface ThumbnailOptions {
  /** Pictures at once, each in a process; 2 when it is not said, and 1 on a machine of two processors or one. */
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
/** Of the heap, which no pixel is in. */
const MEMORY_MB = 64

type Darkroom = SideProcess<ToDarkroom, FromDarkroom>

export class Thumbnails {
  readonly #turns: Turns
  readonly #limits: PictureLimits
  readonly #darkrooms = new SidePool<ToDarkroom, FromDarkroom>({
    file: join(__dirname, 'darkroom-main'),
    memoryMb: MEMORY_MB,
  })

  /** Processes start with the first picture. */
  constructor(options: ThumbnailOptions = {}) {
    this.#turns = new Turns({ atOnce: options.concurrency ?? AT_ONCE, waiting: options.maxQueue ?? 32 })
    this.#limits = { seconds: options.seconds ?? 10, maxPixels: options.maxPixels ?? 40_000_000 }
  }

  /**
   * The picture upright and without what a camera noted; of a moving one its first image. Null when it cannot be read,
   * is too large to unpack, takes too long, breaks its process, or too many wait.
   * @param open gives the picture once it is its turn: its bytes, or better the path of its file, of which nothing then
   *   passes through the event loop; a failure of it is one of the picture
   */
  async make(open: () => Promise<Readable | string | null>): Promise<Thumbnail | null> {
    if (this.#turns.full) return null
    await this.#turns.next()
    try {
      const source = await open()
      return source === null ? null : await this.#make(source)
    } catch {
      return null // a picture without a thumbnail is still a file
    } finally {
      this.#turns.done()
    }
  }

  async #make(source: Readable | string): Promise<Thumbnail | null> {
    const darkroom = this.#darkrooms.take()
    const late = setTimeout(() => void darkroom.kill(), this.#limits.seconds * 1_000)
    try {
      const thumbnail = await develop(darkroom, source, this.#limits)
      this.#darkrooms.keep(darkroom)
      return thumbnail
    } catch (cause) {
      // It may be amid a picture.
      await this.#darkrooms.drop(darkroom)
      throw cause
    } finally {
      clearTimeout(late)
      if (typeof source !== 'string') source.destroy()
    }
  }

  /** Ends all processes; what is under way gets no thumbnail. */
  close(): Promise<void> {
    return this.#darkrooms.close()
  }
}

/** @throws when the process dies, or the bytes fail */
function develop(darkroom: Darkroom, source: Readable | string, limits: PictureLimits): Promise<Thumbnail | null> {
  return new Promise((resolve, reject) => {
    const parts = typeof source === 'string' ? null : source[Symbol.asyncIterator]()
    const next = async () => {
      const part = await parts?.next()
      if (part?.done === false) await darkroom.say({ do: 'part', bytes: part.value as Buffer })
      else await darkroom.say({ do: 'end' })
    }
    darkroom.listen({
      hear: (message) => {
        if (message.is === 'made') resolve(message.thumbnail)
        else void next().catch(reject)
      },
      died: () => reject(new Error('The process of this picture died')),
    })
    void darkroom.say({ do: 'picture', path: typeof source === 'string' ? source : null, limits })
  })
}
