// A transcript as a PDF.
import { factsOf } from './head-facts'
import type { Typesetter } from './paragraph'
import { openDocument, type PdfDocument } from './pdf-document'
import type { Colour } from './pdf-ink'
import { GAP, GREY, INK, pictureRow, rowOf, rowsOf, type Align, type Part, type Row, type RowStyle } from './pdf-rows'
import { INNER, Sheet } from './pdf-sheet'
import type { Picture } from './pictures'
import { detailsOf, linesOf, nameOf, onOneLine, stateOf, webLink } from './plain'
import {
  isSaid,
  type Line,
  type StaffEntry,
  type Transcript,
  type TranscriptAttachment,
  type Whisper,
} from './transcript'
import { languageTag, type Wording } from './wording'

export interface PdfJob {
  readonly transcript: Transcript
  readonly wording: Wording
  readonly hash: string
  readonly typesetter: Typesetter
  readonly pictureOf: (attachment: TranscriptAttachment) => Promise<Picture | null>
  /** Told of each piece of the file, in order. */
  readonly write: (chunk: Uint8Array) => void
  /** Awaited between two entries: whoever reads may be slower. */
  readonly ready: () => Promise<void>
}

const MARK: Colour = [0.42, 0.29, 0]
const TEXT = 10.5
const SMALL = 8.5
const PADDING = 9
/** The widest that the words of a message may be. */
const MESSAGE = 0.78 * INNER - 2 * PADDING
const LABELS = 108
const PAPERS = {
  customer: { fill: [0.875, 0.925, 0.995], border: [0.72, 0.82, 0.98], dashed: false },
  staff: { fill: [0.96, 0.965, 0.975], border: [0.87, 0.885, 0.91], dashed: false },
  whisper: { fill: [1, 0.96, 0.85], border: [0.66, 0.47, 0.04], dashed: true },
} as const

/** Resolves when the last piece was handed over. The same job is the same bytes. */
export async function writePdf(job: PdfJob): Promise<void> {
  const { transcript, wording, hash } = job
  const { startedAt, endedAt, subject, entries } = transcript
  const document = openDocument({
    title: `${wording.labels.title} ${wording.clock(startedAt)}`,
    subject: onOneLine(subject),
    language: wording.spoken,
    createdAt: new Date(endedAt ?? entries.at(-1)?.at ?? startedAt),
  })
  const written = drain(document, job.write)
  const form = new PdfForm(job, document)
  form.head()
  let day = ''
  for (const entry of entries) {
    const today = wording.day(entry.at)
    if (today !== day) form.day(today)
    day = today
    if (isSaid(entry)) await form.message(entry)
    else form.move(entry)
    await job.ready()
  }
  form.foot(`${wording.labels.contentHash}: sha256:${hash}`)
  await written
}

function drain(document: PdfDocument, write: (chunk: Uint8Array) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    document.on('data', write)
    document.on('end', resolve)
    document.on('error', reject)
  })
}

class PdfForm {
  readonly #job: PdfJob
  readonly #sheet: Sheet

  constructor(job: PdfJob, document: PdfDocument) {
    const { typesetter, wording, transcript } = job
    this.#job = job
    const name = transcript.conversationId
    this.#sheet = new Sheet({ document, typesetter, name, direction: wording.direction })
  }

