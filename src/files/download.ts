// What an answer with a file looks like: which part of it, under which headers, so that nothing in it is ever run. Pure.
import { isDisplayable } from './kind'
import type { ByteRange } from './vault'

/** A file, or its small picture, as it is about to be sent. */
export interface Sendable {
  readonly mediaType: string
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** A strong validator without quotes: the digest of just these bytes, or a text that stands for them. */
  readonly tag: string
}
/** Of the request, in lower case, as Node gives them. */
export interface Conditions {
  readonly range?: string | undefined
  readonly 'if-range'?: string | undefined
  readonly 'if-none-match'?: string | string[] | undefined
}
export interface FileAnswer {
  readonly status: 200 | 206 | 304 | 416
  readonly headers: Readonly<Record<string, string>>
  /** What of the file is sent as the body: all of it, a part, or nothing. */
  readonly body: 'all' | ByteRange | null
}

/** RFC 9110: one range, `If-Range` and `If-None-Match` by the tag, and `HEAD`, which has no body and heeds no range. */
export function answerFor(file: Sendable, method: 'GET' | 'HEAD', conditions: Conditions): FileAnswer {
  const tag = `"${file.tag}"`
  const headers = headersOf(file, tag)
  if (isKnown(conditions['if-none-match'], tag)) return { status: 304, headers, body: null }
  const whole = { ...headers, 'Content-Length': String(file.size) }
  if (method === 'HEAD') return { status: 200, headers: whole, body: null }
  const isSame = conditions['if-range'] === undefined || conditions['if-range'].trim() === tag
  const range = isSame ? parseRange(conditions.range, file.size) : null
  if (range === 'beyond') {
    const refused = { ...headers, 'Content-Range': `bytes */${file.size}`, 'Content-Length': '0' }
    return { status: 416, headers: refused, body: null }
  }
  if (!range) return { status: 200, headers: whole, body: 'all' }
  const part = {
    'Content-Range': `bytes ${range.start}-${range.end}/${file.size}`,
    'Content-Length': String(range.end - range.start + 1),
  }
  return { status: 206, headers: { ...headers, ...part }, body: range }
}

function headersOf({ mediaType, name }: Sendable, tag: string): Record<string, string> {
  const isShown = isDisplayable(mediaType)
  return {
    'Content-Type': /^text\/[^;]*$/.test(mediaType) ? `${mediaType}; charset=utf-8` : mediaType,
    'Content-Disposition': disposition(isShown ? 'inline' : 'attachment', name),
    'Content-Security-Policy': "sandbox; default-src 'none'",
    'X-Content-Type-Options': 'nosniff',
    // A conversation can be erased: no copy stays in a browser that others use after.
    'Cache-Control': 'private, no-store',
    // Pages of other origins, into which a chat is built, show pictures and nothing else.
    'Cross-Origin-Resource-Policy': isShown ? 'cross-origin' : 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'Accept-Ranges': 'bytes',
    ETag: tag,
  }
}

/** RFC 6266 with the name of RFC 8187 behind one that everybody reads. */
function disposition(how: 'inline' | 'attachment', name: string): string {
  const plain = name.replace(/[^ !#$&+\-.0-9A-Z^_`a-z{}~()[\],;@']/g, '_')
  const whole = encodeURIComponent(name.replace(/\p{Surrogate}/gu, '\uFFFD')).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${how}; filename="${plain}"; filename*=UTF-8''${whole}`
}

function isKnown(given: string | string[] | undefined, tag: string): boolean {
  const tags = [given ?? []].flat().join(',').slice(0, 4_096).split(',')
  return tags.some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === tag)
}

/** Null: there is none, or one that need not be heeded (several, another unit, no range at all). */
function parseRange(text: string | undefined, size: number): ByteRange | 'beyond' | null {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(text?.trim() ?? '')
  if (!found) return null
  const [first = '', last = ''] = found.slice(1)
  return first === '' ? lastBytes(last, size) : bytesFrom(Number(first), last, size)
}
function lastBytes(count: string, size: number): ByteRange | 'beyond' | null {
  if (count === '') return null
  return Number(count) === 0 ? 'beyond' : { start: Math.max(0, size - Number(count)), end: size - 1 }
}
function bytesFrom(start: number, last: string, size: number): ByteRange | 'beyond' | null {
  const end = last === '' ? Infinity : Number(last)
  if (end < start) return null
  return start >= size ? 'beyond' : { start, end: Math.min(end, size - 1) }
}
