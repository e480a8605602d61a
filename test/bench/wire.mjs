// @ts-check
// A Socket.IO 5 client over Engine.IO 4 over WebSocket on a raw TCP socket, with as little work per frame as can be.
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'

/** Not zero: a key of zeroes would spare the server its unmasking, which no real client does. */
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d])
const PONG = maskedFrame('3')
const NOTHING = Buffer.alloc(0)
/** One for all sockets: what is read into it is used up, or copied, before the next read. */
const readBuffer = Buffer.allocUnsafe(256 * 1024)
const OPEN_WITHIN = 20_000

/** @param {string} text at most 64 KB */
export function maskedFrame(text) {
  const payload = Buffer.from(text)
  const { length } = payload
  if (length > 0xffff) throw new Error('The bench sends frames of at most 64 KB.')
  for (let i = 0; i < length; i++) payload[i] = (payload[i] ?? 0) ^ (MASK[i & 3] ?? 0)
  const head = length < 126 ? [0x81, 0x80 | length] : [0x81, 0xfe, length >> 8, length & 255]
  return Buffer.concat([Buffer.from(head), MASK, payload])
}

/**
 * Writes digits into a frame that is masked already. `at` counts from the start of the payload.
 * @param {Buffer} frame @param {{ at: number, digits: number }} field @param {number} value
 */
export function patchDigits(frame, { at, digits }, value) {
  const head = (frame[1] ?? 0) === 0xfe ? 8 : 6
  let rest = value
  for (let i = at + digits - 1; i >= at; i--) {
    frame[head + i] = (48 + (rest % 10)) ^ (MASK[i & 3] ?? 0)
    rest = Math.floor(rest / 10)
  }
}

/** The digits that stand there, up to the first other byte. @param {Buffer} data @param {number} at @param {number} end */
export function digitsAt(data, at, end) {
  let value = 0
  for (let i = at; i < end; i++) {
    const digit = (data[i] ?? 0) - 48
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
  }
  return value
}

export class Connection {
  pings = 0
  /** The server's answer to the CONNECT. @type {{ sid: string, pid?: string } | undefined} */
  session
  /** Hears each packet but pings while the load runs: the bytes from `from` to `to`, valid during the call only.
   * @type {((data: Buffer, from: number, to: number) => void) | null} */
  heard = null
  /** Hears each event while nobody else hears its bytes. @type {(event: string, ...body: any[]) => void} */
  told = () => {}
  /** Hears why the server hung up. @type {(reason: string) => void} */
  lost = () => {}
  #rest = NOTHING
  #upgraded = false
  #closing = false
  #nextAck = 0
  /** @type {Map<string, (body: any) => void>} */
  #acks = new Map()
  /** @type {ReturnType<typeof withResolvers>} */
  #opened = withResolvers()
  #socket
  #auth