  head(): void {
    const { transcript, wording } = this.#job
    const { title, staffForm } = wording.labels
    this.#sheet.outline(title)
    this.#full([this.#label(title, { tag: 'H1' }, { size: 22, weight: 700, colour: INK })], 8)
    if (transcript.audience === 'staff')
      this.#full([this.#label(staffForm, { tag: 'P' }, { size: 10, weight: 700, colour: MARK })], 4)
    for (const { label, value, items = [value] } of factsOf(transcript, wording)) this.#fact(label, items)
    this.#sheet.skip(8)
    this.#sheet.rule()
    this.#sheet.skip(6)
  }
  day(text: string): void {
    this.#sheet.need(90)
    this.#sheet.skip(8)
    this.#sheet.outline(text)
    const style = { size: 9.5, weight: 700, colour: INK, align: 'centre' } as const
    this.#full([this.#label(text, { tag: 'H2' }, style)], 8)
  }
  move(entry: Exclude<StaffEntry, Line | Whisper>): void {
    const { wording } = this.#job
    const [before, after] = wording.sentence(entry)
    // Isolated: a name in another direction does not turn the sentence around.
    const name = after === null ? '' : `${isolated(onOneLine(entry.from.name))}${after}`
    const text = `${before}${name} · ${isolated(wording.time(entry.at))}`
    const { direction } = wording
    this.#full(
      this.#rows(text, { tag: 'P' }, { size: SMALL, colour: GREY, align: 'centre', direction, width: INNER }),
      7,
    )
  }
  async message(entry: Line | Whisper): Promise<void> {
    const { wording, transcript } = this.#job
    const paper = entry.kind === 'whisper' ? 'whisper' : entry.from.role === 'customer' ? 'customer' : 'staff'
    const rows = this.#who(entry)
    const language = languageTag(transcript.language)
    for (const text of entry.text === '' ? [] : linesOf(entry.text))
      rows.push(...this.#rows(text, { tag: 'P', language }, { size: TEXT, width: MESSAGE, link: 'within' }))
    for (const attachment of entry.attachments) rows.push(...(await this.#file(attachment)))
    const state = stateOf(entry, wording)
    if (state !== '') rows.push(this.#label(state, { tag: 'P' }, { size: SMALL, align: 'end' }))
    const side = paper === 'customer' ? 'right' : 'left'
    this.#sheet.put({ rows, side, paper: PAPERS[paper], padding: PADDING, space: 9 })
  }
  foot(text: string): void {
    const { direction } = this.#job.wording
    this.#sheet.skip(6)
    this.#sheet.need(40)
    this.#sheet.rule()
    this.#sheet.skip(6)
    this.#full(this.#rows(text, { tag: 'P' }, { size: 8, colour: GREY, direction, width: INNER }), 0)
    this.#sheet.end()
  }

  /** Who said it, as what and when; a name that is too long for that has rows of its own. */
  #who(entry: Line | Whisper): Row[] {
    const { wording } = this.#job
    const part: Part = { tag: 'P' }
    const names = this.#rows(onOneLine(entry.from.name), part, { size: 9.5, weight: 700, width: MESSAGE })
    const when = `${wording.labels[entry.from.role]} · ${isolated(wording.time(entry.at))}`
    const meta = this.#label(when, part, { size: SMALL })
    const style = { size: SMALL, weight: 700, colour: MARK } as const
    const mark = entry.kind === 'whisper' ? [this.#label(wording.labels.whisper, { tag: 'P' }, style)] : []
    const [name] = names
    const fits = names.length === 1 && name !== undefined && name.width + GAP + meta.width <= MESSAGE
    return fits ? [...mark, beside(name, meta)] : [...mark, ...names, meta]
  }
  async #file(attachment: TranscriptAttachment): Promise<Row[]> {
    const { wording, pictureOf } = this.#job
    const picture = await pictureOf(attachment)
    const name = nameOf(attachment, wording)
    const details = detailsOf(attachment, wording)
    const link = { to: webLink(attachment.contentUrl) }
    const style = { size: TEXT - 0.5, weight: 700, width: MESSAGE, link } as const
    return [
      ...(picture ? [pictureRow(picture, name)] : []),
      ...this.#rows(name, { tag: 'P' }, style),
      ...(details === '' ? [] : this.#rows(details, { tag: 'P' }, { size: SMALL, colour: GREY, width: MESSAGE })),
    ]
  }
  #fact(label: string, items: readonly string[]): void {
    const part: Part = { tag: 'P' }
    const rows = items.flatMap((item) => this.#rows(item, part, { size: 10, width: INNER - LABELS - GAP }))
    const labelled = rows.map((row, i) => beside(this.#label(i === 0 ? label : '', part, { size: 10 }), row, LABELS))
    this.#full(labelled, 1)
  }

  #full(rows: readonly Row[], space: number): void {
    this.#sheet.put({ rows, side: 'full', padding: 0, space })
  }
  /** Words of ours, on one row. */
  #label(text: string, part: Part, style: { size: number; weight?: 400 | 700; colour?: Colour; align?: Align }): Row {
    const { direction } = this.#job.wording
    const [row] = this.#rows(text, part, { colour: GREY, ...style, direction, width: INNER })
    if (!row) throw new Error('Every text has a row')
    return row
  }
  #rows(text: string, part: Part, style: RowStyle): Row[] {
    const { typesetter, transcript } = this.#job
    return rowsOf(text, part, style, { typesetter, language: transcript.language })
  }
}

/** Its direction is its own. */
const isolated = (text: string): string => `\u2068${text}\u2069`

function beside(first: Row, second: Row, column?: number): Row {
  if (first.kind !== 'words' || second.kind !== 'words') return second
  const words = column === undefined ? first.words : first.words.map((one) => ({ ...one, column }))
  return rowOf([...words, ...second.words], first.part, 'start')
}
