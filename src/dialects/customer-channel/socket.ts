// The Socket.IO server of this dialect: who may connect, who it is, and what every signed-in agent is told.
import type { Server as HttpServer } from 'node:http'
import { Server, type ServerOptions, type Socket } from 'socket.io'
import { toGatewayError } from '../../model/errors'
import type { Place } from '../../model/ids'
import { Attachments } from './attachments'
import { Caller, voidCredential, type CallerDeps } from './caller'
import { encodeConversation } from './codec'
import { Connectors } from './connectors'
import type { ChannelDeps } from './deps'
import { drain } from './drain'
import { wasDropped } from './frame'
import { FrameCache } from './frame-cache'
import { failureOf } from './handle'
import { Pings } from './pings'
import { spreadPolls } from './polled'
import { forgetHandshake, Handshakes, lighten } from './handshake'
import type { ClientToServerEvents, ServerToClientEvents } from './wire'

/** The largest frame a client may send: ten attachments of two `data:` links each are read, and answered with 413. */
const MAX_FRAME_BYTES = 1024 * 1024
const CONNECT_TIMEOUT_MS = 10_000

type ChannelServer = Server<ClientToServerEvents, ServerToClientEvents>
export interface ChannelSockets {
  readonly io: ChannelServer
  /** How many are connected. */
  count(): number
  /** Closes what is open, one by one in that many milliseconds; clients come back elsewhere, or here after a restart. */
  drain(ms: number): Promise<void>
  /** Closes what is left. */
  close(): Promise<void>
}

export function createSocketServer(http: HttpServer, deps: ChannelDeps): ChannelSockets {
  const callers = new Set<Caller>()
  const handshakes = new Handshakes(deps)
  const connections = new Set<Connection>()
  const callerOn = new WeakMap<Connection, Caller>()
  const pings = new Pings(deps.ping.interval)
  const attachments = new Attachments(deps)
  const connectors = new Connectors({ ...deps, attachments })
  const callerDeps: CallerDeps = { ...deps, frames: new FrameCache(deps.now), connectors, attachments }
  const io: ChannelServer = new Server(
    http,
    optionsOf(deps, handshakes, () => io.engine.clientsCount),
  )
  io.engine.use(handshakes.limit)
  // Counted before they say who they are: whoever never does holds a connection, too.
  io.engine.on('connection', (connection: Connection) => {
    connections.add(connection)
    pings.take(connection)
    spreadPolls(connection)
    const leave = handshakes.enter(handshakes.addressOf(connection.request))
    connection.on('close', () => {
      connections.delete(connection)
      pings.drop(connection)
      leave()
    })
    lighten(connection)
  })
  const release = identifyAll(io, deps, handshakes)
  io.on('connection', (socket) => {
    const { identity } = socket.data as { identity: Caller['identity'] }
    const caller = new Caller(socket, deps.clientAddressOf(socket.request), identity, callerDeps)
    forgetHandshake(socket)
    // Nobody is addressed by a room here, and each socket would keep collections for its own.
    socket.nsp.adapter.delAll(socket.id)
    callers.add(caller)
    callerOn.set(socket.conn, caller)
    deps.onSocket('opened')
    socket.on('disconnect', () => {
      callers.delete(caller)
      release(socket.conn)
      deps.onSocket('closed')
      if (wasDropped(socket)) deps.onSocket('droppedAsSlow')
      caller.gone()
    })
    caller.listen()
  })
  const stopWatching = watch(callerDeps, callers)
  return {
    io,
    count: () => callers.size,
    drain: (ms) => drain({ ms, connections, retire: async (connection) => callerOn.get(connection)?.retire() }),
    close: async () => {
      stopWatching()
      // The transport closes, not the session: clients reconnect by themselves, with the jitter they are built with.
      io.engine.close()
      await io.close()
    },
  }
}

function optionsOf(deps: ChannelDeps, handshakes: Handshakes, connections: () => number): Partial<ServerOptions> {
  return {
    path: `${deps.basePath}/socket.io`,
    allowEIO3: true,
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: MAX_FRAME_BYTES,
    connectTimeout: CONNECT_TIMEOUT_MS,
    pingInterval: deps.ping.interval,
    pingTimeout: deps.ping.timeout,
    cleanupEmptyChildNamespaces: true,
    cors: { origin: (origin, decide) => decide(null, handshakes.isAllowed(origin)), credentials: true },
    allowRequest: (request, decide) => {
      const asked = handshakes.refusal(request, connections)
      void asked.then((refusal) => {
        const refused = deps.isDraining() ? 'The gateway is shutting down' : refusal
        decide(refused, refused === null)
      })
    },
  }
}

type Connection = Socket['conn']
/**
 * Every socket is identified before it connects, and a connection has one at a time: Socket.IO would make another for
 * each time it says connect before it was answered. Another try after a refusal counts as another handshake. The answer
 * lets go of a connection.
 */
function identifyAll(io: ChannelServer, deps: ChannelDeps, handshakes: Handshakes): (connection: Connection) => void {
  const taken = new WeakSet<Connection>()
  const refused = new WeakSet<Connection>()
  io.use((socket, next) => {
    const { conn } = socket
    if (taken.has(conn)) {
      next(new Error('This connection is connected already.'))
      return
    }
    taken.add(conn)
    const counted = refused.has(conn) ? handshakes.count(handshakes.addressOf(conn.request)) : Promise.resolve()
    counted
      .then(() => identify(deps, socket))
      .then(
        (caller) => {
          Object.assign(socket.data as object, { identity: caller })
          next()
        },
        (cause: unknown) => {
          taken.delete(conn)
          refused.add(conn)
          next(refusedConnection(cause))
        },
      )
  })
  return (connection) => void taken.delete(connection)
}
function identify({ credentials }: ChannelDeps, socket: Socket): Promise<Caller['identity']> {
  const { auth, query, headers } = socket.handshake
  return credentials.resolve(
    { auth: (auth as Record<string, unknown>)['token'], authorization: headers.authorization, query: query['token'] },
    { query: true },
  )
}
function refusedConnection(cause: unknown): Error {
  const error = toGatewayError(cause)
  return Object.assign(new Error(error.message), { data: failureOf(error) })
}

/** Void credentials close their sockets at once, and agents hear of every conversation that begins. */
function watch(deps: CallerDeps, callers: ReadonlySet<Caller>): () => void {
  const dismiss = (isMeant: (caller: Caller) => boolean) => {
    for (const caller of callers) if (isMeant(caller)) caller.dismiss(voidCredential())
  }
  const stops = [
    deps.accounts.onRevoked((id) => dismiss(({ identity }) => identity.kind === 'staff' && identity.accountId === id)),
    deps.keys.onRevoked((id) => dismiss(({ identity }) => 'keyId' in identity && identity.keyId === id)),
    deps.onErased(({ conversationId }) => {
      deps.frames.forget()
      for (const caller of callers) caller.forget(conversationId)
    }),
    deps.onBegun((place) => void announce(deps, callers, place).catch(deps.onFault)),
  ]
  return () => stops.forEach((stop) => stop())
}

async function announce(deps: ChannelDeps, callers: ReadonlySet<Caller>, place: Place): Promise<void> {
  const agents = [...callers].filter((caller) => caller.identity.kind === 'staff' && caller.mayHear())
  if (agents.length === 0) return
  const found = await deps.conversations.find(place.tenant, place.conversationId)
  if (!found) return
  const conversation = encodeConversation(found, 'staff')
  for (const { socket } of agents) socket.emit('initConversation', { conversation })
}
