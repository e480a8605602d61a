// A load balancer as people have them: TCP, one node after the other, and none that does not say it is ready.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

const LOOKS_EVERY = 100

export class Balancer {
  readonly #nodes: readonly string[]
  readonly #server = createServer((client) => this.#serve(client))
  readonly #sockets = new Set<Socket>()
  #ready: readonly string[] = []
  #turn = 0
  #timer: NodeJS.Timeout | null = null

  private constructor(nodes: readonly string[]) {
    this.#nodes = nodes
  }
  /** Resolves when all nodes take work. */
  static async open(nodes: readonly string[]): Promise<Balancer> {
    const balancer = new Balancer(nodes)
    await balancer.#look()
    balancer.#server.listen(0, '127.0.0.1')
    await once(balancer.#server, 'listening')
    return balancer
  }
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }
  sendsTo(node: string): boolean {
    return this.#ready.includes(node)
  }
  async close(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer)
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #look(): Promise<void> {
    const isReady = async (node: string) => {
      const answer = await fetch(`${node}/health/ready`, { signal: AbortSignal.timeout(2_000) }).catch(() => null)
      await answer?.body?.cancel()
      return answer?.status === 200
    }
    const found = await Promise.all(this.#nodes.map(isReady))
    this.#ready = this.#nodes.filter((_node, i) => found[i])
    this.#timer = setTimeout(() => void this.#look(), LOOKS_EVERY)
  }
  #serve(client: Socket): void {
    const node = this.#ready[this.#turn++ % Math.max(1, this.#ready.length)]
    if (node === undefined) {
      client.destroy()
      return
    }
    const { hostname, port } = new URL(node)
    const upstream = connect(Number(port), hostname)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(one)
      one.on('error', () => undefined) // told by close
      one.on('close', () => {
        this.#sockets.delete(one)
        other.destroySoon()
      })
      one.pipe(other)
    }
  }
}
