// A conversation as a document that people keep: one door to all its forms.
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Conversation } from '../model/conversation'
import { GatewayError } from '../model/errors'
import { asCsv } from './csv-form'
import { asHtml } from './html-form'
import { hashOf, jsonOf, type CanonicalLine } from './canonical'
import { Pictures, type PictureSource } from './pictures'
import { Press, type PressLimits } from './press'
import { asText } from './text-form'
import type { Transcript } from './transcript'
import type { TranscriptSource } from './transcripts'
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

interface FormsDeps {
  readonly fontsDir?: string
  readonly pictures?: PictureSource
  readonly limits?: Partial<PressLimits>
  readonly rest?: () => number
}

export class TranscriptForms {
  readonly #press: Press
  readonly #pictures: Pictures

  /**
   * `fontsDir`: a folder with TrueType, OpenType or WOFF files for what the fonts of the build have no glyphs for.
   * Throws where there is no such folder.
   * `pictures`: where thumbnails of attachments come from; without it only pictures within the log are shown.
   * `rest`: as `Press` takes it.
   */
  constructor(deps: FormsDeps = {}) {
    const { fontsDir = '', pictures, ...more } = deps
    if (fontsDir !== '') requireFolder(fontsDir)
    this.#press = new Press({ fontsDir, ...more })
    this.#pictures = new Pictures(pictures)
  }

  /** Rejects with `invalidRequest` for an unknown time zone, and for a PDF as `print` does. */
  async render(transcript: Transcript, { form, ...options }: RenderOptions): Promise<Rendering> {
    if (form === 'pdf') return this.print(transcript, options)
    const wording = wordingOf(transcript, options)
    const hash = await hashOf(transcript)
    const body = streamOf(this.#pieces(transcript, { form, wording, hash }))
    return { ...labelsOf(transcript, { form, wording, hash }), body }
  }
  /**
   * A PDF, of what was read or is still to be read: then it is read away from the chats, where the PDF is made.
   * Rejects with `invalidRequest` for an unknown time zone, as `Press.print` does, and as reading does.
   */
  async print(of: Transcript | TranscriptSource, options: Omit<RenderOptions, 'form'>): Promise<Rendering> {
    const facts = 'pages' in of ? factsOf(of.conversation) : of
    const wording = wordingOf(facts, options)
    const { language, timeZone } = wording
    const { hash, body } = await this.#press.print({ of, manner: { language, timeZone } }, this.#pictures)
    return { ...labelsOf(facts, { form: 'pdf', wording, hash }), body }
  }

  /** The JSON form, with whatever `show` makes of its lines. */
  async json(transcript: Transcript, show: (line: CanonicalLine) => object): Promise<Readable> {
    return streamOf(jsonOf(transcript, await hashOf(transcript), show))
  }

  close(): Promise<void> {
    return this.#press.close()
  }

  #pieces(
    transcript: Transcript,
    { form, wording, hash }: Look & { readonly form: Exclude<TranscriptForm, 'pdf'> },
  ): Iterable<string> | AsyncIterable<string> {
    switch (form) {
      case 'json':
        return jsonOf(transcript, hash)
      case 'txt':
        return asText(transcript, wording, hash)
      case 'csv':
        return asCsv(transcript, wording, hash)
      case 'html':
        return asHtml({ transcript, wording, hash, pictures: this.#pictures })
    }
  }
}

interface Look {
  readonly form: TranscriptForm
  readonly wording: Wording
  readonly hash: string
}
/** What a document is called and told apart by. */
type Facts = Pick<Transcript, 'conversationId' | 'startedAt' | 'language'>
const factsOf = ({ id, opening }: Conversation): Facts => ({
  ...{ conversationId: id, startedAt: opening.at, language: opening.language },
})
const wordingOf = (
  facts: Facts,
  { timeZone = 'UTC', language = facts.language }: Omit<RenderOptions, 'form'>,
): Wording => new Wording({ timeZone, language })
function labelsOf(facts: Facts, { form, wording, hash }: Look): Omit<Rendering, 'body'> {
  const variant = [EDITION, form, wording.language, wording.timeZone].join(' ')
  return {
    mediaType: MEDIA_TYPES[form],
    filename: filenameOf(facts, form),
    etag: `"${hash}-${createHash('sha256').update(variant).digest('hex').slice(0, 8)}"`,
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
      // A reader who takes all of it at once would have it all made in one turn.
      await nextTurn()
    }
    if (held !== '') yield Buffer.from(held)
  }
  return Readable.from(chunks(), { objectMode: false })
}

function filenameOf({ conversationId, startedAt }: Facts, form: TranscriptForm): string {
  const day = /^\d{4}-\d\d-\d\d/.exec(startedAt)?.[0] ?? 'undated'
  const id = conversationId.replace(/[^A-Za-z0-9]/g, '').slice(0, 8)
  return `conversation-${day}-${id}.${form}`
}
