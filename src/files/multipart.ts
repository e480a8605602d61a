// Receives one file in a form (multipart/form-data), as a stream under hard limits: what is wrong with the form is known before the stream ends.
import busboy, { type Busboy } from 'busboy'
import type { IncomingHttpHeaders } from 'node:http'
import { PassThrough, type Readable, type Transform } from 'node:stream'
import { GatewayError, toGatewayError } from '../model/errors'
import { tooLarge } from './measure'
import type { Pace } from './pace'
import { Spent } from './spent'

/** A request as Node gives it, of which nothing was read. The memory of its chunks is given back: nobody else may look at them. */
export interface FormRequest {
  readonly stream: Readable
  readonly headers: IncomingHttpHeaders
}
export interface FormLimits {
  /** Of the file, in bytes. */
  readonly maxBytes: number
  /** Until the last byte of the form has arrived, in milliseconds. */
  readonly totalMs: number
  /** Without a byte although we wait for one, in milliseconds. */
  readonly idleMs: number
  readonly signal?: AbortSignal | undefined
  /** That of all files of this gateway. */
  readonly pace: Pace
}
export interface ArrivingFile {
  /** As its sender wrote it. */
  readonly name: string | undefined
  /**
   * To be read to its end, which comes only after all of the form has come and is sound; it fails with what the sender
   * is to hear.
   */
  readonly bytes: Readable
  /** To be told how many of the bytes are not looked at any more: what they arrived in is given back. */
  readonly taken?: (bytes: number) => void
}

/** All of a form that is not the file. */
const FORM_BYTES = 64 * 1024
const MAX_FIELDS = 10
const MAX_PARTS = 20
const FIELD_NAME_BYTES = 100
const FIELD_BYTES = 1_024
const HEADERS_OF_A_PART = 20
/** A refusal is read only by who may go on sending for a while. */
const LINGER_MS = 5_000

/**
 * Hands the one file of a form to `take` while it arrives, and answers what that answers. Other fields are skipped.
 * After a failure what still comes is thrown away for 5 s, so that the sender can read the answer; then the connection is
 * cut. Close it with the answer.
 * @throws GatewayError `invalidRequest`, `tooLarge`, `unsupportedMediaType`, `timeout`; what `take` threw
 */
export async function receiveFile<T>(
  request: FormRequest,
  limits: FormLimits,
  take: (file: ArrivingFile) => Promise<T>,
): Promise<T> {
  try {
    return await new Reception(request, limits, take).run()
  } catch (cause) {
    linger(request.stream)
    throw cause
  }
}

class Reception<T> {
  readonly #request: Readable
  readonly #headers: IncomingHttpHeaders
  readonly #limits: FormLimits
  readonly #take: (file: ArrivingFile) => Promise<T>
  readonly #paced: Transform
  readonly #spent = new Spent()
  #form: Busboy | null = null
  #bytes: PassThrough | null = null
  #taking: Promise<T> | null = null
  #failure: Error | null = null
  #ended: () => void = () => undefined

  constructor({ stream, headers }: FormRequest, limits: FormLimits, take: (file: ArrivingFile) => Promise<T>) {
    this.#request = stream
    this.#headers = headers
    this.#limits = limits
    this.#paced = limits.pace.through()
    this.#take = take
  }

