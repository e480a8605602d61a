// One event, encoded once for everybody who hears it alike, and written straight to their connections.
import type { Socket } from 'socket.io'
import { Outlet, type RawStream } from './outlet'
import type { ServerToClientEvents } from './wire'

/** A reader that stops reading is dropped when this much waits for it, and resumes when it comes back. */
const MAX_WAITING_BYTES = 1024 * 1024
/** Weighing what waits costs; below so many packets it cannot be too much. */
const WEIGH_EVERY = 64
const TEXT_FRAME = 0x81
/** Where a transport keeps its way out: a connection may change to another. */
const OUTLET = Symbol('outlet')

interface WriteOptions {
  wsPreEncodedFrame?: readonly Buffer[]
}
/** What Engine.IO's connection is for us. `write` takes a Socket.IO packet as text. */
interface Connection {
  readonly readyState: string
  readonly writeBuffer: readonly { readonly data?: unknown }[]
  readonly transport: Transport
  write(packet: string, options: WriteOptions): unknown
  sendPacket(type: 'ping'): unknown
  close(discard: boolean): void
}
interface Transport {
  [OUTLET]?: Outlet | undefined
  readonly name: string
  readonly writable: boolean
  /** The WebSocket of `ws`, and its stream: Engine.IO writes encoded frames past the former, too. */
  readonly socket?: { readonly _socket?: RawStream | null }
}
type AnySocket = Pick<Socket, 'conn'>

/** An event of the default namespace as a Socket.IO packet; Engine.IO 3 and 4 write the same text. */
export class Frame {
  readonly #packet: string
  #options: WriteOptions | null = null
  #encoded: Buffer | null = null

  private constructor(packet: string) {
    this.#packet = packet
  }
  static event(event: keyof ServerToClientEvents, payload: object): Frame {
    return new Frame(`2["${event}",${JSON.stringify(payload)}]`)
  }
  static acknowledgement(id: number, reply: object): Frame {
    return new Frame(`3${id}[${JSON.stringify(reply)}]`)
  }

  /** Characters of the packet. */
  get size(): number {
    return this.#packet.length
  }

  /**
   * Writes what is live. An idle WebSocket takes the encoded frame at once, past Engine.IO's queue and its events; any
   * other connection queues it. Order holds: nothing goes past a queue that is not empty.
   */
  writeTo(socket: AnySocket): void {
    const connection = socket.conn as unknown as Connection
    if (connection.readyState !== 'open') return
    const outlet = idleOutletOf(connection)
    if (!outlet) {
      this.queueOn(socket)
      return
    }
    outlet.write(this.#frame)
    if (outlet.waiting > MAX_WAITING_BYTES) drop(connection)
  }
  /** Writes behind what is queued; `drained` tells when the connection has taken it. */
  queueOn(socket: AnySocket): void {
    const connection = socket.conn as unknown as Connection
    if (connection.readyState !== 'open') return
    this.#options ??= { wsPreEncodedFrame: [this.#frame] }
    connection.write(this.#packet, this.#options)
    if (isStuck(connection)) drop(connection)
  }
  get #frame(): Buffer {
    return (this.#encoded ??= encodeFrame(this.#packet))
  }
}

/**
 * Acknowledgements take the same short way as events. Socket.IO asks its own `ack` for the function that a listener
 * gets; should it ever stop asking, its own way is taken again. Its parser takes ids that are no numbers: whoever
 * wrote one cannot be waiting for it, and is told of failures as if they had not asked for an acknowledgement.
 */
export function answerDirectly(socket: AnySocket): void {
  Object.assign(socket, { ack: (id: number) => acknowledgementOn(socket, id) })
}
/** Answers the request that asked for it by this id. */
export const acknowledgementOn =
  (socket: AnySocket, id: number) =>
  (reply: object): void => {
    if (Number.isSafeInteger(id)) Frame.acknowledgement(id, reply).writeTo(socket)
    else if ('error' in reply) Frame.event('error', reply).writeTo(socket)
  }

const PING = Buffer.from([TEXT_FRAME, 1, 0x32])
/** Engine.IO's own ping, on the short way where there is one. */
export function writePing(conn: Socket['conn']): void {
  const connection = conn as unknown as Connection
  if (connection.readyState !== 'open') return
  const outlet = idleOutletOf(connection)
  if (outlet) outlet.write(PING)
  else connection.sendPacket('ping')
}

/** Does this socket have something to read still? Typing is not in its way then. */
export function isBehind(socket: AnySocket): boolean {
  const connection = socket.conn as unknown as Connection
  return connection.writeBuffer.length > 0 || (outletOf(connection)?.waiting ?? 0) > 0
}
/** Resolves when what was queued has been taken, or the connection is gone. */
export async function drained({ conn }: AnySocket): Promise<void> {
  while (conn.readyState === 'open' && (conn as unknown as Connection).writeBuffer.length > 0)
    await (draining.get(conn) ?? nextDrain(conn))
}
/** One wait for all histories that are written to a connection: an agent comes back to many conversations at once. */
const draining = new WeakMap<Socket['conn'], Promise<void>>()
function nextDrain(conn: Socket['conn']): Promise<void> {
  const wait = new Promise<void>((resolve) => {
    const done = () => {
      conn.off('drain', done)
      conn.off('close', done)
      draining.delete(conn)
      resolve()
    }
    conn.once('drain', done)
    conn.once('close', done)
  })
  draining.set(conn, wait)
  return wait
}

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

/** The way past the queue: there while the connection is a WebSocket and nothing waits. */
const idleOutletOf = (connection: Connection): Outlet | null =>
  connection.transport.writable && connection.writeBuffer.length === 0 ? outletOf(connection) : null
function outletOf({ transport }: Connection): Outlet | null {
  const known = transport[OUTLET]
  if (known) return known
  const stream = transport.name === 'websocket' ? transport.socket?._socket : null
  if (!stream) return null
  return (transport[OUTLET] = new Outlet(stream))
}

function isStuck({ writeBuffer }: Connection): boolean {
  if (writeBuffer.length < WEIGH_EVERY || writeBuffer.length % WEIGH_EVERY !== 0) return false
  let bytes = 0
  for (const { data } of writeBuffer) bytes += typeof data === 'string' ? data.length : WEIGH_EVERY
  return bytes > MAX_WAITING_BYTES
}
const dropped = new WeakSet()
function drop(connection: Connection): void {
  dropped.add(connection)
  connection.close(true)
}
/** Was this connection closed because its client does not read? */
export const wasDropped = ({ conn }: AnySocket): boolean => dropped.has(conn)
