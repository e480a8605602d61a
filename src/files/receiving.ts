// Receives what people send: in turn, looked at, kept whole or not at all.
import { pipeline, Readable } from 'node:stream'
import { GatewayError, notYours } from '../model/errors'
import type { FileId, ParticipantId, Place } from '../model/ids'
import { newFileId } from '../model/new-id'
import { Overdue, Turns } from '../model/turns'
import type { FileRow, FileStore, FileUsage } from '../store/file-store'
import { fileName } from './file-name'
import { encodingOf, isPicture, isText, kindOf, mediaTypeOf, namedAs, sampleSize, TextGuard } from './kind'
import { DEFAULT_KINDS, type Kind } from './kinds'
import { receiveFile, type ArrivingFile, type FormRequest } from './multipart'
import { Pace } from './pace'
import { peek } from './peek'
import type { Scanner } from './scanner'
import { THUMBNAIL_ENDINGS, type Thumbnails } from './thumbnail'
import { Underway } from './underway'
import type { Vault } from './vault'

export interface FileOptions {
  /** Of one file, in bytes; 25 MB when it is not said. */
  readonly maxBytes?: number
  /** What one conversation may hold; 100 files and 250 MB when it is not said. */
  readonly perConversation?: FileUsage
  /** How long a file may take to arrive, and how long nothing of it may, in milliseconds; 2 minutes and 10 s. */
  readonly totalMs?: number
  readonly idleMs?: number
  /** At once on this node; 24 when it is not said: as many of 25 MB come through in their time (see `pace.ts`). Each takes up to some megabytes of memory. */
  readonly maxUploads?: number
  /** Those that wait for their turn, unread; 256 when it is not said. One more is refused. */
  readonly maxWaiting?: number
  /** How long one waits for its turn before it is refused, in milliseconds; 50 s. */
  readonly turnMs?: number
  readonly kinds?: readonly Kind[]
}
export interface ReceivingDeps {
  readonly store: FileStore
  readonly vault: Vault
  readonly thumbnails: Thumbnails
  /** Null: nobody looks for viruses. */
  readonly scanner: Scanner | null
  readonly now: () => Date
  readonly options?: FileOptions
  /** Whether people talk, for whom files are received more slowly; nobody does when it is not said. */
  readonly isTalk?: () => boolean
  /** Lets go what of a file is there already. Does not reject. */
  readonly discard: (row: FileRow) => Promise<void>
}

const MB = 1024 * 1024
/** For the ending that `namedAs` may put behind a name. */
const ENDING_BYTES = 5
const BUSY_SECONDS = 5

export class Receiving {
  readonly #deps: ReceivingDeps
  readonly #options: Required<FileOptions>
  readonly #closing = new AbortController()
  readonly #underway = new Underway()
  readonly #pace: Pace
  readonly #turns: Turns
  /** Each is a commit, for which those of messages would wait in a row. */
  readonly #rows = new Turns({ atOnce: 1, waiting: Infinity })

  constructor(deps: ReceivingDeps) {
    this.#deps = deps
    this.#options = {
      maxBytes: 25 * MB,
      perConversation: { files: 100, bytes: 250 * MB },
      totalMs: 120_000,
      idleMs: 10_000,
      maxUploads: 24,
      maxWaiting: 256,
      turnMs: 50_000,
      kinds: DEFAULT_KINDS,
      ...deps.options,
    }
    this.#pace = new Pace({ isTalk: deps.isTalk ?? (() => false) })
    const { maxUploads, maxWaiting, turnMs } = this.#options
    this.#turns = new Turns({ atOnce: maxUploads, waiting: maxWaiting, waitMs: turnMs })
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
    const limits = { maxBytes, totalMs, idleMs, signal: until, pace: this.#pace }
    await this.#turn(until)
    const most = mostOf(request, maxBytes)
    const take = (file: ArrivingFile) => this.#take({ place, participantId, file, most, signal: until })
    try {
      return await this.#underway.add(receiveFile(request, limits, take))
    } finally {
      this.#turns.done()
    }
  }
  /** Meanwhile nothing of the request is read: its sender waits, too. */
  async #turn(until: AbortSignal): Promise<void> {
    await this.#turns.next(until).catch((cause: unknown) => {
      throw cause instanceof Overdue ? tooMany() : cause
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
    const taking = { place, participantId, file: arriving, most: file.bytes.length, signal }
    return this.#underway.add(this.#take(taking))
  }

  async #take({ place, participantId, file, most, signal }: Taking): Promise<FileRow> {
    const { kinds, perConversation } = this.#options
    const { store } = this.#deps
    const { sample, whole } = await peek(file.bytes, sampleSize)
    if (sample.length === 0)
      throw new GatewayError('invalidRequest', 'The file is empty. Send one with something in it.')
    const name = fileName(file.name, ENDING_BYTES)
    const kind = await kindOf(sample, name, kinds)
    const guard = isText(kind) ? new TextGuard(encodingOf(sample), kinds) : null
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
      ready = await this.#keep(coming, { ...file, bytes: whole, kind, guard }, signal)
    } catch (cause) {
      await this.#deps.discard(coming)
      throw cause
    }
    // When this gets no answer nobody knows whether it was written, so nothing is thrown away: the sweep sees which.
    if (await this.#rows.take(() => store.finish(ready))) return ready
    await this.#deps.discard(coming)
    throw notYours()
  }

  async #keep(coming: FileRow, { bytes: whole, taken, kind, guard }: Known, signal: AbortSignal): Promise<FileRow> {
    const { vault, scanner } = this.#deps
    const { id } = coming
    const bytes = guard ? guarded(whole, guard) : whole
    const written = await vault.write(id, bytes, { maxBytes: this.#options.maxBytes, signal, ...(taken && { taken }) })
    if (scanner) await scanner.scan(await this.#readBack(id), signal)
    const picture = isPicture(kind) ? await this.#picture(id, signal) : {}
    return { ...coming, ...written, ...picture, mediaType: mediaTypeOf(kind, guard?.encoding), state: 'ready' }
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

  /** Whether as much arrives as may. */
  get isFull(): boolean {
    return this.#pace.isFull
  }

  /** Breaks off what is arriving, and waits until it was cleaned up behind it. */
  async close(): Promise<void> {
    this.#closing.abort(stopping())
    await this.#underway.ended()
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

interface Known extends ArrivingFile {
  readonly kind: Kind
  /** Null for what is no text. */
  readonly guard: TextGuard | null
}

/** A form that says how long it is has no longer file in it. */
function mostOf({ headers }: FormRequest, maxBytes: number): number {
  const length = Number(headers['content-length'])
  return Number.isSafeInteger(length) && length > 0 ? Math.min(length, maxBytes) : maxBytes
}

/** Fails with what the guard found. */
function guarded(bytes: Readable, guard: TextGuard): Readable {
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
