// Files behind a plain HTTP server on a free port, as a route would call them, and the raw connections that test its patience.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { Files } from '../../src/files/files'
import type { Variant } from '../../src/files/links'
import { toGatewayError, type ErrorCode } from '../../src/model/errors'
import type { FileId, ParticipantId, Place } from '../../src/model/ids'

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  invalidRequest: 400,
  notFound: 404,
  timeout: 408,
  tooLarge: 413,
  unsupportedMediaType: 415,
  tooManyRequests: 429,
  unavailable: 503,
  storageFull: 507,
}

export class FileServer {
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  private constructor(
    private readonly files: Files,
    private readonly place: Place,
    private readonly participantId: ParticipantId,
  ) {
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }
  static async start(files: Files, place: Place, participantId: ParticipantId): Promise<FileServer> {
    const server = new FileServer(files, place, participantId)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }
  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }
  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (request.method === 'POST') {
        const row = await this.files.upload(this.place, this.participantId, {
          stream: request,
          headers: request.headers,
        })
        response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(row))
      } else await this.#send(request, response)
    } catch (cause) {
      if (response.headersSent) return void response.destroy() // the client was faster
      const { code, message } = toGatewayError(cause)
      const head = { 'content-type': 'application/json', connection: 'close' }
      response.writeHead(STATUS[code] ?? 500, head).end(JSON.stringify({ code, message }))
    }
  }
  async #send(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, variant, id] = (request.url ?? '').split('/')
    const method = request.method === 'HEAD' ? 'HEAD' : 'GET'
    const asked = { variant: variant as Variant, method, conditions: request.headers } as const
    const found = await this.files.open(this.place.tenant, id as FileId, asked)
    if (!found) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(found.answer.status, found.answer.headers)
    if (found.stream) await pipeline(found.stream, response)
    else response.end()
  }
}

export interface RawAnswer {
  readonly status: number
  readonly body: string
}
/** A connection on which anything can be written; what is answered is read until the other side hangs up, as it is asked to. */
export class RawUpload {
  readonly socket: Socket
  readonly answer: Promise<RawAnswer>

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1' })
    let text = ''
    this.socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    this.socket.on('error', () => undefined)
    this.answer = once(this.socket, 'close').then(() => ({
      status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0),
      body: text.split('\r\n\r\n')[1] ?? '',
    }))
  }
  /** The head of a form whose length nobody knows yet. */
  head(boundary = 'b'): this {
    const type = `multipart/form-data; boundary=${boundary}`
    this.socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`,
    )
    return this
  }
  write(body: string | Buffer): this {
    const bytes = Buffer.from(body)
    this.socket.write(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]))
    return this
  }
  end(): this {
    this.socket.write('0\r\n\r\n')
    return this
  }
}

export const filePart = (name: string, boundary = 'b'): string =>
  `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n` +
  'Content-Type: image/png\r\n\r\n'
