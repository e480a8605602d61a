// The canonical JSON of a transcript, and the hash that every document of it carries.
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isSaid, type Line, type StaffEntry, type Transcript, type Whisper } from './transcript'

/** Lines or events that are spelled out at once: a long conversation must not hold up the chats beside it. */
const PIECE = 10

/** Spelled out key by key, so that the same conversation is the same text wherever it was read. */
function headOf({ conversationId, channel, account, subject, language, startedAt, ...more }: Transcript) {
  const people = more.people.map(({ name, role }) => ({ name, role }))
  const { endedAt, audience } = more
  return { conversationId, channel, account, subject, language, startedAt, endedAt, audience, people }
}
function lineOf({ kind, seq, at, from, text, attachments, state }: Line | Whisper) {
  const line = { seq, at, from: { name: from.name, role: from.role }, text, attachments, state }
  return kind === 'whisper' ? { ...line, whisper: true } : line
}
function eventOf({ kind, seq, at, from, ...more }: Exclude<StaffEntry, Line | Whisper>) {
  const reason = 'reason' in more ? { reason: more.reason } : {}
  return { seq, at, kind, from: { name: from.name, role: from.role }, ...reason }
}
export type CanonicalLine = ReturnType<typeof lineOf>

/** All of it but the brace at its end, without white space, in pieces. `show`: what a line becomes. */
function* openJson(transcript: Transcript, show: (line: CanonicalLine) => object): Generator<string> {
  const entries: readonly StaffEntry[] = transcript.entries
  yield JSON.stringify(headOf(transcript)).slice(0, -1)
  yield ',"lines":['
  yield* listOf(entries.filter(isSaid), (line) => show(lineOf(line)))
  yield '],"events":['
  const isEvent = (entry: StaffEntry): entry is Exclude<StaffEntry, Line | Whisper> => !isSaid(entry)
  yield* listOf(entries.filter(isEvent), eventOf)
  yield ']'
}
function* listOf<E>(entries: readonly E[], show: (entry: E) => object): Generator<string> {
  for (let at = 0; at < entries.length; at += PIECE) {
    const piece = entries.slice(at, at + PIECE).map((entry) => JSON.stringify(show(entry)))
    yield `${at === 0 ? '' : ','}${piece.join(',')}`
  }
}
const asIs = (line: CanonicalLine): CanonicalLine => line

/** SHA-256 of the canonical JSON, in hex: the same for every form, language and time zone. */
export async function hashOf(transcript: Transcript): Promise<string> {
  const hash = createHash('sha256')
  for (const piece of openJson(transcript, asIs)) {
    hash.update(piece)
    await nextTurn()
  }
  return hash.update('}').digest('hex')
}

/** The JSON form: the canonical one with its hash behind it. Without `hash`, its text has that hash, unless `show` changes its lines. */
export function* jsonOf(
  transcript: Transcript,
  hash: string,
  show = asIs as (line: CanonicalLine) => object,
): Generator<string> {
  yield* openJson(transcript, show)
  yield `,"hash":"sha256:${hash}"}`
}
