// HTTP as it is written on the wire: whatever bytes a case brings, and the answers that come back, in order.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface HttpAnswer {
  readonly status: number
  readonly headers: string
  readonly body: string
}
const ANSWERS_WITHIN = 15_000

/** One keep-alive connection, one request at a time. */
export class RawHttp {
  #socket: Socket | null = null
  #data: Buffer = Buffer.alloc(0)
  #wake: (() => void) | null = null
  readonly #url: URL

  constructor(url: string) {
    this.#url = new URL(url)
  }

  /**
   * Writes the bytes and reads one answer; null when the connection closed without one.
   * @param how `isCut`: say no more behind it; `isLast`: come on a new connection the next time
   */
  async ask(
    bytes: Buffer | string,
    { isCut = false, isLast = false, headless = false } = {},
  ): Promise<HttpAnswer | null> {
    const socket = await this.#connected()
    if (isCut) socket.end(bytes)
    else socket.write(bytes)
    const late = setTimeout(() => socket.destroy(new Error('late')), ANSWERS_WITHIN)
    try {
      const answer = await this.#answer(socket, headless)
      // Bytes that nobody asked for, or an end: the next request begins anew.
      if (isCut || isLast || !answer || /^connection: close/im.test(answer.headers) || this.#data.length > 0)
        this.close()
      if (socket.errored?.message === 'late') throw new Error(`No answer within ${ANSWERS_WITHIN} ms to ${bytes.toString().slice(0, 1_500)}`)
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
        if (parsed.answer.status >= 200) return parsed.answer
        continue
      }
      if (socket.destroyed || socket.readableEnded) return null
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }
}

function parse(data: Buffer, headless: boolean): { answer: HttpAnswer; size: number } | null {
  const end = data.indexOf('\r\n\r\n')
  if (end < 0) return null
  const headers = data.toString('latin1', 0, end)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(headers)?.[1] ?? 0)
  const isEmpty = headless || status < 200 || status === 204 || status === 304
  const start = end + 4
  if (isEmpty) return { answer: { status, headers, body: '' }, size: start }
  if (/^transfer-encoding: chunked/im.test(headers)) return chunked(data, start, { status, headers })
  const length = Number(/^content-length: *(\d+)/im.exec(headers)?.[1] ?? 0)
  if (data.length < start + length) return null
  return { answer: { status, headers, body: data.toString('utf8', start, start + length) }, size: start + length }
}
function chunked(data: Buffer, start: number, head: Omit<HttpAnswer, 'body'>) {
  const parts: Buffer[] = []
  for (let at = start; ;) {
    const line = data.indexOf('\r\n', at)
    if (line < 0) return null
    const size = parseInt(data.toString('latin1', at, line), 16)
    if (data.length < line + 2 + size + 2) return null
    parts.push(data.subarray(line + 2, line + 2 + size))
    at = line + 2 + size + 2
    if (size === 0) return { answer: { ...head, body: Buffer.concat(parts).toString() }, size: at }
  }
}
