// How requests of one WebSocket come in: read where their bytes arrive, as long as they are plain; all else goes the libraries' own way.
import { isUtf8 } from 'node:buffer'
import { Writable } from 'node:stream'
import type { Socket } from 'socket.io'
import { acknowledgementOn } from './frame'

type AnySocket = Pick<Socket, 'conn' | 'client' | 'connected'>
/** Whoever hears the requests of a socket, by whichever way they come. */
export interface Hearer {
  readonly socket: AnySocket
  /**
   * @param args what stands behind the event's name, and the function that answers if an answer was asked for
   * @returns whether there is an event of that name; false leaves it to the libraries
   */
  hear(event: string, args: unknown[]): boolean
}

/** Where connections and receivers keep their inlet. */
const INLET = Symbol('inlet')

/** The `Receiver` of `ws`, whose `write` gets each chunk that arrives. */
interface Receiver extends Writable {
  readonly [INLET]?: Inlet
  readonly _state: number
  readonly _bufferedBytes: number
  readonly _fragmented: number
  readonly _errored: boolean
}
interface WebSocket {
  readonly readyState: number
  readonly _receiver?: unknown
}
/** What Engine.IO's connection is for us. */
interface Connection {
  readonly [INLET]?: Inlet
  readonly readyState: string
  readonly protocol: number
  readonly upgrading: boolean
  /** Not null: a pong is waited for. In protocol 4 whatever comes meanwhile prolongs that. */
  readonly pingTimeoutTimer: unknown
  readonly transport: { readonly name: string; readonly socket?: WebSocket }
  once(event: 'upgrade', listener: () => void): unknown
}
/** Socket.IO's. `reconstructor` is there while attachments of a packet are still to come. */
interface Decoder {
  readonly reconstructor?: unknown
}

/** A receiver between two frames, as `ws` numbers its states. */
const AT_A_FRAME = 0
const OPEN = 1
const WHOLE_TEXT = 0x81
const MASKED = 0x80
/** The length stands in the two bytes that follow; `ws` does not ask whether it would have fitted into one. */
const LENGTH_16 = 126
const MAX_PAYLOAD = 65_535
const MASK_BYTES = 4
/** Bits that are set in no ASCII, in four bytes at once. */
const BEYOND_ASCII = 0x80808080
/** Every number of so many digits is exact. */
const MAX_ID_DIGITS = 15
const ZERO = 0x30
const NINE = 0x39
const BRACKET = 0x5b
/** `42`: a message of Engine.IO, an event of Socket.IO. */
const MESSAGE = 0x34
const EVENT = 0x32
const HEAD_BYTES = 2
/** Where in the scratch an acknowledgement's id may stand. */
const ID_AT = MASK_BYTES + HEAD_BYTES

/**
 * Requests of a socket reach its hearer by the short way from when its connection is a WebSocket. Where `ws`, Engine.IO
 * or Socket.IO are not as they are known here, nothing is changed, and `onAny` hears everything, as it goes on hearing
 * what is not plain.
 */
export function hearDirectly(hearer: Hearer): void {
  const { conn, client } = hearer.socket as unknown as { conn: unknown; client: { decoder?: unknown } }
  const { decoder } = client
  if (!isConnection(conn) || !isDecoder(decoder)) return
  const known = conn[INLET]
  // Its socket disconnected, and another one takes its place.
  if (known) known.hearer = hearer
  else new Inlet(hearer, conn, decoder).install()
}

class Inlet {
  #webSocket: WebSocket | null = null
  /** Chunks that went the long way and are heard in a tick to come: nothing may overtake them. */
  #behind = 0

  constructor(
    public hearer: Hearer,
    private readonly connection: Connection,
    private readonly decoder: Decoder,
  ) {}

  install(): void {
    Object.assign(this.connection, { [INLET]: this })
    if (this.connection.transport.name === 'websocket') this.#interpose()
    else this.connection.once('upgrade', () => this.#interpose())
  }
  #interpose(): void {
    const { socket } = this.connection.transport
    if (!socket || !isReceiver(socket._receiver)) return
    this.#webSocket = socket
    Object.assign(socket._receiver, { [INLET]: this, write })
    // The rest of the chunk that it is reading goes the long way.
    this.#behind += 1
    setImmediate(wasHeard, this)
  }

