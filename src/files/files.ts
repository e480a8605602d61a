// Files that people send in a conversation: received, found, handed out, erased.
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { FileId, Place, Tenant } from '../model/ids'
import type { FileRow, FileStore } from '../store/file-store'
import { answerFor, type Conditions, type FileAnswer } from './download'
import { namedAs } from './kind'
import type { Variant } from './links'
import { Receiving, type FileOptions } from './receiving'
import type { Scanner } from './scanner'
import { THUMBNAIL_ENDINGS, type Thumbnails } from './thumbnail'
import type { Vault } from './vault'

export type { FileRow }

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
  /** Whether people talk, for whom files are received more slowly; nobody does when it is not said. */
  readonly isTalk?: () => boolean
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

const SWEEP_MS = 10 * 60_000
/** What is still uploading after that has no process any more: far longer than any upload may take. */
const ABANDONED_MS = 60 * 60_000
const SWEEP_SIZE = 100

export class Files {
  readonly #deps: FilesDeps
  readonly #receiving: Receiving
  readonly #timer: NodeJS.Timeout
  #round: Promise<void> | null = null
  #isClosing = false

  constructor(deps: FilesDeps) {
    this.#deps = deps
    // What stays behind, the sweep lets go.
    const discard = (row: FileRow) => this.#forget(row).catch(deps.onFault)
    this.#receiving = new Receiving({ ...deps, discard })
    this.#timer = setInterval(() => this.#beginSweep(), SWEEP_MS)
  }

  /** Whether as much arrives as may. */
  get areComing(): boolean {
    return this.#receiving.isFull
  }
  /** @throws GatewayError as `Receiving.upload` */
  upload(...sent: Parameters<Receiving['upload']>): Promise<FileRow> {
    return this.#receiving.upload(...sent)
  }
  /** @throws GatewayError as `Receiving.keep` */
  keep(...sent: Parameters<Receiving['keep']>): Promise<FileRow> {
    return this.#receiving.keep(...sent)
  }
  /** Takes back a file that nobody was told of. */
  async discard(row: FileRow): Promise<void> {
    await this.#forget(row)
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
    this.#isClosing = true
    await Promise.all([this.#receiving.close(), this.#round])
  }

  /** Bytes first: as long as there is a row, somebody comes back for what is left. */
  async #forget({ tenant, id }: FileRow): Promise<void> {
    for (const ending of ['', ...Object.values(THUMBNAIL_ENDINGS)]) await this.#deps.vault.remove(`${id}${ending}`)
    await this.#deps.store.remove(tenant, id)
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
        if (this.#isClosing) return
        await this.#forget(row)
      }
      if (rows.length < SWEEP_SIZE) break
    }
    while (!this.#isClosing && (await vault.sweep(before)) > 0);
  }
}
