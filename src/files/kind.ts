// What a file is, by its bytes: never by its name, nor by what its sender says. What may be sent stands here.
import { Transform, type TransformCallback } from 'node:stream'
import { fileTypeFromBuffer } from 'file-type/core'
import { GatewayError } from '../model/errors'
import { KINDS, type Kind } from './kinds'

/** As file-type calls what is in no need of another look. What it knows besides, programs among them, has no word here. */
const BY_MAGIC: Readonly<Record<string, Kind>> = {
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/gif': 'gif',
  'image/webp': 'webp',
  'image/avif': 'avif',
  'image/heic': 'heic',
  'image/heif': 'heic',
  'application/pdf': 'pdf',
  'text/vcard': 'vcf',
  'text/calendar': 'ics',
  'audio/mpeg': 'mp3',
  'audio/wav': 'wav',
  'audio/mp4': 'm4a',
  'audio/x-m4a': 'm4a',
  'audio/ogg': 'ogg',
  'audio/aac': 'aac',
  'audio/amr': 'amr',
  'video/mp4': 'mp4',
  'video/x-m4v': 'mp4',
  'video/webm': 'webm',
  'video/quicktime': 'mov',
  'video/3gpp': '3gp',
  'video/3gpp2': '3gp',
  [KINDS.docx[0]]: 'docx',
  [KINDS.xlsx[0]]: 'xlsx',
  [KINDS.pptx[0]]: 'pptx',
  [KINDS.odt[0]]: 'odt',
  [KINDS.ods[0]]: 'ods',
  'application/zip': 'zip',
}
/**
 * Written in text, and told by their first words. Of the other kinds here, each has bytes in it that no text has, and a text
 * may well begin with "BMW", "GIF" or "Get free".
 */
const WRITTEN: readonly string[] = [
  'application/pdf',
  'application/postscript',
  'application/eps',
  'application/rtf',
  'text/vcard',
  'text/calendar',
]
const TEXTS: readonly Kind[] = ['txt', 'csv', 'vcf', 'ics']
/** That are made smaller. HEIC is none of them: sharp, as npm has it, unpacks AV1 but not HEVC, which is patented. */
const PICTURES: readonly Kind[] = ['png', 'jpeg', 'gif', 'webp', 'avif']
/** Shown where it stands. Everything else is offered for saving, whatever it is. */
const DISPLAYABLE: readonly string[] = ['image/png', 'image/jpeg', 'image/gif', 'image/webp']
/** What begins like this, be it behind byte order marks, is run by somebody: pages and drawings by browsers, scripts by shells. */
const MARKUP = /^\s*(?:<[!?/a-z]|#!)/i

/** How many of a file's first bytes tell what it is. */
const SAMPLE_BYTES = 64 * 1024
/** Office files are archives, and some writers put what tells them from others at the end. */
const ARCHIVE_SAMPLE_BYTES = 2 * 1024 * 1024
const ARCHIVE = Buffer.from('PK\u0003\u0004')

/** How many bytes `kindOf` wants, given the first of them. */
export const sampleSize = (head: Buffer): number =>
  head.subarray(0, ARCHIVE.length).equals(ARCHIVE) ? ARCHIVE_SAMPLE_BYTES : SAMPLE_BYTES

/**
 * What a file is.
 * @param sample its first bytes, `sampleSize` of them, or all
 * @param name says only whether text is a table: both are harmless
 * @throws GatewayError `unsupportedMediaType` when it is none of those allowed
 */
export async function kindOf(sample: Buffer, name: string, allowed: readonly Kind[]): Promise<Kind> {
  const found = await fileTypeFromBuffer(sample).catch(() => undefined) // what breaks its reader is none that it knows
  const kind = kindAs(found?.mime.split(';')[0] ?? '', sample, name)
  if (!kind || !allowed.includes(kind)) throw notAllowed(allowed)
  return kind
}
/** @param type as file-type calls it; empty when it knows none */
function kindAs(type: string, sample: Buffer, name: string): Kind | null {
  const words = wordsOf(sample)
  const kind = type === '' || (words !== null && !WRITTEN.includes(type)) ? textKind(name) : BY_MAGIC[type]
  if (!kind || (TEXTS.includes(kind) && words === null)) return null
  // Voice messages begin as scripts do, and a comment has room for the magic of a film.
  return kind !== 'amr' && MARKUP.test(words ?? sample.toString('utf8', 0, 1_024)) ? null : kind
}
const textKind = (name: string): Kind => (/\.csv$/i.test(name) ? 'csv' : 'txt')

export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be'
/** Of a text, by its byte order mark: older editors and spreadsheets of Windows write UTF-16. Without one it is UTF-8. */
export function encodingOf(head: Buffer): Encoding {
  const mark = head.toString('hex', 0, 2)
  if (mark === 'fffe') return 'utf-16le'
  return mark === 'feff' ? 'utf-16be' : 'utf-8'
}
/** Null for what is no text. The last character may be cut off where the sample ends. */
function wordsOf(sample: Buffer): string | null {
  const decoder = new TextDecoder(encodingOf(sample), { fatal: true })
  return decodedBy(decoder, sample.subarray(0, SAMPLE_BYTES), sample.length >= SAMPLE_BYTES)
}
/** Null for what is none of its characters, or is U+0000, which no text has. */
function decodedBy(decoder: TextDecoder, bytes: Buffer, goesOn: boolean): string | null {
  try {
    const words = decoder.decode(bytes, { stream: goesOn })
    return words.includes('\0') ? null : words
  } catch {
    return null
  }
}

/** With its encoding, where that is not the one that every text here is taken for. */
export const mediaTypeOf = (kind: Kind, encoding: Encoding = 'utf-8'): string =>
  encoding === 'utf-8' ? KINDS[kind][0] : `${KINDS[kind][0]}; charset=utf-16`
export const isText = (kind: Kind): boolean => TEXTS.includes(kind)
export const isPicture = (kind: Kind): boolean => PICTURES.includes(kind)
export const isDisplayable = (mediaType: string): boolean => DISPLAYABLE.includes(mediaType)

/** The name with an ending that fits what the file is, so that no system takes a text for a page once it is saved. */
export function namedAs(kind: Kind, name: string): string {
  const [, ...endings]: readonly string[] = KINDS[kind]
  const ending = /\.([^.]*)$/.exec(name)?.[1]?.toLowerCase() ?? ''
  return endings.includes(ending) ? name : `${name}.${endings[0] ?? ''}`
}

/** Lets text through for as long as it is in its encoding and without U+0000. */
export class TextGuard extends Transform {
  readonly #decoder: TextDecoder
  readonly #allowed: readonly Kind[]

  constructor(
    readonly encoding: Encoding,
    allowed: readonly Kind[],
  ) {
    super()
    this.#decoder = new TextDecoder(encoding, { fatal: true })
    this.#allowed = allowed
  }
  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (decodedBy(this.#decoder, chunk, true) === null) done(notAllowed(this.#allowed))
    else done(null, chunk)
  }
  override _flush(done: TransformCallback): void {
    done(decodedBy(this.#decoder, Buffer.alloc(0), false) === null ? notAllowed(this.#allowed) : null)
  }
}

const notAllowed = (allowed: readonly Kind[]): GatewayError =>
  new GatewayError('unsupportedMediaType', `Files of this kind are not taken here. Send one of: ${allowed.join(', ')}.`)
