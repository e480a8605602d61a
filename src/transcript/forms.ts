// A transcript as plain text, as a table and as a page. Pure.
import { isStored } from '../model/content'
import type { Line, Transcript } from './transcripts'

const clock = (at: string): string => at.replace('T', ' ').slice(0, 19)
/** Whatever a reader's screen takes for the end of a line: nobody writes a line of their own into the transcript. */
const BREAK = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/
/** What makes a spreadsheet run a cell, in wide letters too. */
const FORMULA = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/
const links = ({ attachments }: Line): string[] =>
  attachments.map((attachment) => {
    const { name } = attachment
    const link = isStored(attachment) || attachment.contentUrl.startsWith('data:') ? '' : attachment.contentUrl
    return `[${name || 'attachment'}] ${link}`.trim()
  })

const linesOf = (line: Line): string[] =>
  [line.text, ...links(line)].filter(Boolean).flatMap((text) => text.split(BREAK))

export function asText({ conversation, lines }: Transcript): string {
  const head = `Conversation of ${clock(conversation.opening.at)} (UTC)`
  const body = lines.map((line) => {
    const said = linesOf(line).join('\n    ')
    return `${clock(line.at)}  ${line.from.name}: ${said}`
  })
  return `${[head, '', ...body].join('\n')}\n`
}

/** RFC 4180. A leading apostrophe keeps a spreadsheet from running what a customer wrote. */
export function asCsv({ lines }: Transcript): string {
  const cell = (text: string) => `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
  const rows = lines.map((line) => [String(line.seq), line.at, line.from.name, line.text, links(line).join(' ')])
  return [['seq', 'at', 'from', 'text', 'attachments'], ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('')
}

export function asHtml({ conversation, lines }: Transcript): string {
  const rows = lines.map(
    (line) =>
      `<li><p><strong>${escapeHtml(line.from.name)}</strong> <time datetime="${line.at}">${clock(line.at)}</time></p>` +
      `<p>${linesOf(line).map(escapeHtml).join('<br>')}</p></li>`,
  )
  return (
    `<!doctype html><html lang="${escapeHtml(conversation.opening.language)}"><meta charset="utf-8">` +
    `<title>Conversation of ${clock(conversation.opening.at)}</title>` +
    `<h1>Conversation of ${clock(conversation.opening.at)} (UTC)</h1><ol>${rows.join('')}</ol></html>\n`
  )
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
