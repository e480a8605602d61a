// HTTP as it is written on the wire: whatever bytes a case brings, and the answers that come back, in order.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface HttpAnswer {
  readonly status: number
  readonly headers: string
  readonly body: string
}
interface How {
  /** We say no more behind it. */
  readonly isCut: boolean
  /** The next request comes on a new connection. */
  readonly isLast: boolean
  /** The answer has no body, whatever its headers say. */
  readonly headless: boolean
}
const ANSWERS_WITHIN = 15_000
const LATE = new Error('late')

/** One keep-alive connection, one request at a time. */
export class RawHttp {
  #socket: Socket | null = null
  #data: Buffer = Buffer.alloc(0)
  #wake: (() => void) | null = null
  readonly #url: URL

  constructor(url: string) {
    this.#url = new URL(url)
  }

  /** Writes the bytes and reads one answer; null when the connection closed without one. */
  async ask(bytes: Buffer | string, how: Partial<How> = {}): Promise<HttpAnswer | null> {
    const { isCut, isLast, headless } = { isCut: false, isLast: false, headless: false, ...how }
    const socket = await this.#connected()
    if (isCut) socket.end(bytes)
    else socket.write(bytes)
    const late = setTimeout(() => socket.destroy(LATE), ANSWERS_WITHIN)
    try {
      const answer = await this.#answer(socket, headless)
      // Bytes that nobody asked for, or an end: the next request begins anew.
      if (isCut || isLast || isFinal(answer) || this.#data.length > 0) this.close()
      if (socket.errored === LATE) throw new Error(`No answer within ${ANSWERS_WITHIN} ms to ${said(bytes)}`)
      return answer
    } finally {
      clearTimeout(late)
    }
  }
  close(): void {
    this.#socket?.destroy()
    this.#socket = null
    this.#data = Buffer.alloc(0)
  }

  async #connected(): Promise<Socket> {
    if (this.#socket && !this.#socket.destroyed && !this.#socket.readableEnded) return this.#socket
    const socket = connect({ host: this.#url.hostname, port: Number(this.#url.port), noDelay: true })
    this.#socket = socket
    this.#data = Buffer.alloc(0)
    const wake = () => this.#wake?.()
    socket.on('error', () => undefined)
    socket.on('close', wake)
    socket.on('end', wake)
    socket.on('data', (chunk) => {
      this.#data = this.#data.length > 0 ? Buffer.concat([this.#data, chunk]) : chunk
      wake()
    })
    await once(socket, 'connect')
    return socket
  }
  async #answer(socket: Socket, headless: boolean): Promise<HttpAnswer | null> {
    for (;;) {
      const parsed = parse(this.#data, headless)
      if (parsed) {
        this.#data = this.#data.subarray(parsed.size)
        if (parsed.answer.status >= 200 || parsed.answer.status === 101) return parsed.answer
        continue
      }
      if (socket.destroyed || socket.readableEnded) return null
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

const isFinal = (answer: HttpAnswer | null): boolean => !answer || /^connection: close/im.test(answer.headers)
const said = (bytes: Buffer | string): string => bytes.toString().slice(0, 1_000)

function parse(data: Buffer, headless: boolean): { answer: HttpAnswer; size: number } | null {
  const end = data.indexOf('\r\n\r\n')
  if (end < 0) return null
  const headers = data.toString('latin1', 0, end)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(headers)?.[1])
  const start = end + 4
  if (headless || status < 200 || BODILESS.has(status)) return { answer: { status, headers, body: '' }, size: start }
  if (/^transfer-encoding: chunked/im.test(headers)) return chunked(data, start, { status, headers })
  const length = Number(/^content-length: *(\d+)/im.exec(headers)?.[1])
  if (data.length < start + length) return null
  return { answer: { status, headers, body: data.toString('utf8', start, start + length) }, size: start + length }
}
const BODILESS = new Set([204, 304])
function chunked(data: Buffer, start: number, head: Omit<HttpAnswer, 'body'>) {
  const parts: Buffer[] = []
  for (let at = start; ;) {
    const line = data.indexOf('\r\n', at)
    if (line < 0) return null
    const size = parseInt(data.toString('latin1', at, line), 16)
    if (!(data.length >= line + 2 + size + 2)) return null
    parts.push(data.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
    if (size === 0) return { answer: { ...head, body: Buffer.concat(parts).toString() }, size: at }
  }
}
