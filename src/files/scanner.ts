// Asks a virus scanner about a file: ClamAV's clamd, by its INSTREAM command (man page clamd(8)). No answer is a no.
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { GatewayError } from '../model/errors'

export interface Scanner {
  /**
   * Resolves when the scanner finds nothing.
   * @throws GatewayError `invalidRequest` when it finds something, `tooLarge` when it takes no file of this size, and
   * `unavailable`, retryable, when it gives no answer in time
   */
  scan(bytes: Readable, signal?: AbortSignal): Promise<void>
}

const CONNECT_MS = 5_000
/** `stream: <name of the find> FOUND` and the like. */
const MAX_ANSWER = 4_096
const END = Buffer.alloc(4)

export class ClamdScanner implements Scanner {
  readonly #address: NetConnectOpts
  readonly #timeoutMs: number

  /**
   * @param options.url `tcp://host:3310` or `unix:/path/to/clamd.ctl`
   * @param options.timeoutMs for one file, from connecting to the answer; 60 s when it is not said
   * @throws GatewayError `invalidRequest` when the address is neither
   */
  constructor({ url, timeoutMs = 60_000 }: { readonly url: string; readonly timeoutMs?: number }) {
    this.#address = addressOf(url)
    this.#timeoutMs = timeoutMs
  }

  async scan(bytes: Readable, signal?: AbortSignal): Promise<void> {
    const late = AbortSignal.timeout(this.#timeoutMs)
    const until = signal ? AbortSignal.any([signal, late]) : late
    let answer: string
    try {
      answer = await this.#ask(bytes, until)
    } catch (cause) {
      signal?.throwIfAborted()
      throw noAnswer(cause)
    } finally {
      bytes.destroy()
    }
    judge(answer)
  }

  async #ask(bytes: Readable, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted()
    const socket = connect(this.#address)
    const early = setTimeout(() => socket.destroy(new Error('No connection in time')), CONNECT_MS)
    socket.once('connect', () => clearTimeout(early))
    const onAbort = () => socket.destroy(new Error('No answer in time'))
    signal.addEventListener('abort', onAbort)
    try {
      const answer = answerOn(socket)
      return await Promise.race([answer, send(socket, bytes).then(() => answer)])
    } finally {
      clearTimeout(early)
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
    }
  }
}

function addressOf(url: string): NetConnectOpts {
  const path = /^unix:(?:\/\/)?(\/.+)$/.exec(url)?.[1]
  if (path) return { path }
  const [, host, port] = /^tcp:\/\/(\[[0-9a-f:.]+\]|[^:/?#\s@]+):(\d{1,5})\/?$/i.exec(url) ?? []
  if (!host || !port || Number(port) > 65_535)
    throw new GatewayError('invalidRequest', 'A scanner’s address is tcp://host:port or unix:/path.')
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
}

/**
 * Fails when the bytes do. It answers early what it will not take, and hangs up: what is still to be sent fails then, and
 * the answer says more.
 */
async function send(socket: Socket, bytes: Readable): Promise<void> {
  if (!(await write(socket, Buffer.from('zINSTREAM\0')))) return
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    if (chunk.length === 0) continue
    const length = Buffer.alloc(4)
    length.writeUInt32BE(chunk.length)
    if (!(await write(socket, Buffer.concat([length, chunk])))) return
  }
  await write(socket, END)
}
const write = (socket: Socket, bytes: Buffer): Promise<boolean> =>
  new Promise((resolve) => {
    socket.write(bytes, (error) => resolve(!error))
  })

function answerOn(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
      const end = text.indexOf('\0')
      if (end >= 0) resolve(text.slice(0, end))
      else if (text.length > MAX_ANSWER) reject(new Error('No answer of clamd'))
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('It hung up without an answer')))
  })
}

function judge(answer: string): void {
  if (/^(?:\S+: )?OK$/.test(answer)) return
  if (answer.endsWith(' FOUND'))
    throw new GatewayError('invalidRequest', 'The virus scanner found something in this file. It was not kept.', {
      cause: new Error(answer),
    })
  if (/size limit exceeded/i.test(answer))
    throw new GatewayError('tooLarge', 'The file is too large for the virus scanner. Send a smaller one.')
  throw noAnswer(new Error(`clamd answered: ${answer.slice(0, 200)}`))
}

const noAnswer = (cause: unknown): GatewayError =>
  new GatewayError('unavailable', 'Files cannot be checked for viruses now, so none is taken. Send it again later.', {
    cause,
    retryAfter: 30,
  })
