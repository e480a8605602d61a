// Reads a mail as it went over the wire, by the letter of RFC 5322, 2045, 2046, 2047 and 2231.

export interface Part {
  /** Names in lower case, in order, unfolded and not decoded. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  readonly parts: readonly Part[]
}

export const headersOf = (part: Part, name: string): string[] =>
  part.headers.filter(([known]) => known === name).map(([, value]) => value)
export const headerOf = (part: Part, name: string): string => headersOf(part, name)[0] ?? ''
/** The words of a header, decoded. */
export const wordsOf = (part: Part, name: string): string => decodeWords(headerOf(part, name))

/** Every part without parts of its own. */
export const leavesOf = (part: Part): Part[] => (part.parts.length === 0 ? [part] : part.parts.flatMap(leavesOf))

export function parseMail(raw: Buffer): Part {
  const text = raw.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  const head = text.slice(0, end).replace(/\r\n(?=[ \t])/g, '')
  const headers = head.split('\r\n').map((line): [string, string] => {
    const colon = line.indexOf(':')
    if (colon < 1 || !/^[!-9;-~]+$/.test(line.slice(0, colon))) throw new Error(`Not a header: ${line}`)
    return [line.slice(0, colon).toLowerCase(), Buffer.from(line.slice(colon + 1).trim(), 'latin1').toString()]
  })
  const content = text.slice(end + 4)
  const bare = { headers, body: Buffer.alloc(0), parts: [] }
  const boundary = parameterOf(headerOf(bare, 'content-type'), 'boundary')
  if (boundary !== '') {
    const pieces = `\r\n${content}`.split(`\r\n--${boundary}`)
    if (!pieces.at(-1)?.startsWith('--')) throw new Error('The last boundary is missing')
    return { ...bare, parts: pieces.slice(1, -1).map((piece) => parseMail(Buffer.from(piece.slice(2), 'latin1'))) }
  }
  return { ...bare, body: decodeBody(content, headerOf(bare, 'content-transfer-encoding').toLowerCase()) }
}

/** RFC 2231: plain, with a character set, and in pieces. */
export function parameterOf(value: string, name: string): string {
  const pieces = [...value.matchAll(/;\s*([a-z0-9-]+)((?:\*\d+)?)(\*?)=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/gi)]
    .filter(([, known]) => known?.toLowerCase() === name)
    .map(([, , number = '', encoded, quoted, bare = '']) => ({
      at: Number(number.slice(1) || 0),
      text: encoded ? bare.replace(/^[\w-]*'[\w-]*'/, '') : (quoted?.replace(/\\(.)/g, '$1') ?? bare),
      encoded: encoded === '*',
    }))
    .sort((a, b) => a.at - b.at)
  return pieces.map(({ text, encoded }) => (encoded ? decodeURIComponent(text) : text)).join('')
}

function decodeBody(text: string, encoding: string): Buffer {
  if (encoding === 'base64') return Buffer.from(text, 'base64')
  if (encoding === 'quoted-printable') return decodeHex(text.replace(/=\r\n/g, ''), '=')
  return Buffer.from(text, 'latin1')
}

function decodeHex(text: string, mark: string): Buffer {
  const bytes = text.replaceAll(new RegExp(`${mark}([0-9A-F]{2})`, 'g'), (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return Buffer.from(bytes, 'latin1')
}

function decodeWords(value: string): string {
  const joined = value.replace(/\?=\s+=\?/g, '?==?')
  return joined.replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind: string, text: string) =>
    (kind.toLowerCase() === 'b' ? Buffer.from(text, 'base64') : decodeHex(text.replaceAll('_', ' '), '=')).toString(),
  )
}
