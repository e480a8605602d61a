// Keeps files in a bucket of S3, or of whatever speaks its protocol: small ones in one request, larger ones part by part.
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
  type CompletedPart,
  type GetObjectCommandOutput,
} from '@aws-sdk/client-s3'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { GatewayError } from '../model/errors'
import { Measure } from './measure'
import { Underway } from './underway'
import type { ByteRange, StoredBytes, Vault, WriteLimits, Written } from './vault'
import { checkKey, closedVault } from './vault-key'

export interface S3Options {
  readonly bucket: string
  /** `us-east-1` suits most that are not Amazon's. */
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** `https://s3.example.org`; absent: Amazon's own of the region. */
  readonly endpoint?: string | undefined
  /** The bucket in the path rather than in the host's name, as MinIO and others want it. */
  readonly pathStyle?: boolean | undefined
  /** Before every key, such as `files/`. */
  readonly prefix?: string | undefined
  /** How long one request may take, in milliseconds, repeats not counted; 30 s when it is not said. */
  readonly timeoutMs?: number | undefined
}

/** The smallest that S3 takes for a part, and all that a write holds in memory. */
const PART_BYTES = 5 * 1024 * 1024
const ATTEMPTS = 3
const CONNECT_MS = 3_000
const SOCKETS = 50
/** How S3 and its likes say that there is no room. */
const FULL = /StorageFull|QuotaExceeded|InsufficientCapacity|EntityTooLarge/

interface Target {
  readonly Bucket: string
  readonly Key: string
}

export class S3Vault implements Vault {
  readonly #client: S3Client
  readonly #bucket: string
  readonly #prefix: string
  readonly #timeoutMs: number
  readonly #closing = new AbortController()
  readonly #writes = new Underway()

