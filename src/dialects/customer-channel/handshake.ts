// The handshake of a connection: from where it may come, how often, and how many there may be at once.
import { ServerResponse, type IncomingMessage } from 'node:http'
import type { Socket } from 'socket.io'
import { toGatewayError } from '../../model/errors'
import type { ChannelDeps } from './deps'
import { failureOf } from './handle'

const MAX_SOCKETS = 18_000
const MAX_SOCKETS_PER_ADDRESS = 1_000

/** Connections that are there, whether or not they have said who they are. */
export class Handshakes {
  readonly #perAddress = new Map<string, number>()
  readonly #counted = new WeakSet<IncomingMessage>()

  constructor(private readonly deps: ChannelDeps) {}

  /** Where the browser's page comes from; clients without an Origin are no browsers. */
  isAllowed(origin: string | undefined): boolean {
    const { allowedOrigins } = this.deps.entryPoint
    return origin === undefined || allowedOrigins === 'any' || allowedOrigins.includes(origin)
  }

  /**
   * Counts an attempt before Engine.IO looks at it, and answers one too many in the one shape, as far as HTTP goes:
   * Engine.IO refuses the upgrade to a WebSocket by itself, with the sentence alone. Either way clients try again later
   * by themselves, as they do not when they are refused after the handshake.
   */
  readonly limit = (request: IncomingMessage, response: ServerResponse, next: () => void): void => {
    // An upgrade comes with a stand-in for the response that writes nothing.
    if (!(response instanceof ServerResponse) || belongsToConnection(request)) {
      next()
      return
    }
    this.#counted.add(request)
    this.count(this.addressOf(request)).then(next, (cause: unknown) => answerRefusal(response, cause))
  }

  /** Why not; null: come in. `connections`: all that there are. CORS does not guard a WebSocket, so it is asked here. */
  async refusal(request: IncomingMessage, connections: () => number): Promise<string | null> {
    const address = this.addressOf(request)
    if (!this.isAllowed(request.headers.origin)) return 'This origin is not allowed. Add it to ALLOWED_ORIGINS.'
    if (this.deps.unlimited) return null
    if (!this.#counted.has(request)) {
      const limited = await this.count(address).then(() => null, toGatewayError)
      if (limited) return limited.message
    }
    if (connections() >= MAX_SOCKETS) return 'Too many connections'
    const here = this.#perAddress.get(address) ?? 0
    return here >= MAX_SOCKETS_PER_ADDRESS ? 'Too many connections from this address' : null
  }

  /** One more attempt. @throws GatewayError `tooManyRequests` */
  count(address: string): Promise<void> {
    return this.deps.limiter.consume('handshake', address)
  }
  /** One more connection of this address; the answer takes it away again. */
  enter(address: string): () => void {
    const connections = this.#perAddress
    connections.set(address, (connections.get(address) ?? 0) + 1)
    return () => {
      const left = (connections.get(address) ?? 1) - 1
      if (left > 0) connections.set(address, left)
      else connections.delete(address)
    }
  }
  addressOf(request: IncomingMessage): string {
    return this.deps.limitKeyOf(this.deps.clientAddressOf(request))
  }
}

/** Headers that are read after the handshake: who it is, and from where. */
const KEPT = ['authorization', 'origin', 'x-forwarded-for'] as const

/**
 * Keeps of a connection's first request what is asked for later. The rest, with its streams and buffers, is a third of
 * what an idle connection costs; a browser's headers alone are a kilobyte.
 */
export function lighten(connection: Socket['conn']): void {
  const { request } = connection
  const { socket } = request
  const headers: IncomingMessage['headers'] = {}
  for (const name of KEPT)
    if (request.headers[name] !== undefined) Object.assign(headers, { [name]: request.headers[name] })
  // Where Engine.IO keeps what the query said, and Socket.IO looks for it.
  const { token } = ('_query' in request ? request._query : {}) as { token?: unknown }
  const query = token === undefined ? {} : { token }
  Object.assign(connection, { request: { headers, url: '', socket, connection: socket, _query: query } })
}

/** Of a socket that is known by now: what it showed is of no use any more. */
export function forgetHandshake(socket: Socket): void {
  Object.assign(socket, { handshake: FORGOTTEN })
}
const FORGOTTEN = Object.freeze({ headers: {}, query: {}, auth: {} })

/** A request of a connection that is there already. */
const belongsToConnection = ({ url = '' }: IncomingMessage): boolean => /[?&]sid=/.test(url)

function answerRefusal(response: ServerResponse, cause: unknown): void {
  const { code, error } = failureOf(toGatewayError(cause))
  response.writeHead(code, {
    'Cache-Control': 'no-store',
    'Content-Type': 'application/json; charset=utf-8',
    ...(error.retryAfter !== undefined && { 'Retry-After': String(error.retryAfter) }),
  })
  response.end(JSON.stringify({ error }))
}
