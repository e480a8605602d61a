// A transcript as a table.
import { nameOf, onOneLine, stateOf, webLink } from './plain'
import { isSaid, type StaffEntry, type Transcript } from './transcript'
import type { Wording } from './wording'

/** What makes a spreadsheet run a cell, in wide letters too, behind blanks too. */
const FORMULA = /^\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/
const COLUMNS = ['seq', 'at', 'from', 'text', 'attachments', 'role', 'kind', 'state', 'time']

/** RFC 4180. A leading apostrophe keeps a spreadsheet from running what a customer wrote. */
export function* asCsv(transcript: Transcript, wording: Wording, hash: string): Generator<string> {
  yield rowOf(COLUMNS)
  for (const entry of transcript.entries) yield rowOf(cellsOf(entry, wording))
  yield rowOf(['', '', '', `sha256:${hash}`, '', '', 'hash', '', ''])
}

function cellsOf(entry: StaffEntry, wording: Wording): string[] {
  const { seq, at, from, kind } = entry
  const [text, files] = isSaid(entry) ? [entry.text, filesOf(entry, wording)] : ['', '']
  return [String(seq), at, from.name, text, files, from.role, kind, stateOf(entry, wording), wording.clock(at)]
}
const filesOf = ({ attachments }: Extract<StaffEntry, { text: string }>, wording: Wording): string =>
  attachments.map((one) => `[${nameOf(one, wording)}] ${onOneLine(webLink(one.contentUrl))}`.trim()).join(' ')

const rowOf = (cells: readonly string[]): string => `${cells.map(cellOf).join(',')}\r\n`
const cellOf = (text: string): string => `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
