// A virus scanner that speaks clamd's INSTREAM, as clamd(8) and its source say it; what it finds is a word of its own.
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'

/** Stands for a virus. */
export const VIRUS = 'X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR'

export class Clamd {
  /** Bytes that it takes of one file, as `StreamMaxLength`. */
  maxBytes = 50_000_000
  behaviour: 'scans' | 'hangs' | 'hangsUp' | 'babbles' = 'scans'
  /** Sizes of the files that it was shown to their end. */
  readonly seen: number[] = []
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer((socket) => this.#serve(socket))

  /** @param path of a unix socket; without it on a free port */
  static async start(path?: string): Promise<Clamd> {
    const clamd = new Clamd()
    if (path) clamd.#server.listen(path)
    else clamd.#server.listen(0, '127.0.0.1')
    await once(clamd.#server, 'listening')
    return clamd
  }
  get url(): string {
    const address = this.#server.address()
    if (typeof address === 'string') return `unix:${address}`
    return `tcp://127.0.0.1:${(address as AddressInfo).port}`
  }
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => this.#sockets.delete(socket))
    let pending: Buffer = Buffer.alloc(0)
    let file: Buffer[] | null = null
    socket.on('data', (bytes: Buffer) => {
      if (this.behaviour === 'hangs') return
      if (this.behaviour === 'hangsUp') return void socket.destroy()
      if (this.behaviour === 'babbles') return void socket.write('x'.repeat(100_000))
      pending = Buffer.concat([pending, bytes])
      if (!file) {
        const end = pending.indexOf(0)
        if (end < 0) return
        if (pending.toString('latin1', 0, end) !== 'zINSTREAM') return void socket.end('UNKNOWN COMMAND\0')
        file = []
        pending = pending.subarray(end + 1)
      }
      this.#chunks(socket, file, pending, (rest) => (pending = rest))
    })
  }
  #chunks(socket: Socket, file: Buffer[], bytes: Buffer, keep: (rest: Buffer) => void): void {
    let pending = bytes
    while (pending.length >= 4) {
      const length = pending.readUInt32BE()
      if (length === 0) {
        const whole = Buffer.concat(file)
        this.seen.push(whole.length)
        socket.end(whole.includes(VIRUS) ? 'stream: Eicar-Test-Signature FOUND\0' : 'stream: OK\0')
        return
      }
      if (file.reduce((sum, chunk) => sum + chunk.length, length) > this.maxBytes) {
        socket.removeAllListeners('data')
        socket.resume()
        socket.end('INSTREAM size limit exceeded. ERROR\0')
        return
      }
      if (pending.length < 4 + length) break
      file.push(pending.subarray(4, 4 + length))
      pending = pending.subarray(4 + length)
    }
    keep(pending)
  }
}
