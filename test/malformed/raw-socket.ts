// A WebSocket of our own over TCP that writes whatever it is told to, right or wrong, and reads what a server says.
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d])
const OPENS_WITHIN = 10_000

interface FrameOptions {
  readonly opcode?: number
  readonly fin?: boolean
  /** Bits of the first byte that are reserved. */
  readonly reserved?: number
  readonly masked?: boolean
  readonly mask?: Buffer
  /** What the header claims, whatever follows it. */
  readonly claims?: number | bigint
}
export function frame(payload: string | Buffer, options: FrameOptions = {}): Buffer {
  const { opcode, fin, reserved, masked, mask, claims } = { ...WHOLE, ...options }
  const body = Buffer.from(payload)
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode
  const head = header(first, masked ? 0x80 : 0, BigInt(claims ?? body.length))
  return Buffer.concat(masked ? [head, mask, covered(body, mask)] : [head, body])
}
const WHOLE = { opcode: 1, fin: true, reserved: 0, masked: true, mask: MASK, claims: null }
function covered(body: Buffer, mask: Buffer): Buffer {
  for (let i = 0; i < body.length; i++) body[i] = (body[i] ?? 0) ^ (mask[i & 3] ?? 0)
  return body
}
function header(first: number, bit: number, claims: bigint): Buffer {
  if (claims < 126n) return Buffer.from([first, bit | Number(claims)])
  if (claims < 65_536n) return Buffer.from([first, bit | 126, Number(claims >> 8n), Number(claims & 255n)])
  const long = Buffer.from([first, bit | 127, 0, 0, 0, 0, 0, 0, 0, 0])
  long.writeBigUInt64BE(claims, 2)
  return long
}

export interface OpenOptions {
  readonly engine?: 3 | 4
  readonly token?: string | undefined
  /** Instead of a proper CONNECT. */
  readonly connect?: string
}

/** One connection, as Engine.IO 3 or 4. Text packets are heard; pings are answered. */
export class RawSocket {
  /** Hears every packet but pings and the opening. */
  heard: (packet: string) => void = () => undefined
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>
  /** What the server said to our CONNECT. */
  opening = ''
  /** The code that the server closed with; null while it has not, or if it said none. */
  code: number | null = null
  #rest: Buffer = Buffer.alloc(0)
  #upgraded = false
  #opened: (() => void) | null = null
  readonly #options: OpenOptions

  private constructor(
    readonly socket: Socket,
    options: OpenOptions,
  ) {
    this.#options = options
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => this.#read(chunk))
  }

  /** Rejects when the server refuses. */
  static async open(url: string, options: OpenOptions = {}): Promise<RawSocket> {
    const { hostname, port } = new URL(url)
    const raw = new RawSocket(connect({ host: hostname, port: Number(port), noDelay: true }), options)
    raw.write(handshake(url, options.engine ?? 4))
    let timer: NodeJS.Timeout | undefined
    const opened = new Promise<void>((resolve, reject) => {
      raw.#opened = resolve
      timer = setTimeout(() => reject(new Error('The server did not open the connection in time.')), OPENS_WITHIN)
      void raw.closed.then(() => reject(new Error('The server closed before it opened.')))
    })
    try {
      await opened
      return raw
    } catch (error) {
      raw.close()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
  write(data: Buffer | string): void {
    if (!this.socket.destroyed) this.socket.write(data)
  }
  say(packet: string): void {
    this.write(frame(packet))
  }
  /** We say no more; what the server still says is read. */
  end(): void {
    this.socket.end()
  }
  close(): void {
    this.socket.destroy()
  }

  #read(chunk: Buffer): void {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk
    if (!this.#upgraded) {
      const end = data.indexOf('\r\n\r\n')
      if (end < 0) return void (this.#rest = data)
      if (!data.toString('latin1', 0, 12).includes(' 101')) {
        this.close()
        return
      }
      this.#upgraded = true
      data = data.subarray(end + 4)
    }
    for (let next = read(data); next; next = read(data)) {
      data = data.subarray(next.size)
      if (next.opcode === 8) this.#end(next.payload)
      else if (next.opcode === 1) this.#packet(next.payload.toString())
    }
    this.#rest = data
  }
  #end(reason: Buffer): void {
    if (reason.length >= 2) this.code = reason.readUInt16BE(0)
    this.socket.end()
  }
  #packet(packet: string): void {
    const { token, engine = 4, connect: wish } = this.#options
    if (packet.startsWith('0{')) {
      if (engine === 4) this.say(wish ?? (token === undefined ? '40' : `40${JSON.stringify({ token })}`))
      return
    }
    if (packet === '2') {
      this.say('3')
      return
    }
    if (this.#opened && packet.startsWith('4')) {
      this.#opened()
      this.#opened = null
      this.opening = packet
      return
    }
    this.heard(packet)
  }
}

/** The first frame of what has been read, when it is all there. */
function read(data: Buffer): { size: number; opcode: number; payload: Buffer } | null {
  if (data.length < 2) return null
  const short = (data[1] ?? 0) & 127
  const head = short < 126 ? 2 : short === 126 ? 4 : 10
  if (data.length < head) return null
  const length = short < 126 ? short : short === 126 ? data.readUInt16BE(2) : Number(data.readBigUInt64BE(2))
  const size = head + length
  return data.length < size ? null : { size, opcode: (data[0] ?? 0) & 15, payload: data.subarray(head, size) }
}

export const handshake = (url: string, engine: number, query = ''): string =>
  [
    `GET ${new URL(url).pathname.replace(/\/$/, '')}/socket.io/?EIO=${engine}&transport=websocket${query} HTTP/1.1`,
    `Host: ${new URL(url).host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  ].join('\r\n')