  async run(): Promise<T> {
    const { maxBytes } = this.#limits
    const form = formOf(this.#headers, maxBytes)
    this.#form = form
    const ended = new Promise<void>((resolve) => (this.#ended = resolve))
    const unwatch = this.#watch()
    this.#hear(form)
    this.#paced.on('data', (chunk: Buffer) => this.#spent.add(chunk))
    this.#request.pipe(this.#paced).pipe(form)
    await ended
    unwatch()
    const taken = await this.#taking?.catch((cause: unknown) => this.#fail(cause))
    if (this.#failure) throw this.#failure
    if (!this.#taking) throw new GatewayError('invalidRequest', 'There is no file in this form. Send exactly one.')
    this.#spent.all()
    // Without a failure it was not caught above.
    return taken as T
  }

  #hear(form: Busboy): void {
    const tooMany = (what: string) => () =>
      this.#fail(new GatewayError('invalidRequest', `There are too many ${what} in this form. Send exactly one file.`))
    form.on('file', (_field, file, { filename }) => {
      file.on('error', (cause) => this.#fail(malformed(cause)))
      file.on('limit', () => this.#fail(tooLarge(this.#limits.maxBytes)))
      if (this.#failure) {
        file.resume()
        return
      }
      this.#spent.begin()
      file.on('end', () => this.#spent.end())
      const bytes = new PassThrough()
      bytes.on('error', () => undefined) // whoever reads hears it; nobody may have begun
      this.#bytes = bytes
      file.pipe(bytes, { end: false })
      this.#taking = this.#take({ name: filename, bytes, taken: (count) => this.#spent.upTo(count) })
      this.#taking.catch((cause: unknown) => this.#fail(cause))
    })
    form.on('filesLimit', tooMany('files'))
    form.on('fieldsLimit', tooMany('fields'))
    form.on('partsLimit', tooMany('parts'))
    form.on('error', (cause) => this.#fail(malformed(cause)))
    form.on('close', () => {
      if (this.#failure) return
      this.#bytes?.end()
      this.#ended()
    })
  }

  /** Watches size and time; answers what ends that. */
  #watch(): () => void {
    const { totalMs, idleMs, maxBytes, signal } = this.#limits
    const request = this.#request
    const late = () => this.#fail(tooSlow())
    const total = setTimeout(late, totalMs)
    const idle = setTimeout(() => {
      // Held up by us, not by the sender.
      if (request.isPaused()) idle.refresh()
      else late()
    }, idleMs)
    // All of it is here: what is still to be waited for is up to us.
    request.once('end', () => clearTimeout(idle))
    let size = 0
    const onData = (chunk: Buffer) => {
      idle.refresh()
      size += chunk.length
      if (size > maxBytes + FORM_BYTES) this.#fail(tooLarge(maxBytes))
    }
    const onClose = () => {
      if (!request.readableEnded) this.#fail(brokenOff())
    }
    const onAbort = () => this.#fail(signal?.reason)
    request.on('data', onData)
    request.on('error', onClose)
    request.on('close', onClose)
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted) onAbort()
    else if (request.destroyed) onClose()
    return () => {
      clearTimeout(total)
      clearTimeout(idle)
      request.off('data', onData)
      request.off('close', onClose)
      signal?.removeEventListener('abort', onAbort)
      // The listener for errors stays: one that comes late must find somebody.
    }
  }

  /** The first failure is the one that is told. */
  #fail(cause: unknown): void {
    if (this.#failure) return
    this.#failure = toGatewayError(cause)
    this.#request.unpipe(this.#paced)
    if (this.#form) this.#paced.unpipe(this.#form)
    this.#bytes?.destroy(this.#failure)
    // Not at once: busboy tells of a limit amid its work, and breaks when it is gone afterwards.
    setImmediate(() => this.#form?.destroy())
    this.#ended()
  }
}

function formOf(headers: IncomingHttpHeaders, maxBytes: number): Busboy {
  if (!/^multipart\/form-data\b/i.test(headers['content-type'] ?? '') || headers['content-encoding'] !== undefined)
    throw new GatewayError('unsupportedMediaType', 'Send the file in a form: Content-Type: multipart/form-data.')
  if (Number(headers['content-length'] ?? 0) > maxBytes + FORM_BYTES) throw tooLarge(maxBytes)
  try {
    return busboy({
      headers,
      defParamCharset: 'utf8',
      limits: {
        files: 1,
        // One more, and it is cut: the sign that there was more.
        fileSize: maxBytes + 1,
        fields: MAX_FIELDS,
        parts: MAX_PARTS,
        fieldNameSize: FIELD_NAME_BYTES,
        fieldSize: FIELD_BYTES,
        headerPairs: HEADERS_OF_A_PART,
      },
    })
  } catch (cause) {
    throw malformed(cause)
  }
}

const lingering = new WeakSet<Readable>()
/** For whoever refuses a form, read or unread: its sender gets to read why, and is cut off when they do not stop. */
export function linger(stream: Readable): void {
  if (stream.destroyed || stream.readableEnded || lingering.has(stream)) return
  lingering.add(stream)
  stream.on('error', () => undefined)
  const cut = setTimeout(() => stream.destroy(), LINGER_MS)
  cut.unref()
  stream.once('close', () => clearTimeout(cut))
  stream.once('end', () => clearTimeout(cut))
  stream.resume()
}

const malformed = (cause: unknown): GatewayError =>
  new GatewayError('invalidRequest', 'This is no whole form. Send one file as multipart/form-data, to its end.', {
    cause,
  })
const tooSlow = (): GatewayError =>
  new GatewayError('timeout', 'The file took too long to arrive. Send it again, or a smaller one.')
const brokenOff = (): GatewayError =>
  new GatewayError('invalidRequest', 'The upload was broken off before its end. Send the file again.')