  /** To be called behind a chunk that goes the long way: Socket.IO has taken a tick by then, and takes one more in it. */
  wentLong(): void {
    this.#behind += 1
    process.nextTick(isHeardSoon, this)
  }
  wasHeard(): void {
    this.#behind -= 1
  }

  /** Hears the plain frames that a chunk begins with. Answers how many bytes they are. */
  take(receiver: Receiver, chunk: Buffer): number {
    if (this.#behind > 0 || !isBetweenFrames(receiver)) return 0
    let at = 0
    // Asked before each frame: whoever hears one may close the connection.
    while (at < chunk.length && this.#mayTake()) {
      const end = this.#takeFrame(chunk, at)
      if (end === at) break
      at = end
    }
    return at
  }
  #mayTake(): boolean {
    const { connection, decoder, hearer } = this
    return (
      connection.readyState === 'open' &&
      this.#webSocket?.readyState === OPEN &&
      hearer.socket.connected &&
      (connection.pingTimeoutTimer === null || connection.protocol === 3) &&
      !connection.upgrading &&
      !decoder.reconstructor
    )
  }
  /** Answers where the frame ends, or where it begins if it is not plain. */
  #takeFrame(chunk: Buffer, at: number): number {
    if (chunk[at] !== WHOLE_TEXT) return at
    const claimed = byteOf(chunk, at + 1) - MASKED
    if (claimed < 0 || claimed > LENGTH_16) return at
    const isLong = claimed === LENGTH_16
    const maskAt = at + (isLong ? 4 : 2)
    const length = isLong ? (byteOf(chunk, at + 2) << 8) | byteOf(chunk, at + 3) : claimed
    const end = maskAt + MASK_BYTES + length
    if (end > chunk.length || !isEvent(chunk, maskAt)) return at
    const isAscii = unmask(chunk, maskAt, end)
    return this.#hear(length, isAscii) ? end : at
  }
  /** What lies unmasked in the scratch. */
  #hear(length: number, isAscii: boolean): boolean {
    const end = MASK_BYTES + length
    const at = endOfId(end)
    const said = isAscii || isUtf8(scratch.subarray(at, end)) ? eventAt(at, end, isAscii) : null
    const event = said?.shift()
    if (!said || typeof event !== 'string') return false
    const { hearer } = this
    if (at > ID_AT) said.push(acknowledgementOn(hearer.socket, Number(scratch.toString('latin1', ID_AT, at))))
    try {
      return hearer.hear(event, said)
    } catch (cause) {
      // As it would be thrown behind Socket.IO: in a tick of its own, and not into `ws`.
      process.nextTick(fail, cause)
      return true
    }
  }
}

/** A receiver's `write`, one for all that have an inlet. */
function write(this: Receiver, chunk: unknown, encoding?: BufferEncoding, callback?: () => void): boolean {
  const inlet = this[INLET]
  if (!inlet || !Buffer.isBuffer(chunk)) return stockWrite.call(this, chunk, encoding, callback)
  const taken = inlet.take(this, chunk)
  if (taken > 0 && taken === chunk.length) return true
  const wantsMore = stockWrite.call(this, taken > 0 ? chunk.subarray(taken) : chunk, encoding, callback)
  inlet.wentLong()
  return wantsMore
}
const stockWrite = Reflect.get(Writable.prototype, 'write') as (this: Writable, ...args: unknown[]) => boolean
const isHeardSoon = (inlet: Inlet): void => process.nextTick(wasHeard, inlet)
const wasHeard = (inlet: Inlet): void => inlet.wasHeard()
function fail(cause: unknown): never {
  throw cause
}

