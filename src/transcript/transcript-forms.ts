// A conversation as a document that people keep: one door to all its forms.
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { GatewayError } from '../model/errors'
import { asCsv } from './csv-form'
import { asHtml } from './html-form'
import { hashOf, jsonOf, type CanonicalLine } from './canonical'
import { Pictures, type PictureSource } from './pictures'
import { Press, type PressLimits } from './press'
import { asText } from './text-form'
import type { Transcript } from './transcript'
import { Wording } from './wording'

export const TRANSCRIPT_FORMS = ['json', 'html', 'txt', 'csv', 'pdf'] as const
export type TranscriptForm = (typeof TRANSCRIPT_FORMS)[number]

export interface RenderOptions {
  readonly form: TranscriptForm
  /** IANA, such as `Europe/Berlin`; UTC when absent. */
  readonly timeZone?: string | undefined
  /** BCP 47, for labels and times; the conversation's when absent, English where there are no words in it. */
  readonly language?: string | undefined
}
export interface Rendering {
  readonly mediaType: string
  /** Plain ASCII, without a character that a header or a shell would mind. */
  readonly filename: string
  /**
   * For the header `ETag`, with its quotes: the hash of the content, which stands at the end of the document, too, and
   * eight digits that tell forms, languages and time zones of the same content apart.
   */
  readonly etag: string
  /** Destroy a stream that is not read to its end. */
  readonly body: Readable
}

const MEDIA_TYPES: Readonly<Record<TranscriptForm, string>> = {
  json: 'application/json; charset=utf-8',
  html: 'text/html; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  pdf: 'application/pdf',
}
/** Changes when the same content begins to look different. */
const EDITION = 1
const CHUNK = 32 * 1024

export class TranscriptForms {
  readonly #press: Press
  readonly #pictures: Pictures

  /**
   * `fontsDir`: a folder with TrueType, OpenType or WOFF files for what the fonts of the build have no glyphs for.
   * Throws where there is no such folder.
   * `pictures`: where thumbnails of attachments come from; without it only pictures within the log are shown.
   */
  constructor(deps: { fontsDir?: string; pictures?: PictureSource; limits?: Partial<PressLimits> } = {}) {
    const { fontsDir = '', pictures, limits = {} } = deps
    if (fontsDir !== '') requireFolder(fontsDir)
    this.#press = new Press({ fontsDir, limits })
    this.#pictures = new Pictures(pictures)
  }

  /** Rejects with `invalidRequest` for an unknown time zone, and for a PDF as `Press.print` does. */
  async render(transcript: Transcript, options: RenderOptions): Promise<Rendering> {
    const { form, timeZone = 'UTC', language = transcript.language } = options
    const wording = new Wording({ timeZone, language })
    const hash = await hashOf(transcript)
    const variant = [EDITION, form, wording.language, wording.timeZone].join(' ')
    return {
      mediaType: MEDIA_TYPES[form],
      filename: filenameOf(transcript, form),
      etag: `"${hash}-${createHash('sha256').update(variant).digest('hex').slice(0, 8)}"`,
      body: await this.#body(transcript, { form, wording, hash }),
    }
  }

  /** The JSON form, with whatever `show` makes of its lines. */
  async json(transcript: Transcript, show: (line: CanonicalLine) => object): Promise<Readable> {
    return streamOf(jsonOf(transcript, await hashOf(transcript), show))
  }

  close(): Promise<void> {
    return this.#press.close()
  }

  async #body(
    transcript: Transcript,
    { form, wording, hash }: { form: TranscriptForm; wording: Wording; hash: string },
  ): Promise<Readable> {
    switch (form) {
      case 'json':
        return streamOf(jsonOf(transcript, hash))
      case 'txt':
        return streamOf(asText(transcript, wording, hash))
      case 'csv':
        return streamOf(asCsv(transcript, wording, hash))
      case 'html':
        return streamOf(asHtml({ transcript, wording, hash, pictures: this.#pictures }))
      case 'pdf': {
        const { language, timeZone } = wording
        return this.#press.print({ transcript, language, timeZone, hash }, this.#pictures)
      }
    }
  }
}

/** Heard of at start, not with the first PDF. */
function requireFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return
  throw new GatewayError('invalidRequest', 'FONTS_DIR must be a folder with fonts that the gateway can read.')
}

/** In chunks, between which others have their turn. */
function streamOf(pieces: Iterable<string> | AsyncIterable<string>): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    let held = ''
    for await (const piece of pieces) {
      held += piece
      if (held.length < CHUNK) continue
      yield Buffer.from(held)
      held = ''
    }
    if (held !== '') yield Buffer.from(held)
  }
  return Readable.from(chunks(), { objectMode: false })
}

function filenameOf({ conversationId, startedAt }: Transcript, form: TranscriptForm): string {
  const day = /^\d{4}-\d\d-\d\d/.exec(startedAt)?.[0] ?? 'undated'
  const id = conversationId.replace(/[^A-Za-z0-9]/g, '').slice(0, 8)
  return `conversation-${day}-${id}.${form}`
}
