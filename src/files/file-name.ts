// A file's name as it may be shown and saved, whatever its sender wrote.
const MAX_BYTES = 255
/** Kept when a name is cut. */
const MAX_ENDING = 16

/** Control characters, and those that turn the direction of writing or cannot be seen: `gpj.exe` must not look like `exe.jpg`. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu
/** What file systems and shells read as something else. */
const SPECIAL = /["*:<>?|]/g
/** What Windows takes for a device, with any ending. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i

/**
 * The last part of a path, without what cannot be seen or is read as something else, at most 255 bytes of UTF-8 with
 * `room` of them free; `file` when nothing is left.
 */
export function fileName(given: string | undefined, room = 0): string {
  // Far longer than any that is kept: what comes behind is not looked at.
  const last = (given ?? '').slice(-1_024).normalize('NFC').split(/[/\\]/).at(-1) ?? ''
  const clean = last
    .replace(UNSEEN, '')
    .replace(SPECIAL, '_')
    .replace(/\s+/g, ' ')
    .replace(/^[. ]+|[. ]+$/g, '')
  const safe = DEVICE.test(clean) ? `_${clean}` : clean
  return shortened(safe, MAX_BYTES - room) || 'file'
}

function shortened(name: string, bytes: number): string {
  if (Buffer.byteLength(name) <= bytes) return name
  const dot = name.lastIndexOf('.')
  const ending = dot > 0 && Buffer.byteLength(name.slice(dot)) <= MAX_ENDING ? name.slice(dot) : ''
  return `${cut(name.slice(0, name.length - ending.length), bytes - Buffer.byteLength(ending))}${ending}`
}
/** Whole characters only. */
function cut(text: string, bytes: number): string {
  let kept = ''
  let size = 0
  for (const character of text) {
    size += Buffer.byteLength(character)
    if (size > bytes) break
    kept += character
  }
  return kept.trimEnd()
}
