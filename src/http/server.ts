// The HTTP server under Express and Socket.IO: sane paths, bounded requests, and an end that waits for answers.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
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
  return server
}

/** Resolves with the port. */
export async function listen(server: Server, { port, host }: { port: number; host: string }): Promise<number> {
  server.listen(port, host === '' ? undefined : host)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Stops accepting, waits for answers under way, then cuts what is left. */
export async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const late = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
  await closed
  clearTimeout(late)
}
