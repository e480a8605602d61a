// A transcript as a page that stands alone: no script, nothing fetched, nothing that anybody said becomes markup.
import { createHash } from 'node:crypto'
import { factsOf } from './head-facts'
import { HTML_STYLE } from './html-style'
import { detailsOf, linesOf, nameOf, spansOf, stateOf, webLink } from './plain'
import type { Pictures } from './pictures'
import {
  isSaid,
  type Line,
  type StaffEntry,
  type Transcript,
  type TranscriptAttachment,
  type Whisper,
} from './transcript'
import { languageTag, type Wording } from './wording'

/** The page forbids itself whatever it does not need, wherever it is opened. */
const POLICY =
  `default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; ` +
  `style-src 'sha256-${createHash('sha256').update(HTML_STYLE).digest('base64')}'`

interface Page {
  readonly transcript: Transcript
  readonly wording: Wording
  readonly hash: string
  readonly pictures: Pictures
}

export async function* asHtml(page: Page): AsyncGenerator<string> {
  const { transcript, wording, hash } = page
  const { labels } = wording
  const title = `${labels.title} ${wording.clock(transcript.startedAt)}`
  yield (
    `<!doctype html>\n<html lang="${escapeHtml(wording.spoken)}" dir="${wording.direction}">\n<head>\n` +
    `<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="${escapeHtml(POLICY)}">\n` +
    `<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n` +
    `<title>${escapeHtml(title)}</title>\n<style>${HTML_STYLE}</style>\n</head>\n<body>\n<main>\n` +
    `<header>\n<h1>${escapeHtml(labels.title)}</h1>\n${transcript.audience === 'staff' ? `<p class="mark">${escapeHtml(labels.staffForm)}</p>\n` : ''}<dl>\n`
  )
  for (const { label, value, items = [value] } of factsOf(transcript, wording))
    yield `<div><dt>${escapeHtml(label)}</dt>${items.map((item) => `<dd dir="auto">${escapeHtml(item)}</dd>`).join('')}</div>\n`
  yield `</dl>\n</header>\n<h2 class="aside">${escapeHtml(labels.messages)}</h2>\n`
  yield* entriesOf(page)
  yield `<footer><p>${escapeHtml(labels.contentHash)}: <code>sha256:${hash}</code></p></footer>\n</main>\n</body>\n</html>\n`
}

async function* entriesOf({ transcript, wording, pictures }: Page): AsyncGenerator<string> {
  const { language } = transcript
  let day = ''
  for (const entry of transcript.entries) {
    const today = wording.day(entry.at)
    if (today !== day) yield `${day === '' ? '' : '</ol>\n'}<h3>${escapeHtml(today)}</h3>\n<ol>\n`
    day = today
    yield isSaid(entry) ? await messageOf(entry, { wording, pictures, language }) : moveOf(entry, wording)
  }
  if (day !== '') yield '</ol>\n'
}

function moveOf(entry: Exclude<StaffEntry, Line | Whisper>, wording: Wording): string {
  const [before, after] = wording.sentence(entry)
  const name = after === null ? '' : `<bdi>${escapeHtml(entry.from.name)}</bdi>${escapeHtml(after)}`
  const internal = entry.kind === 'observerJoined' || entry.kind === 'observerLeft'
  return `<li class="move${internal ? ' internal' : ''}"><p>${escapeHtml(before)}${name} · ${timeOf(entry, wording)}</p></li>\n`
}

async function messageOf(
  entry: Line | Whisper,
  { wording, pictures, language }: { wording: Wording; pictures: Pictures; language: string },
): Promise<string> {
  const { labels } = wording
  const side = entry.kind === 'whisper' ? 'whisper' : entry.from.role === 'customer' ? 'customer' : 'staff'
  const mark = entry.kind === 'whisper' ? `<span class="mark">${escapeHtml(labels.whisper)}</span> ` : ''
  const state = stateOf(entry, wording)
  const files: string[] = []
  for (const attachment of entry.attachments) files.push(await fileOf(attachment, wording, pictures))
  const said =
    entry.text === ''
      ? ''
      : `<div class="text" lang="${escapeHtml(languageTag(language))}">${paragraphs(entry.text)}</div>`
  return (
    `<li class="${side}"><p class="who"><strong><bdi>${escapeHtml(entry.from.name)}</bdi></strong> ` +
    `<span>${escapeHtml(labels[entry.from.role])}</span> ${mark}${timeOf(entry, wording)}</p>` +
    `${said}${files.join('')}${state === '' ? '' : `<p class="state">${escapeHtml(state)}</p>`}</li>\n`
  )
}
const timeOf = ({ at }: StaffEntry, wording: Wording): string =>
  `<time datetime="${escapeHtml(at)}">${escapeHtml(wording.time(at))}</time>`

const paragraphs = (text: string): string =>
  linesOf(text)
    .map((line) => `<p dir="auto">${line === '' ? '<br>' : spansOf(line).map(spanOf).join('')}</p>`)
    .join('')
const spanOf = ({ text, link }: { text: string; link: string }): string =>
  link === '' ? escapeHtml(text) : anchorOf(escapeHtml(text), link)
const anchorOf = (shown: string, link: string): string =>
  link === '' ? shown : `<a href="${escapeHtml(link)}" rel="noopener noreferrer nofollow">${shown}</a>`

async function fileOf(attachment: TranscriptAttachment, wording: Wording, pictures: Pictures): Promise<string> {
  const name = escapeHtml(nameOf(attachment, wording))
  const picture = await pictures.of(attachment)
  const shown = picture
    ? `<img src="data:image/jpeg;base64,${Buffer.from(picture.jpeg).toString('base64')}" width="${picture.width}" height="${picture.height}" alt="">`
    : ''
  const details = escapeHtml(detailsOf(attachment, wording))
  return (
    `<div class="file">${shown}<p>${anchorOf(`<bdi>${name}</bdi>`, webLink(attachment.contentUrl))} ` +
    `${details === '' ? '' : `<span>${details}</span>`}</p></div>`
  )
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  // HTML has no shape for NUL: a parser would put another character there, or nothing.
  '\0': '\uFFFD',
}
const escapeHtml = (text: string): string => text.replace(/[&<>"'\0]/g, (character) => ENTITIES[character] ?? '')