  constructor(options: S3Options) {
    const { endpoint, region, accessKeyId, secretAccessKey, pathStyle = false } = options
    this.#bucket = options.bucket
    this.#prefix = options.prefix ?? ''
    this.#timeoutMs = options.timeoutMs ?? 30_000
    this.#client = new S3Client({
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: pathStyle,
      maxAttempts: ATTEMPTS,
      // Not every store understands the newer checksums; TLS and the length guard the way as they are.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: {
        connectionTimeout: CONNECT_MS,
        requestTimeout: this.#timeoutMs,
        throwOnRequestTimeout: true,
        socketTimeout: this.#timeoutMs,
        httpAgent: { maxSockets: SOCKETS },
        httpsAgent: { maxSockets: SOCKETS },
      },
      ...(endpoint !== undefined && { endpoint }),
    })
  }

  async write(key: string, bytes: Readable, limits: WriteLimits): Promise<Written> {
    checkKey(key)
    if (this.#closing.signal.aborted) throw closedVault()
    return this.#writes.add(this.#write(key, bytes, limits))
  }
  async #write(key: string, bytes: Readable, { maxBytes, signal }: WriteLimits): Promise<Written> {
    const closing = this.#closing.signal
    const until = signal ? AbortSignal.any([signal, closing]) : closing
    const object = new ObjectInParts(this.#client, this.#target(key), this.#until(until))
    const measure = new Measure(maxBytes)
    try {
      await pipeline(bytes, measure, (chunks: AsyncIterable<Buffer>) => object.take(chunks), { signal: until })
      return measure.result()
    } catch (cause) {
      bytes.destroy()
      await object.undo()
      if (closing.aborted) throw closedVault()
      signal?.throwIfAborted()
      throw refusal(cause)
    }
  }

  async read(key: string, range?: ByteRange): Promise<StoredBytes | null> {
    checkKey(key)
    const Range = range ? `bytes=${range.start}-${range.end}` : undefined
    const get = new GetObjectCommand({ ...this.#target(key), Range })
    try {
      return asStored(await this.#client.send(get, this.#until(this.#closing.signal)()), range !== undefined)
    } catch (cause) {
      if (cause instanceof S3ServiceException && cause.name === 'NoSuchKey') return null
      if (this.#closing.signal.aborted) throw closedVault()
      throw refusal(cause)
    }
  }

  async remove(key: string): Promise<void> {
    checkKey(key)
    const remove = new DeleteObjectCommand(this.#target(key))
    await this.#client.send(remove, this.#until(this.#closing.signal)()).catch((cause: unknown) => {
      throw refusal(cause)
    })
  }

  async sweep(before: Date): Promise<number> {
    const until = this.#until(this.#closing.signal)
    const list = new ListMultipartUploadsCommand({ Bucket: this.#bucket, Prefix: this.#prefix })
    try {
      const { Uploads = [] } = await this.#client.send(list, until())
      let swept = 0
      for (const { Key, UploadId, Initiated } of Uploads) {
        if (!Key || !UploadId || !Initiated || Initiated >= before) continue
        await this.#client.send(new AbortMultipartUploadCommand({ Bucket: this.#bucket, Key, UploadId }), until())
        swept += 1
      }
      return swept
    } catch (cause) {
      throw refusal(cause)
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#writes.ended()
    this.#client.destroy()
  }

  #target(key: string): Target {
    return { Bucket: this.#bucket, Key: `${this.#prefix}${key}` }
  }
  /** For each request anew: it ends when the caller's patience does, or its own time. */
  #until(signal: AbortSignal): () => { readonly abortSignal: AbortSignal } {
    return () => ({ abortSignal: AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs * ATTEMPTS)]) })
  }
}

/** One object on its way. It shows only once it is whole, which is how S3 is made. */
class ObjectInParts {
  readonly #client: S3Client
  readonly #target: Target
  readonly #until: () => { readonly abortSignal: AbortSignal }
  readonly #parts: CompletedPart[] = []
  #uploadId: string | undefined
  /** The request that makes it show was sent, and may have arrived even where no answer came. */
  #mayShow = false

  constructor(client: S3Client, target: Target, until: () => { readonly abortSignal: AbortSignal }) {
    this.#client = client
    this.#target = target
    this.#until = until
  }

  async take(chunks: AsyncIterable<Buffer>): Promise<void> {
    let held: Buffer[] = []
    let size = 0
    for await (const chunk of chunks) {
      held.push(chunk)
      size += chunk.length
      if (size < PART_BYTES) continue
      await this.#part(Buffer.concat(held))
      held = []
      size = 0
    }
    const rest = Buffer.concat(held)
    if (this.#uploadId === undefined) await this.#whole(rest)
    else {
      if (rest.length > 0) await this.#part(rest)
      await this.#complete()
    }
  }
  async #whole(Body: Buffer): Promise<void> {
    this.#mayShow = true
    const put = new PutObjectCommand({ ...this.#target, Body, ContentLength: Body.length })
    await this.#client.send(put, this.#until())
  }
  async #part(Body: Buffer): Promise<void> {
    this.#uploadId ??= (await this.#client.send(new CreateMultipartUploadCommand(this.#target), this.#until())).UploadId
    const PartNumber = this.#parts.length + 1
    const name = { ...this.#target, UploadId: this.#uploadId, PartNumber }
    const upload = new UploadPartCommand({ ...name, Body, ContentLength: Body.length })
    const { ETag } = await this.#client.send(upload, this.#until())
    this.#parts.push({ PartNumber, ETag })
  }
  async #complete(): Promise<void> {
    this.#mayShow = true
    const name = { ...this.#target, UploadId: this.#uploadId }
    const complete = new CompleteMultipartUploadCommand({ ...name, MultipartUpload: { Parts: this.#parts } })
    await this.#client.send(complete, this.#until())
  }

  /** As well as it goes: what stays behind, the sweep of the vault lets go. */
  async undo(): Promise<void> {
    const patience = () => ({ abortSignal: AbortSignal.timeout(CONNECT_MS) })
    const doomed: Promise<unknown>[] = []
    if (this.#uploadId !== undefined) {
      const abort = new AbortMultipartUploadCommand({ ...this.#target, UploadId: this.#uploadId })
      doomed.push(this.#client.send(abort, patience()))
    }
    if (this.#mayShow) doomed.push(this.#client.send(new DeleteObjectCommand(this.#target), patience()))
    await Promise.allSettled(doomed)
  }
}

function asStored({ Body, ContentLength, ContentRange }: GetObjectCommandOutput, isPart: boolean): StoredBytes {
  if (!(Body instanceof Readable)) throw new TypeError('The file store answered without a file')
  const size = Number(isPart ? ContentRange?.split('/')[1] : ContentLength)
  if (!Number.isNaN(size)) return { stream: Body, size }
  Body.destroy()
  throw new TypeError('The file store answered another range than it was asked for')
}

function refusal(cause: unknown): unknown {
  if (cause instanceof GatewayError) return cause
  if (cause instanceof S3ServiceException && (FULL.test(cause.name) || cause.$metadata.httpStatusCode === 507))
    return new GatewayError('storageFull', 'There is no room for this file now. Send it again later.', {
      cause,
      retryAfter: 60,
    })
  return new GatewayError('unavailable', 'Files cannot be kept or read now. Try again later.', {
    cause,
    retryAfter: 10,
  })
}
