// One event, encoded once for everybody who hears it alike, and written straight to their connections.
import type { Socket } from 'socket.io'
import type { ServerToClientEvents } from './wire'

/** A reader that stops reading is dropped when this much waits for it, and resumes when it comes back. */
const MAX_WAITING_BYTES = 1024 * 1024
/** Weighing what waits costs; below so many packets it cannot be too much. */
const WEIGH_EVERY = 64
const TEXT_FRAME = 0x81

interface WriteOptions {
  wsPreEncodedFrame?: readonly Buffer[]
}
/** What Engine.IO's connection is for us. `write` takes a Socket.IO packet as text. */
interface Connection {
  readonly readyState: string
  readonly writeBuffer: readonly { readonly data?: unknown }[]
  write(packet: string, options: WriteOptions): unknown
  close(discard: boolean): void
}
type AnySocket = Pick<Socket, 'conn'>

/** An event of the default namespace as a Socket.IO packet; Engine.IO 3 and 4 write the same text. */
export class Frame {
  readonly #packet: string
  #options: WriteOptions | null = null

  constructor(event: keyof ServerToClientEvents, payload: object) {
    this.#packet = `2${JSON.stringify([event, payload])}`
  }

  /** Characters of the packet. */
  get size(): number {
    return this.#packet.length
  }

  /** False when the connection is gone or was dropped because it does not read. */
  writeTo(socket: AnySocket): boolean {
    const connection = socket.conn as unknown as Connection
    if (connection.readyState !== 'open') return false
    this.#options ??= { wsPreEncodedFrame: [encodeFrame(this.#packet)] }
    connection.write(this.#packet, this.#options)
    return !dropIfStuck(connection)
  }
}

/** How many packets wait for this socket. */
export const waitingFor = (socket: AnySocket): number => (socket.conn as unknown as Connection).writeBuffer.length

/** A WebSocket text frame of an Engine.IO message, unmasked as servers send it. */
function encodeFrame(packet: string): Buffer {
  const length = Buffer.byteLength(packet) + 1
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(header + length)
  frame[0] = TEXT_FRAME
  if (header === 2) frame[1] = length
  else if (header === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  frame[header] = 0x34 // '4': an Engine.IO message
  frame.write(packet, header + 1)
  return frame
}

export let droppedSlowSockets = 0
function dropIfStuck(connection: Connection): boolean {
  const { writeBuffer } = connection
  if (writeBuffer.length < WEIGH_EVERY || writeBuffer.length % WEIGH_EVERY !== 0) return false
  let bytes = 0
  for (const { data } of writeBuffer) bytes += typeof data === 'string' ? data.length : 64
  if (bytes <= MAX_WAITING_BYTES) return false
  droppedSlowSockets += 1
  connection.close(true)
  return true
}
