// A TCP proxy of ours on the loopback that spoils what it carries: late, slow, in slices, held up, cut, or lost without a word.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { abort, CLEAR, Way, type Weather } from './fault-way'

/** `up`: what clients say to the server; `down`: what it says to them. */
export type Direction = 'up' | 'down' | 'both'

/** One connection through the proxy. */
interface Pair {
  readonly ends: readonly Socket[]
  readonly up: Way
  readonly down: Way
}

export class FaultProxy {
  readonly #server: Server
  readonly #targets: readonly URL[]
  readonly #weather: { up: Weather; down: Weather } = { up: CLEAR, down: CLEAR }
  readonly #pairs = new Set<Pair>()
  readonly #sockets = new Set<Socket>()
  #refuses = false
  /** Connections that came through it, in all. */
  count = 0

  private constructor(targets: readonly string[]) {
    this.#targets = targets.map((target) => new URL(target))
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client))
  }
  /** In front of this server. When it does not take a connection the next one is tried, as a load balancer does. */
  static async start(...targets: readonly string[]): Promise<FaultProxy> {
    const proxy = new FaultProxy(targets)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** The first target's URL with this proxy's address in it. */
  get url(): string {
    const url = new URL(this.#targets[0]!.href)
    url.hostname = '127.0.0.1'
    url.port = String((this.#server.address() as AddressInfo).port)
    return url.href.replace(/\/$/, '')
  }

  /** From here on, for connections that are there and those to come, until it is healed. What is not named stays. */
  set(weather: Partial<Weather>, direction: Direction = 'both'): void {
    for (const way of waysOf(direction)) this.#weather[way] = { ...this.#weather[way], ...weather }
    this.#apply()
  }
  /** A partition: nothing comes through, and nobody is told. What was said meanwhile arrives when it is healed, as TCP has it. */
  stall(direction: Direction = 'both'): void {
    this.set({ stalled: true }, direction)
  }
  /** Half-open: of the connections that are there nothing comes through any more, not even their end; new ones are free. */
  strand(direction: Direction = 'both'): void {
    for (const pair of this.#pairs) for (const way of waysOf(direction)) pair[way].strand()
  }
  /** New connections are reset at once, until it is healed. */
  refuse(): void {
    this.#refuses = true
  }
  /** Everything is well again for whoever is connected, except those that were stranded. */
  heal(): void {
    this.#refuses = false
    this.#weather.up = this.#weather.down = CLEAR
    this.#apply()
  }
  /** Ends all connections, what was held up with them. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
  /** Resets all connections (RST). */
  reset(): void {
    for (const socket of this.#sockets) abort(socket)
  }
  /** Resets each connection as soon as it has brought half of the next piece of some length in this direction. */
  resetMidFrame(direction: 'up' | 'down'): void {
    for (const pair of this.#pairs) pair[direction].breakOff(() => pair.ends.forEach(abort))
  }
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }

  #accept(client: Socket): void {
    this.#watch(client)
    this.count += 1
    if (this.#refuses) abort(client)
    else this.#reach(client, this.#targets)
  }
  #reach(client: Socket, [target, ...others]: readonly URL[]): void {
    if (!target || client.destroyed) {
      abort(client)
      return
    }
    const host = target.hostname
    const server = connect({ host, port: Number(target.port), noDelay: true, allowHalfOpen: true })
    this.#watch(server)
    const next = () => this.#reach(client, others)
    server.once('error', next)
    server.once('connect', () => {
      server.off('error', next)
      this.#join(client, server)
    })
  }
  #join(client: Socket, server: Socket): void {
    const { up, down } = this.#weather
    const pair = { ends: [client, server], up: new Way(client, server, up), down: new Way(server, client, down) }
    this.#pairs.add(pair)
    const forget = () => {
      if (pair.ends.every((end) => end.destroyed)) this.#pairs.delete(pair)
    }
    for (const end of pair.ends) end.once('close', forget)
  }
  #watch(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined) // told by close
    socket.once('close', () => this.#sockets.delete(socket))
  }
  #apply(): void {
    for (const pair of this.#pairs) {
      pair.up.set(this.#weather.up)
      pair.down.set(this.#weather.down)
    }
  }
}

const waysOf = (direction: Direction): readonly ('up' | 'down')[] =>
  direction === 'both' ? ['up', 'down'] : [direction]
