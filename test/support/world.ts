// A public internet on loopback: names, addresses and web servers as a test says, and a trap for whatever gets past a guard.
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { type Peer, type Ways } from '../../src/files/guarded-link'
import { type Certificate } from './certificate'

export class World implements Ways {
  /** Every look-up, in order. */
  readonly lookedUp: string[] = []
  /** Where connections were begun to, in order. */
  readonly peers: Peer[] = []
  /** What arrived at the trap; must stay empty. */
  readonly trapped: string[] = []
  ca?: string
  readonly #names = new Map<string, (readonly string[])[]>()
  readonly #hosts = new Map<string, number>()
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  #trap = 0

  static async open(): Promise<World> {
    const world = new World()
    world.#trap = await world.#listen(
      createServer((asked, answer) => answer.end(`The secret of ${world.trapped.push(asked.url ?? '')}`)),
      () => world.trapped.push('a connection'),
    )
    return world
  }
  /** The trap's port: the guard allows it, so that nothing but the address keeps it out. */
  get trapPort(): number {
    return this.#trap
  }
  /** Connections to servers of the world that are open now. */
  get openConnections(): number {
    return this.#sockets.size
  }

  /** What a name is looked up as: the first time, the second, and so on; the last stays. */
  name(name: string, ...answers: (readonly string[])[]): void {
    this.#names.set(name, answers)
  }
  /** Serves an address; requests that it got are in the list that comes back. */
  async host(address: string, listener: RequestListener, tls?: Certificate): Promise<IncomingMessage[]> {
    const asked: IncomingMessage[] = []
    const heard: RequestListener = (request, response) => {
      asked.push(request)
      listener(request, response)
    }
    this.#hosts.set(address, await this.#listen(tls ? createTlsServer({ ...tls }, heard) : createServer(heard)))
    return asked
  }

  readonly lookup = async (name: string): Promise<readonly string[]> => {
    this.lookedUp.push(name)
    const answers = this.#names.get(name) ?? []
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    if (answer) return answer
    throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND', syscall: 'getaddrinfo' })
  }
  /** Whatever address is asked for, the connection stays on loopback: at its server, or else in the trap. */
  readonly connect = (peer: Peer): Socket => {
    this.peers.push(peer)
    const socket = connect(this.#hosts.get(peer.address) ?? this.#trap, '127.0.0.1')
    Object.defineProperty(socket, 'remoteAddress', { get: () => this.remoteOf(peer) })
    return socket
  }
  /** What a connection says that it is connected to. */
  remoteOf = (peer: Peer): string => peer.address

  async close(): Promise<void> {
    for (const server of this.#servers) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }

  async #listen(server: Server, onConnection: () => void = () => undefined): Promise<number> {
    this.#servers.push(server)
    server.on('connection', (socket: Socket) => {
      onConnection()
      this.#sockets.add(socket)
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }
}
