// The process that makes small pictures of large ones, and trusts none of them.
import sharp, { type Sharp } from 'sharp'
import { onDuty } from '../aside/on-duty'
import type { FromDarkroom, PictureLimits, Thumbnail, ToDarkroom } from './darkroom-protocol'

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

// The two ends share the types.
const say: (message: FromDarkroom) => void = onDuty((message) => hear(message as ToDarkroom))
let arriving: Sharp | null = null

function hear(message: ToDarkroom): void {
  switch (message.do) {
    case 'picture': {
      const { path, limits } = message
      const options = { limitInputPixels: limits.maxPixels, pages: 1, failOn: 'error', sequentialRead: true } as const
      const picture = path === null ? sharp(options) : sharp(path, options)
      // Its reader is told by what it waits for.
      picture.on('error', () => undefined)
      void make(picture, limits).then((thumbnail) => {
        arriving = null
        say({ is: 'made', thumbnail })
      })
      arriving = path === null ? picture : null
      if (arriving) say({ is: 'wanted' })
      return
    }
    case 'part': {
      const picture = arriving
      picture?.write(message.bytes, () => {
        // Of one that is made nothing is wanted: the next might be asked for it.
        if (arriving === picture) say({ is: 'wanted' })
      })
      return
    }
    case 'end':
      arriving?.end()
  }
}

/** Null when it cannot be read, is too large to unpack, or takes too long. */
async function make(picture: Sharp, { seconds }: PictureLimits): Promise<Thumbnail | null> {
  try {
    const { autoOrient, hasAlpha } = await picture.metadata()
    const small = picture
      .autoOrient()
      .resize(SIDE, SIDE, { fit: 'inside', withoutEnlargement: true })
      .timeout({ seconds })
    const bytes = await (
      hasAlpha ? small.png({ palette: true, effort: 4 }) : small.jpeg({ quality: QUALITY })
    ).toBuffer()
    if (bytes.length > MAX_BYTES) return null
    return {
      bytes,
      mediaType: hasAlpha ? 'image/png' : 'image/jpeg',
      width: autoOrient.width,
      height: autoOrient.height,
    }
  } catch {
    return null
  }
}
