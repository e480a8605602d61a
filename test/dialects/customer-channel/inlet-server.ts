// A Socket.IO server with the gateway's settings that remembers what its one hearer heard, with an inlet or without.
import { createServer } from 'node:http'
import type { AddressInfo, Socket as Stream } from 'node:net'
import { Server, type Socket } from 'socket.io'
import { answerDirectly } from '../../../src/dialects/customer-channel/frame'
import { hearDirectly } from '../../../src/dialects/customer-channel/inlet'

/** Events that there are; whatever else comes is left to the libraries. */
export const NAMES: ReadonlySet<string> = new Set(['sendMessage', 'joinConversation', 'é😀'])

export interface Options {
  readonly hasInlet?: boolean
  readonly ping?: { readonly pingInterval: number; readonly pingTimeout: number }
  /** What a hearer does beside remembering and answering. */
  readonly does?: (socket: Socket, event: string, args: readonly unknown[]) => void
  /** Runs for each connection before it has a socket. */
  readonly prepare?: (connection: Socket['conn']) => void
}

export class InletServer {
  /** What was heard, acknowledgements as `ack`. */
  readonly heard: unknown[][] = []
  /** Why sockets disconnected. */
  readonly ends: string[] = []
  /** How many of them came by the short way. */
  short = 0
  readonly sockets: Socket[] = []
  readonly #io: Server

  private constructor(
    readonly url: string,
    io: Server,
    { hasInlet = true, does, prepare }: Options,
  ) {
    this.#io = io
    io.engine.on('connection', (connection: Socket['conn']) => {
      prepare?.(connection)
    })
    io.on('connection', (socket) => {
      this.sockets.push(socket)
      answerDirectly(socket)
      const hear = (event: string, args: unknown[]) => {
        if (!NAMES.has(event)) return false
        this.#remember(event, args)
        does?.(socket, event, args)
        return true
      }
      socket.onAny((event: string, ...args: unknown[]) => void hear(event, args))
      socket.on('disconnect', (reason) => this.ends.push(reason))
      const hearShort = (event: string, args: unknown[]) => {
        if (NAMES.has(event)) this.short += 1
        return hear(event, args)
      }
      if (hasInlet) hearDirectly({ socket, hear: hearShort })
    })
  }
  static async open(options: Options = {}): Promise<InletServer> {
    const http = createServer()
    const io = new Server(http, {
      allowEIO3: true,
      serveClient: false,
      perMessageDeflate: false,
      maxHttpBufferSize: 1024 * 1024,
      ...options.ping,
    })
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    return new InletServer(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, io, options)
  }

  /** What was said first in each. */
  get words(): unknown[] {
    return this.heard.map(([, first]) => first)
  }
  get last(): Socket {
    const socket = this.sockets.at(-1)
    if (!socket) throw new Error('Nobody has connected.')
    return socket
  }
  /** The connection of the last socket, whose chunks can be told one by one: what TCP does is not. */
  get stream(): Stream {
    return streamOf(this.last.conn.transport)
  }
  forget(): void {
    for (const list of [this.heard, this.ends, this.sockets]) list.length = 0
    this.short = 0
  }
  async close(): Promise<void> {
    await this.#io.close()
  }

  #remember(event: string, args: readonly unknown[]): void {
    this.heard.push([event, ...args.map((arg) => (typeof arg === 'function' ? 'ack' : arg))])
    const answer = args.at(-1)
    if (typeof answer !== 'function') return
    const reply = { code: 200, heard: this.heard.length }
    // Later, as what was written to a store: a connection that is refused in the same chunk gets no answer either way.
    queueMicrotask(() => (answer as (reply: object) => void)(reply))
  }
}

export const streamOf = (transport: unknown): Stream => (transport as { socket: { _socket: Stream } }).socket._socket

/** In a turn of its own, as data of a socket comes. Resolves when what it set off has been done. */
export const inTurn = (work: () => void): Promise<void> =>
  new Promise((resolve) =>
    setImmediate(() => {
      work()
      setImmediate(resolve)
    }),
  )
