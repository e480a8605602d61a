// What all documents do with words that somebody else chose.
import { isSaid, type StaffEntry, type TranscriptAttachment } from './transcript'
import type { Wording } from './wording'

/** Whatever a reader's screen takes for the end of a line: nobody writes a line of their own into a document. */
const BREAK = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/
export const linesOf = (text: string): string[] => text.split(BREAK)
/** For what must stay on one line, such as a name. */
export const onOneLine = (text: string): string => linesOf(text).join(' ').trim()

/** The address of a link that a document may open: `http:` or `https:`, else empty. Never throws. */
export function webLink(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return ''
  return url.href
}

export interface TextSpan {
  readonly text: string
  /** Empty where it is no link. */
  readonly link: string
}
const ADDRESS = /https?:\/\/[^\s<>"'\u2066-\u2069\u202a-\u202e]{1,2000}/giu
/** What ends a sentence rather than an address. */
const TRAILING = '.,;:!?)]}。，！？）」』'

/** From its end: a pattern would try each of a thousand full stops for the first of the last. */
function untrailed(address: string): string {
  let end = address.length
  while (end > 0 && TRAILING.includes(address.charAt(end - 1))) end--
  return address.slice(0, end)
}

/** Cuts a text into words and web addresses. */
export function spansOf(text: string): TextSpan[] {
  const spans: TextSpan[] = []
  let from = 0
  for (const match of text.matchAll(ADDRESS)) {
    const shown = untrailed(match[0])
    const link = webLink(shown)
    if (link === '') continue
    if (match.index > from) spans.push({ text: text.slice(from, match.index), link: '' })
    spans.push({ text: shown, link })
    from = match.index + shown.length
  }
  if (from < text.length) spans.push({ text: text.slice(from), link: '' })
  return spans
}

/** What stands about an attachment in words: `image/png, 12 kB`. */
export const detailsOf = ({ type, size }: TranscriptAttachment, wording: Wording): string =>
  [onOneLine(type), size === undefined ? '' : wording.size(size)].filter(Boolean).join(', ')
export const nameOf = ({ name }: TranscriptAttachment, { labels }: Wording): string =>
  onOneLine(name) || labels.attachment
export const stateOf = (entry: StaffEntry, { labels }: Wording): string =>
  isSaid(entry) && entry.state ? labels[entry.state] : ''
