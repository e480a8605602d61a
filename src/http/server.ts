// The HTTP server under Express and Socket.IO: sane paths, bounded requests, and an end that waits for answers.
import { once } from 'node:events'
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ErrorCode } from '../model/errors'

const HEADERS_TIMEOUT_MS = 10_000
/** A file has fifty seconds to wait for its turn and two minutes to arrive, and is watched by who receives it. */
const REQUEST_TIMEOUT_MS = 180_000
const MAX_HEADER_BYTES = 16 * 1024
/** How long answers under way may take when the gateway closes. */
const CLOSE_MS = 5_000

/**
 * Clients in the field write `//socket.io`, for upgrades too. To be called after Engine.IO has taken its place: it moves
 * the listeners that it finds behind its own.
 */
export function collapseSlashes(server: Server): void {
  server.prependListener('request', collapse)
  server.prependListener('upgrade', collapse)
}
function collapse(request: IncomingMessage): void {
  const url = request.url ?? '/'
  const query = url.indexOf('?')
  const path = query < 0 ? url : url.slice(0, query)
  if (path.includes('//')) request.url = path.replace(/\/{2,}/g, '/') + (query < 0 ? '' : url.slice(query))
}

export function createHttpServer(app: RequestListener): Server {
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    keepAliveTimeout: 65_000,
  })
  server.on('request', app)
  refuseUnreadable(server)
  return server
}

interface Refusal {
  readonly status: number
  readonly code: ErrorCode
  readonly message: string
}
const UNREADABLE: Refusal = { status: 400, code: 'invalidRequest', message: 'This is no well-formed HTTP request.' }
/** By the codes of Node's parser. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: { status: 431, code: 'tooLarge', message: 'The headers are too large.' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, code: 'tooLarge', message: 'The chunk extensions are too large.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'invalidRequest', message: 'The request took too long to arrive.' },
}

/** What Node cannot read never becomes a request: it is answered here, in the one shape of errors, and cut. */
function refuseUnreadable(server: Server): void {
  const answers = new WeakMap<Duplex, ServerResponse>()
  server.on('request', ({ socket }, response) => answers.set(socket, response))
  server.on('clientError', (cause: NodeJS.ErrnoException, socket) => {
    const answer = answers.get(socket)
    const isAnswering = answer?.headersSent === true && !answer.writableFinished
    if (socket.writable && !isAnswering && cause.code !== 'ECONNRESET') socket.write(written(cause.code))
    socket.destroy(cause)
  })
}
function written(cause = ''): string {
  const { status, code, message } = REFUSALS[cause] ?? UNREADABLE
  const body = JSON.stringify({ error: { code, message, retryable: false } })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Cache-Control: no-store',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

/** Resolves with the port. */
export async function listen(server: Server, { port, host }: { port: number; host: string }): Promise<number> {
  server.listen(port, host === '' ? undefined : host)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Stops accepting, waits for answers under way, then cuts what is left. A WebSocket whose peer hangs is not waited for. */
export async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  let late: NodeJS.Timeout | undefined
  const cut = new Promise<void>((resolve) => {
    late = setTimeout(() => {
      server.closeAllConnections()
      resolve()
    }, CLOSE_MS)
  })
  await Promise.race([closed, cut])
  clearTimeout(late)
}
