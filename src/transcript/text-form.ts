// A transcript as plain text.
import { factsOf } from './head-facts'
import { detailsOf, linesOf, nameOf, onOneLine, stateOf, webLink } from './plain'
import { isSaid, type Line, type StaffEntry, type Transcript, type Whisper } from './transcript'
import type { Wording } from './wording'

/** In pieces, so that a long one is never one string. */
export function* asText(transcript: Transcript, wording: Wording, hash: string): Generator<string> {
  const { labels } = wording
  yield `${labels.title} ${wording.clock(transcript.startedAt)} (${wording.timeZone})\n`
  if (transcript.audience === 'staff') yield `${labels.staffForm}\n`
  for (const { label, value } of factsOf(transcript, wording)) yield `${label}: ${value}\n`
  yield '\n'
  for (const entry of transcript.entries) yield entryOf(entry, wording)
  yield `\n${labels.contentHash}: sha256:${hash}\n`
}

function entryOf(entry: StaffEntry, wording: Wording): string {
  const clock = wording.clock(entry.at)
  const name = onOneLine(entry.from.name)
  if (!isSaid(entry)) {
    const [before, after] = wording.sentence(entry)
    return `${clock}  * ${after === null ? before : `${before}${name}${after}`}\n`
  }
  const mark = entry.kind === 'whisper' ? ` [${wording.labels.whisper}]` : ''
  const state = stateOf(entry, wording)
  const lines = [...saidIn(entry, wording), ...(state === '' ? [] : [`(${state})`])]
  return `${clock}  ${name}${mark}: ${lines.join('\n    ')}\n`
}

function saidIn({ text, attachments }: Line | Whisper, wording: Wording): string[] {
  const files = attachments.map((attachment) => {
    const details = detailsOf(attachment, wording)
    return `[${nameOf(attachment, wording)}] ${webLink(attachment.contentUrl)} ${details && `(${details})`}`
      .replace(/ +/g, ' ')
      .trim()
  })
  return [...(text === '' ? [] : linesOf(text)), ...files]
}
