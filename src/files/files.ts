// Files that people send in a conversation: received, looked at, kept, handed out, erased.
import { pipeline, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { GatewayError, notYours } from '../model/errors'
import type { FileId, ParticipantId, Place, Tenant } from '../model/ids'
import { newFileId } from '../model/new-id'
import { Turns } from '../model/turns'
import type { FileRow, FileStore, FileUsage } from '../store/file-store'
import { answerFor, type Conditions, type FileAnswer } from './download'
import { fileName } from './file-name'
import { isPicture, isText, kindOf, mediaTypeOf, namedAs, sampleSize, TextGuard } from './kind'
import { DEFAULT_KINDS, type Kind } from './kinds'
import type { Variant } from './links'
import { receiveFile, type ArrivingFile, type FormRequest } from './multipart'
import { peek } from './peek'
import type { Scanner } from './scanner'
import type { Thumbnails } from './thumbnail'
import type { Vault } from './vault'

export type { FileRow }

export interface FileOptions {
  /** Of one file, in bytes; 25 MB when it is not said. */
  readonly maxBytes?: number
  /** What one conversation may hold; 100 files and 250 MB when it is not said. */
  readonly perConversation?: FileUsage
  /** How long a file may take to arrive, and how long nothing of it may, in milliseconds; 2 minutes and 10 s. */
  readonly totalMs?: number
  readonly idleMs?: number
  /** At once on this node; 32 when it is not said. Each takes up to some megabytes of memory. */
  readonly maxUploads?: number
  /** Those that wait for their turn, unread; 256 when it is not said. One more is refused. */
  readonly maxWaiting?: number
  /** How long one waits for its turn before it is refused, in milliseconds; half a minute. */
  readonly turnMs?: number
  readonly kinds?: readonly Kind[]
}
export interface FilesDeps {
  readonly store: FileStore
  readonly vault: Vault
  readonly thumbnails: Thumbnails
  /** Null: nobody looks for viruses. */
  readonly scanner: Scanner | null
  readonly tenant: Tenant
  readonly now: () => Date
  readonly onFault: (cause: unknown) => void
  readonly options?: FileOptions
}
export interface Asked {
  readonly variant: Variant
  readonly method: 'GET' | 'HEAD'
  /** The headers of the request. */
  readonly conditions: Conditions
}
export interface Answered {
  readonly answer: FileAnswer
  /** The body, to be read to its end or destroyed; null where there is none. */
  readonly stream: Readable | null
}

const MB = 1024 * 1024
const SWEEP_MS = 10 * 60_000
/** What is still uploading after that has no process any more: far longer than any upload may take. */
const ABANDONED_MS = 60 * 60_000
const SWEEP_SIZE = 100
const THUMBNAIL_ENDINGS = { 'image/jpeg': '.jpg', 'image/png': '.png' } as const
/** For the ending that `namedAs` may put behind a name. */
const ENDING_BYTES = 5
const BUSY_SECONDS = 5

export class Files {
  readonly #deps: FilesDeps
  readonly #options: Required<FileOptions>
  readonly #closing = new AbortController()
  readonly #uploads = new Set<Promise<unknown>>()
  readonly #timer: NodeJS.Timeout
  readonly #turns: Turns
  /** Each is a commit, for which those of messages would wait in a row. */
  readonly #rows = new Turns({ atOnce: 1, waiting: Infinity })
  #round: Promise<void> | null = null

  constructor(deps: FilesDeps) {
    this.#deps = deps
    this.#options = {
      maxBytes: 25 * MB,
      perConversation: { files: 100, bytes: 250 * MB },
      totalMs: 120_000,
      idleMs: 10_000,
      maxUploads: 32,
      maxWaiting: 256,
      turnMs: 30_000,
      kinds: DEFAULT_KINDS,
      ...deps.options,
    }
    this.#turns = new Turns({ atOnce: this.#options.maxUploads, waiting: this.#options.maxWaiting })
    this.#timer = setInterval(() => this.#beginSweep(), SWEEP_MS)
  }

  /**
   * Receives the one file of a form. Whether this participant may speak in this conversation is for the caller to know.
   * When it is answered the file is there; when it fails nothing of it is, or is swept away.
   * @throws GatewayError `invalidRequest`, `tooLarge` (the file, or all of the conversation's), `unsupportedMediaType`,
   * `timeout`, `tooManyRequests`, `storageFull`, `unavailable`; `notFound` when the conversation was erased meanwhile
   */
  async upload(
    place: Place,
    participantId: ParticipantId,
    request: FormRequest,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<FileRow> {
    if (this.#closing.signal.aborted) throw stopping()
    if (this.#turns.full) throw tooMany()
    const closing = this.#closing.signal
    const until = signal ? AbortSignal.any([signal, closing]) : closing
    const { maxBytes, totalMs, idleMs } = this.#options
    const limits = { maxBytes, totalMs, idleMs, signal: until }
    await this.#turn(until)
    const most = mostOf(request, maxBytes)
    const uploading = receiveFile(request, limits, (file) =>
      this.#take({ place, participantId, file, most, signal: until }),
    )
    this.#uploads.add(uploading)
    try {
      return await uploading
    } finally {
      this.#uploads.delete(uploading)
      this.#turns.done()
    }
  }
  /** Meanwhile nothing of the request is read: its sender waits, too. */
  async #turn(until: AbortSignal): Promise<void> {
    const late = AbortSignal.timeout(this.#options.turnMs)
    await this.#turns.next(AbortSignal.any([until, late])).catch((cause: unknown) => {
      throw until.aborted ? cause : tooMany()
    })
  }

  /**
   * Keeps a small file that came within a message.
   * @throws GatewayError as `upload`
   */
  async keep(place: Place, participantId: ParticipantId, file: { name: string; bytes: Buffer }): Promise<FileRow> {
    const { signal } = this.#closing
    if (signal.aborted) throw stopping()
    const arriving = { name: file.name, bytes: Readable.from([file.bytes]) }
    const keeping = this.#take({ place, participantId, file: arriving, most: file.bytes.length, signal })
    this.#uploads.add(keeping)
    try {
      return await keeping
    } finally {
      this.#uploads.delete(keeping)
    }
  }
  /** Takes back a file that nobody was told of. */
  async discard(row: FileRow): Promise<void> {
    await this.#forget(row)
  }

  async #take({ place, participantId, file, most, signal }: Taking): Promise<FileRow> {
    const { kinds, perConversation } = this.#options
    const { store } = this.#deps
    const { sample, whole } = await peek(file.bytes, sampleSize)
    if (sample.length === 0)
      throw new GatewayError('invalidRequest', 'The file is empty. Send one with something in it.')
    const name = fileName(file.name, ENDING_BYTES)
    const kind = await kindOf(sample, name, kinds)
    const coming: FileRow = {
      ...{ tenant: place.tenant, conversationId: place.conversationId, participantId, id: newFileId() },
      ...{ name: namedAs(kind, name), mediaType: '', size: most, sha256: '' },
      ...{ width: null, height: null, thumbnail: null },
      createdAt: this.#deps.now().toISOString(),
      state: 'uploading',
    }
    if (!(await this.#rows.take(() => store.add(coming, perConversation)))) throw noRoom(perConversation)
    let ready: FileRow
    try {
      ready = await this.#keep(coming, kind, { whole, signal })
    } catch (cause) {
      await this.#discard(coming)
      throw cause
    }
    // When this gets no answer nobody knows whether it was written, so nothing is thrown away: the sweep sees which.
    if (await this.#rows.take(() => store.finish(ready))) return ready
    await this.#discard(coming)
    throw notYours()
  }

  async #keep(
    coming: FileRow,
    kind: Kind,
    { whole, signal }: { whole: Readable; signal: AbortSignal },
  ): Promise<FileRow> {
    const { vault, scanner } = this.#deps
    const { id } = coming
    const bytes = isText(kind) ? guarded(whole, this.#options.kinds) : whole
    const written = await vault.write(id, bytes, { maxBytes: this.#options.maxBytes, signal })
    if (scanner) await scanner.scan(await this.#readBack(id), signal)
    const picture = isPicture(kind) ? await this.#picture(id, signal) : {}
    return { ...coming, ...written, ...picture, mediaType: mediaTypeOf(kind), state: 'ready' }
  }
  async #readBack(id: FileId): Promise<Readable> {
    const stored = await this.#deps.vault.read(id)
    if (!stored)
      throw new GatewayError('unavailable', 'The file was lost on its way. Send it again.', { retryAfter: 1 })
    return stored.stream
  }
  async #picture(
    id: FileId,
    signal: AbortSignal,
  ): Promise<Pick<FileRow, 'width' | 'height' | 'thumbnail'> | Record<string, never>> {
    const { vault, thumbnails } = this.#deps
    const made = await thumbnails.make(async () => vault.pathOf?.(id) ?? this.#readBack(id))
    signal.throwIfAborted()
    if (!made) return {}
    const key = `${id}${THUMBNAIL_ENDINGS[made.mediaType]}`
    await vault.write(key, Readable.from([made.bytes]), { maxBytes: made.bytes.length, signal })
    return { width: made.width, height: made.height, thumbnail: key }
  }

  /** A file that is ready; null for every other. */
  async find(tenant: Tenant, id: FileId): Promise<FileRow | null> {
    const row = await this.#deps.store.find(tenant, id)
    return row?.state === 'ready' ? row : null
  }

  /** The bytes of a file's small picture; null when it has none. */
  async thumbnail(tenant: Tenant, id: FileId): Promise<Buffer | null> {
    const row = await this.find(tenant, id)
    const stored = row?.thumbnail == null ? null : await this.#deps.vault.read(row.thumbnail)
    return stored && buffer(stored.stream)
  }

  /** Everything that an answer to a request for a file needs; null when there is none to be seen. */
  async open(tenant: Tenant, id: FileId, asked: Asked): Promise<Answered | null> {
    const row = await this.find(tenant, id)
    if (!row) return null
    return asked.variant === 'original' ? this.#original(row, asked) : this.#thumbnail(row, asked)
  }
  async #original(row: FileRow, { method, conditions }: Asked): Promise<Answered | null> {
    const answer = answerFor({ ...row, tag: row.sha256 }, method, conditions)
    if (answer.body === null) return { answer, stream: null }
    const stored = await this.#deps.vault.read(row.id, answer.body === 'all' ? undefined : answer.body)
    return stored && { answer, stream: stored.stream }
  }
  async #thumbnail({ name, sha256, thumbnail }: FileRow, { method, conditions }: Asked): Promise<Answered | null> {
    const stored = thumbnail === null ? null : await this.#deps.vault.read(thumbnail)
    if (!stored) return null
    const mediaType = thumbnail?.endsWith(THUMBNAIL_ENDINGS['image/png']) ? 'image/png' : 'image/jpeg'
    const kind = mediaType === 'image/png' ? 'png' : 'jpeg'
    const small = { mediaType, name: namedAs(kind, name), size: stored.size, tag: `${sha256}-small` }
    // So small that nobody reads it in parts.
    const answer = answerFor(small, method, { 'if-none-match': conditions['if-none-match'] })
    if (answer.body !== null) return { answer, stream: stored.stream }
    stored.stream.destroy()
    return { answer, stream: null }
  }

  /**
   * Erases all files of a conversation, for good: nobody sees one from the first moment on. What cannot be deleted now is
   * deleted by a later sweep; so is what is still arriving, by whoever receives it. Answers how many there were.
   * @throws GatewayError `unavailable`: repeat it
   */
  async erase({ tenant, conversationId }: Place): Promise<number> {
    const rows = await this.#deps.store.erase(tenant, conversationId)
    for (const row of rows) await this.#forget(row)
    return rows.length
  }

  /** Breaks off what is arriving, cleans up behind it, and waits for the step of the sweep under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#closing.abort(stopping())
    await Promise.allSettled([...this.#uploads, this.#round])
  }

  /** Bytes first: as long as there is a row, somebody comes back for what is left. */
  async #forget({ tenant, id }: FileRow): Promise<void> {
    for (const ending of ['', ...Object.values(THUMBNAIL_ENDINGS)]) await this.#deps.vault.remove(`${id}${ending}`)
    await this.#deps.store.remove(tenant, id)
  }
  async #discard(row: FileRow): Promise<void> {
    await this.#forget(row).catch(this.#deps.onFault) // the sweep comes by
  }

  /** A round that takes longer than the interval goes on alone. */
  #beginSweep(): void {
    this.#round ??= this.sweep()
      .catch(this.#deps.onFault)
      .finally(() => {
        this.#round = null
      })
  }
  /** Lets go what uploads left behind whose process died, and what was erased and not deleted; in small steps. */
  async sweep(): Promise<void> {
    const { store, vault, tenant, now } = this.#deps
    const before = new Date(now().getTime() - ABANDONED_MS)
    for (;;) {
      const rows = await store.unfinished(tenant, before.toISOString(), SWEEP_SIZE)
      for (const row of rows) {
        if (this.#closing.signal.aborted) return
        await this.#forget(row)
      }
      if (rows.length < SWEEP_SIZE) break
    }
    while (!this.#closing.signal.aborted && (await vault.sweep(before)) > 0);
  }
}

interface Taking {
  readonly place: Place
  readonly participantId: ParticipantId
  readonly file: ArrivingFile
  /** Bytes that it may have: so much room it takes while it arrives. */
  readonly most: number
  readonly signal: AbortSignal
}

/** A form that says how long it is has no longer file in it. */
function mostOf({ headers }: FormRequest, maxBytes: number): number {
  const length = Number(headers['content-length'])
  return Number.isSafeInteger(length) && length > 0 ? Math.min(length, maxBytes) : maxBytes
}

/** Fails with what the guard found. */
function guarded(bytes: Readable, kinds: readonly Kind[]): Readable {
  const guard = new TextGuard(kinds)
  pipeline(bytes, guard, () => undefined) // whoever reads the guard hears it
  return guard
}

const tooMany = (): GatewayError =>
  new GatewayError('tooManyRequests', 'Too many files are arriving at once. Send it again in a moment.', {
    retryAfter: BUSY_SECONDS,
  })
const noRoom = ({ files, bytes }: FileUsage): GatewayError =>
  new GatewayError(
    'tooLarge',
    `This conversation holds as much as it may: ${files} files, and ${Math.floor(bytes / MB)} MB of them. Start a new one.`,
  )
const stopping = (): GatewayError =>
  new GatewayError('unavailable', 'The gateway is stopping. Send the file again.', { retryAfter: 1 })
