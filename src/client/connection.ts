// One Socket.IO connection that comes back by itself for as long as the gateway wants it back.
import { io, type Socket } from 'socket.io-client'
import type {
  ConversationInfo,
  DeliveryReply,
  Failure,
  JoinReply,
  Reply,
  SendReply,
  ServerToClientEvents,
} from '../dialects/customer-channel/wire'
import { ChannelError, closedError, isFailure } from './channel-error'
import type { Credential } from './credential'
import { Listeners } from './listeners'
import { pauseAfter } from './pause'
import { baseOf } from './rest'

export type ConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'closed'

/** Every call, with what a success answers. */
export interface Calls {
  joinConversation: JoinReply
  sendMessage: SendReply
  endConversation: object
  leaveConversation: object
  registerConnector: { warning?: string }
}
type CallEvents = Record<keyof Calls, (request: object, answered: (reply: never) => void) => void>
type ServerMessage = Parameters<ServerToClientEvents['messageArrived']>[0]

/** What one conversation, or a connector, hears of the connection. */
export interface Route {
  connected(): void
  disconnected(): void
  /** For good: the connection does not come back. */
  closed(error: ChannelError): void
  info?(info: ConversationInfo): void
  /** The token that the seat was taken with has run out. */
  expired?(): void
  arrived(message: ServerMessage, answer?: (reply: DeliveryReply) => void): void
}

interface ConnectionEvents {
  state: [ConnectionState]
  /** A failure that nobody waited for, or the reason why the connection is closed for good. */
  error: [ChannelError]
  initConversation: Parameters<ServerToClientEvents['initConversation']>
}

export interface ConnectionOptions {
  /** The gateway with its base path, such as `https://host/chat`. */
  readonly url: string | URL
  /** Socket.IO's path; by default `socket.io` under the base path. */
  readonly path?: string | undefined
  readonly credential: Credential
}

/**
 * Milliseconds that a connection may take to open. Only by that Socket.IO's manager notices one that closed without a
 * failure before it was open, as when a gateway dies within a handshake: its own 20 s are long for somebody who waits.
 */
const HANDSHAKE_WITHIN = 10_000

/** The answers after which it makes no sense to come back. 401 is another matter: a fresh token may help. */
const FINAL: ReadonlySet<number> = new Set([400, 403, 404, 409, 501])

export class Connection {
  readonly #listeners = new Listeners<ConnectionEvents>()
  readonly #socket: Socket<ServerToClientEvents, CallEvents>
  readonly #credential: Credential
  readonly #routes = new Map<string, Route>()
  #state: ConnectionState = 'connecting'
  #lastError: Failure | undefined
  #refusals = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor({ url, path, credential }: ConnectionOptions) {
    const base = baseOf(url)
    this.#credential = credential
    this.#socket = io(base.origin, {
      path: path ?? `${base.pathname}socket.io`,
      // WebSocket first: no sticky sessions needed. Polling where a proxy forbids it.
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      forceNew: true,
      autoConnect: false,
      reconnectionDelay: 1000,
      reconnectionDelayMax: 30_000,
      randomizationFactor: 0.7,
      timeout: HANDSHAKE_WITHIN,
      auth: (give) => void credential.fresh().then((token) => give(token === undefined ? {} : { token })),
    })
    this.#listen()
    this.#socket.connect()
  }

  get state(): ConnectionState {
    return this.#state
  }
  readonly on = this.#listeners.on.bind(this.#listeners)

  /** What carries this conversation id goes there; '' takes what goes nowhere else, as a connector does. */
  route(conversationId: string, route: Route): void {
    this.#routes.set(conversationId, route)
  }
  unroute(conversationId: string): void {
    this.#routes.delete(conversationId)
  }

  /**
   * Emits once, unless the connection is down. `answered` is called in the very tick in which the acknowledgement
   * arrives, because that stands in the message's place in the stream; never, when the connection is lost before it.
   */
  call<E extends keyof Calls>(event: E, request: object, answered: (reply: Reply<Calls[E]>) => void): void {
    const name: keyof Calls = event
    if (this.#socket.connected) this.#socket.emit(name, request, answered)
  }

  /** For good. An error other than `closed` is told to all who listen. */
  close(error: ChannelError = closedError()): void {
    if (this.#state === 'closed') return
    clearTimeout(this.#timer)
    this.#credential.close()
    this.#become('closed')
    this.#socket.disconnect()
    if (error.code !== 'closed') this.#listeners.tell('error', error)
    for (const route of [...this.#routes.values()]) route.closed(error)
    this.#routes.clear()
  }

  #listen(): void {
    const socket = this.#socket
    socket.on('connect', () => {
      this.#lastError = undefined
      this.#refusals = 0
      this.#become('connected')
      for (const route of [...this.#routes.values()]) route.connected()
    })
    socket.on('disconnect', (reason) => {
      if (this.#state === 'closed') return
      this.#become('reconnecting')
      for (const route of [...this.#routes.values()]) route.disconnected()
      if (reason === 'io server disconnect') this.#sentAway(this.#lastError)
    })
    socket.on('connect_error', (error: Error & { data?: unknown }) => {
      // While the socket is active, the gateway was not reached and Socket.IO tries again by itself.
      if (!socket.active) this.#sentAway(isFailure(error.data) ? error.data : undefined)
    })
    socket.on('error', (failure) => {
      const seat = this.#routes.get(failure.conversationId ?? '')
      if (failure.conversationId !== undefined && seat?.expired) {
        seat.expired()
        return
      }
      this.#lastError = failure
      this.#listeners.tell('error', ChannelError.of(failure))
    })
    socket.on('conversationInfo', (info) => this.#routes.get(info.conversation.conversationId)?.info?.(info))
    socket.on('messageArrived', (message, answer) => {
      const route = this.#routes.get(message.conversationId ?? '') ?? this.#routes.get('')
      route?.arrived(message, answer && this.#onThisConnection(answer))
    })
    socket.on('initConversation', (told) => this.#listeners.tell('initConversation', told))
  }

  /** Acknowledgements have small numbers: on another connection this one would be taken for that of another message. */
  #onThisConnection(answer: (reply: DeliveryReply) => void): (reply: DeliveryReply) => void {
    const { id } = this.#socket
    return (reply) => {
      if (this.#socket.connected && this.#socket.id === id) answer(reply)
    }
  }

  /** The gateway refused the handshake or closed the connection itself: Socket.IO leaves it to us what to do. */
  #sentAway(failure: Failure | undefined): void {
    if (failure !== undefined && FINAL.has(failure.code)) this.close(ChannelError.of(failure))
    else if (failure?.code === 401) void this.#comeBackWithAnotherToken(failure)
    else this.#comeBack(failure?.error.retryAfter)
  }

  async #comeBackWithAnotherToken(failure: Failure): Promise<void> {
    if (await this.#credential.renew()) this.#comeBack()
    else this.close(ChannelError.of(failure))
  }

  /** In 1 to 5 s for the first time: all clients of a node that stops are sent away in the same second. */
  #comeBack(retryAfter = 0): void {
    if (this.#state === 'closed') return
    this.#refusals += 1
    const first = this.#refusals === 1 && retryAfter === 0
    const pause = first ? 1000 + Math.random() * 4000 : pauseAfter(this.#refusals + 2, retryAfter)
    this.#timer = setTimeout(() => void this.#socket.connect(), pause)
  }

  #become(state: ConnectionState): void {
    if (this.#state === state) return
    this.#state = state
    this.#listeners.tell('state', state)
  }
}