  /** @param {URL} url @param {object} [auth] what the client shows on its CONNECT */
  constructor(url, auth) {
    this.#auth = auth
    this.#socket = connect({
      host: url.hostname,
      port: Number(url.port),
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (count, buffer) => {
          this.#read(/** @type {Buffer} */ (buffer).subarray(0, count))
          return true
        },
      },
    })
    this.#socket.on('error', (error) => this.#fail(error.message))
    this.#socket.on('close', () => this.#fail('the socket was closed'))
    this.#socket.write(handshake(url))
  }

  /** Resolves when the server has accepted the Socket.IO CONNECT. */
  opened() {
    return within(this.#opened.promise, 'the Socket.IO handshake')
  }

  /** @param {string} event @param {object} body @returns {Promise<any>} the acknowledgement */
  call(event, body) {
    const id = String(this.#nextAck++)
    const { promise, resolve } = withResolvers()
    this.#acks.set(id, resolve)
    this.write(maskedFrame(`42${id}${JSON.stringify([event, body])}`))
    return within(promise, `the acknowledgement of ${event}`)
  }

  /** @param {Buffer} frame never changed afterwards */
  write(frame) {
    this.#socket.write(frame)
  }

  close() {
    this.#closing = true
    this.#socket.destroy()
  }

  /** @param {Buffer} chunk */
  #read(chunk) {
    const data = this.#rest.length ? Buffer.concat([this.#rest, chunk]) : chunk
    const used = this.#upgraded ? this.#frames(data, 0) : this.#upgrade(data)
    this.#rest = used < data.length ? Buffer.from(data.subarray(used)) : NOTHING
  }

  /** @param {Buffer} data @returns {number} how many bytes are used up */
  #upgrade(data) {
    const end = data.indexOf('\r\n\r\n')
    if (end < 0) return 0
    const status = data.toString('latin1', 0, data.indexOf('\r\n'))
    if (!status.includes(' 101 ')) this.#fail(`the upgrade was answered with ${status}`)
    this.#upgraded = true
    return this.#frames(data, end + 4)
  }

  /** @param {Buffer} data @param {number} at where a frame begins @returns {number} where the unfinished one begins */
  #frames(data, at) {
    for (;;) {
      const there = data.length - at
      if (there < 2) return at
      let length = (data[at + 1] ?? 0) & 127
      let head = 2
      if (length === 126) {
        if (there < 4) return at
        length = data.readUInt16BE(at + 2)
        head = 4
      } else if (length === 127) {
        if (there < 10) return at
        length = data.readUInt32BE(at + 6)
        head = 10
      }
      if (there < head + length) return at
      this.#frame(data, at, at + head, at + head + length)
      at += head + length
    }
  }

  /** @param {Buffer} data @param {number} start @param {number} from @param {number} to */
  #frame(data, start, from, to) {
    const opcode = (data[start] ?? 0) & 15
    if (opcode === 8) return this.#fail('the server closed the WebSocket')
    if (opcode !== 1) return this.#fail(`a WebSocket frame of kind ${opcode} was not expected`)
    if (to - from === 1 && data[from] === 50) {
      this.pings++
      return this.write(PONG)
    }
    if (this.heard) return this.heard(data, from, to)
    this.#packet(data.toString('utf8', from, to))
  }

  /** Before the load there is time to parse. @param {string} text */
  #packet(text) {
    if (text.startsWith('0')) return this.write(maskedFrame(this.#auth ? `40${JSON.stringify(this.#auth)}` : '40'))
    if (text.startsWith('40')) {
      this.session = JSON.parse(text.slice(2))
      return this.#opened.resolve()
    }
    if (text.startsWith('42')) return this.#tell(JSON.parse(text.slice(2)))
    if (text.startsWith('44') || text.startsWith('41')) return this.#fail(`the server refused: ${text}`)
    const ack = /^43(\d+)/.exec(text)
    if (!ack?.[1]) return
    this.#acks.get(ack[1])?.(JSON.parse(text.slice(ack[0].length))[0])
    this.#acks.delete(ack[1])
  }

  /** @param {[event: string, ...body: any[]]} packet */
  #tell([event, ...body]) {
    this.told(event, ...body)
  }

  /** @param {string} reason */
  #fail(reason) {
    if (this.#closing) return
    this.close()
    this.#opened.reject(new Error(reason))
    this.lost(reason)
  }
}

/** @param {URL} url */
function handshake(url) {
  const path = `${url.pathname.replace(/\/$/, '')}/socket.io/?EIO=4&transport=websocket`
  const key = randomBytes(16).toString('base64')
  return [
    `GET ${path} HTTP/1.1`,
    `Host: ${url.host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}\r\n\r\n`,
  ].join('\r\n')
}

/** `Promise.withResolvers` is younger than Node 20. @returns {{ promise: Promise<any>, resolve: (value?: any) => void, reject: (error: Error) => void }} */
function withResolvers() {
  /** @type {any} */
  const parts = {}
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }))
  parts.promise.catch(() => {}) // a connection may fail before anybody waits for it
  return parts
}

/** @template T @param {Promise<T>} promise @param {string} what @returns {Promise<T>} */
async function within(promise, what) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${OPEN_WITHIN / 1000} s`)), OPEN_WITHIN)
  })
  try {
    return await Promise.race([promise, /** @type {Promise<never>} */ (late)])
  } finally {
    clearTimeout(timer)
  }
}
