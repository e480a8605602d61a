// The canonical JSON of a transcript, and the hash that every document of it carries.
import { createHash } from 'node:crypto'
import { isSaid, type Line, type StaffEntry, type Transcript, type Whisper } from './transcript'

/** Spelled out key by key, so that the same conversation is the same text wherever it was read. */
export function canonicalOf(transcript: Transcript) {
  const { conversationId, channel, account, subject, language, startedAt, endedAt, audience } = transcript
  const head = { conversationId, channel, account, subject, language, startedAt, endedAt, audience }
  const entries: readonly StaffEntry[] = transcript.entries
  return {
    ...head,
    people: transcript.people.map(({ name, role }) => ({ name, role })),
    lines: entries.filter(isSaid).map(lineOf),
    events: entries
      .filter((entry) => !isSaid(entry))
      .map(({ kind, seq, at, from, ...more }) => ({
        seq,
        at,
        kind,
        from: { name: from.name, role: from.role },
        ...('reason' in more ? { reason: more.reason } : {}),
      })),
  }
}
function lineOf({ kind, seq, at, from, text, attachments, state }: Line | Whisper) {
  const line = { seq, at, from: { name: from.name, role: from.role }, text, attachments, state }
  return kind === 'whisper' ? { ...line, whisper: true } : line
}

/** SHA-256 of the canonical JSON, in hex: the same for every form, language and time zone. */
export const hashOf = (transcript: Transcript): string =>
  createHash('sha256')
    .update(JSON.stringify(canonicalOf(transcript)))
    .digest('hex')

/** The JSON form: the canonical one with its hash behind it. Without `hash`, its compact text has that hash. */
export const asJson = (transcript: Transcript, hash: string) => ({ ...canonicalOf(transcript), hash: `sha256:${hash}` })