/** Frames are unmasked here, with their mask in front: what goes the long way after all must be as it came. */
const scratch = Buffer.from(new ArrayBuffer(MASK_BYTES + MAX_PAYLOAD + 1))
const words = new Int32Array(scratch.buffer)
/** Answers whether all of it is ASCII. */
function unmask(chunk: Buffer, maskAt: number, end: number): boolean {
  chunk.copy(scratch, 0, maskAt, end)
  const size = end - maskAt
  const whole = size >> 2
  const mask = words[0] ?? 0
  let seen = 0
  for (let i = 1; i < whole; i++) {
    const word = (words[i] ?? 0) ^ mask
    words[i] = word
    seen |= word
  }
  for (let i = Math.max(whole * 4, MASK_BYTES); i < size; i++) {
    const byte = byteOf(scratch, i) ^ byteOf(scratch, i & 3)
    scratch[i] = byte
    seen |= byte
  }
  return (seen & BEYOND_ASCII) === 0
}
const byteOf = (bytes: Buffer, at: number): number => bytes[at] ?? 0
const isDigit = (byte: number): boolean => byte >= ZERO && byte <= NINE
function isEvent(chunk: Buffer, maskAt: number): boolean {
  const at = maskAt + MASK_BYTES
  const isMessage = (byteOf(chunk, at) ^ byteOf(chunk, maskAt)) === MESSAGE
  return isMessage && (byteOf(chunk, at + 1) ^ byteOf(chunk, maskAt + 1)) === EVENT
}
function endOfId(end: number): number {
  let at = ID_AT
  const last = Math.min(end, ID_AT + MAX_ID_DIGITS)
  while (at < last && isDigit(byteOf(scratch, at))) at += 1
  return at
}
/** Null: bad JSON, or not what follows an id. */
function eventAt(at: number, end: number, isAscii: boolean): unknown[] | null {
  if (at >= end || scratch[at] !== BRACKET) return null
  try {
    return JSON.parse(scratch.toString(isAscii ? 'latin1' : 'utf8', at, end)) as unknown[]
  } catch {
    return null
  }
}

const isBetweenFrames = ({ _state, _bufferedBytes, _fragmented, _errored, writableLength }: Receiver): boolean =>
  _state === AT_A_FRAME && _bufferedBytes === 0 && _fragmented === 0 && !_errored && writableLength === 0

function isConnection(part: unknown): part is Connection {
  const { readyState, protocol, upgrading, pingTimeoutTimer, transport, once } = part as Partial<Connection>
  const isTimed = pingTimeoutTimer === null || typeof pingTimeoutTimer === 'object'
  const isKnown = typeof readyState === 'string' && typeof protocol === 'number' && typeof upgrading === 'boolean'
  return isTimed && isKnown && typeof transport?.name === 'string' && typeof once === 'function'
}
/** One with settings that let each chunk be heard before the next, and refuse nothing that is taken here. */
function isReceiver(part: unknown): part is Receiver {
  if (!(part instanceof Writable) || part.write !== stockWrite) return false
  const { _isServer, _allowSynchronousEvents, _maxPayload } = part as Writable & Record<string, unknown>
  const isRoomy = typeof _maxPayload === 'number' && (_maxPayload === 0 || _maxPayload >= MAX_PAYLOAD)
  const isSet = _isServer === true && _allowSynchronousEvents === true && isRoomy
  return isSet && isOfKnownKind(part, (fresh) => isBetweenFrames(fresh as Receiver))
}
function isDecoder(part: unknown): part is Decoder {
  if (typeof part !== 'object' || part === null || !('opts' in part)) return false
  const { reviver } = part.opts as { reviver?: unknown }
  return reviver === undefined && isOfKnownKind(part, saysWhatItAwaits)
}
function saysWhatItAwaits(fresh: object): boolean {
  const decoder = fresh as Decoder & { add(packet: string): void }
  if (decoder.reconstructor) return false
  decoder.add('51-["name",{"_placeholder":true,"num":0}]')
  return Boolean(decoder.reconstructor)
}

/** Classes of the libraries, and whether their instances are as they are known here. */
const judged = new WeakMap<object, boolean>()
function isOfKnownKind(part: object, isKnown: (fresh: object) => boolean): boolean {
  const kind = part.constructor as new () => object
  const before = judged.get(kind)
  if (before !== undefined) return before
  let isGood = false
  try {
    isGood = isKnown(new kind())
  } catch {
    // It wants to be made or used in another way.
  }
  judged.set(kind, isGood)
  return isGood
}
