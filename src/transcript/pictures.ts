// Small pictures of attachments: whatever it was becomes a JPEG of ours, or nothing.
import sharp from 'sharp'
import type { TranscriptAttachment } from './transcript'

/** Ready to be shown: at most 360 pixels either way. */
export interface Picture {
  readonly jpeg: Uint8Array
  readonly width: number
  readonly height: number
}
/**
 * The bytes of an attachment's thumbnail or of a small picture itself (JPEG, PNG, WebP or GIF), or null. Asked once for
 * each attachment that is shown, when its turn comes; what takes longer than 5 s, is larger than 8 MB or fails is not shown.
 */
export type PictureSource = (attachment: TranscriptAttachment) => Promise<Uint8Array | null>

const LONGEST_SIDE = 360
const MAX_BYTES = 8 * 1024 * 1024
/** A picture that unpacks to more is a bomb. */
const MAX_PIXELS = 50_000_000
const SOURCE_MS = 5_000
const INLINE = /^data:image\/(?:png|jpe?g|webp|gif);base64,([A-Za-z0-9+/=]{1,400000})$/

export class Pictures {
  readonly #source: PictureSource

  constructor(source: PictureSource = async () => null) {
    this.#source = source
  }

  /** Never rejects: a document without a picture is better than none. */
  async of(attachment: TranscriptAttachment): Promise<Picture | null> {
    try {
      const bytes = inlineOf(attachment) ?? (await inTime(this.#source(attachment)))
      return bytes && bytes.byteLength <= MAX_BYTES && isRaster(bytes) ? await shrink(bytes) : null
    } catch {
      return null
    }
  }
}

const inlineOf = ({ contentUrl, thumbnailUrl = '' }: TranscriptAttachment): Uint8Array | null => {
  const [, text] = INLINE.exec(thumbnailUrl) ?? INLINE.exec(contentUrl) ?? []
  return text === undefined ? null : Buffer.from(text, 'base64')
}

/** By its first bytes, whatever it is called: nothing that is text, such as SVG, gets as far as a decoder. */
function isRaster(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 12)).toString('latin1')
  return /^(?:\xFF\xD8\xFF|\x89PNG\r\n\x1A\n|GIF8[79]a|RIFF.{4}WEBP)/s.test(start)
}

async function shrink(bytes: Uint8Array): Promise<Picture> {
  const { data, info } = await sharp(bytes, { limitInputPixels: MAX_PIXELS })
    .rotate()
    .resize(LONGEST_SIDE, LONGEST_SIDE, { fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .jpeg({ quality: 82 })
    .toBuffer({ resolveWithObject: true })
  return { jpeg: data, width: info.width, height: info.height }
}

async function inTime<T>(work: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), SOURCE_MS).unref()
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
