// An append-only file of what must outlive the process: parts of messages, ids given, segments accepted. In memory without a path.
import { mkdir, open, rename, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { z } from 'zod'

const entry = z.discriminatedUnion('k', [
  /** A part of a concatenated message, kept until the rest is here. `body` is base64. */
  z.object({
    k: z.literal('part'),
    key: z.string(),
    id: z.string(),
    at: z.number(),
    from: z.string(),
    account: z.string(),
    total: z.number(),
    number: z.number(),
    dataCoding: z.number(),
    body: z.string(),
  }),
  /** The concatenated message is with the gateway. */
  z.object({ k: z.literal('done'), key: z.string() }),
  /** A packet was given this id. */
  z.object({ k: z.literal('seen'), digest: z.string(), id: z.string(), at: z.number() }),
  /** What the packet with this id was answered. */
  z.object({ k: z.literal('accepted'), id: z.string() }),
  z.object({ k: z.literal('refused'), id: z.string() }),
  /** These will not come again. */
  z.object({ k: z.literal('forget'), ids: z.array(z.string()) }),
  /** The SMSC took a segment of a delivery and called it `id`. */
  z.object({
    k: z.literal('sent'),
    delivery: z.string(),
    reference: z.number(),
    total: z.number(),
    index: z.number(),
    id: z.string(),
    to: z.string(),
    account: z.string(),
    at: z.number(),
  }),
])

export type Entry = z.output<typeof entry>
export type EntryOf<K extends Entry['k']> = Extract<Entry, { k: K }>

export interface Journal {
  /** What was written before and still counts, in order. */
  readonly entries: readonly Entry[]
  /** Whether it outlives the process. */
  readonly lasting: boolean
  /** Resolves when written; with `sync`, when on the disk. Rejects when the disk does not take it. */
  append(entries: readonly Entry[], sync: boolean): Promise<void>
  close(): Promise<void>
}

/** The journal of a connector that was given no directory: it forgets with the process. */
export const memoryJournal = (): Journal => ({
  entries: [],
  lasting: false,
  append: () => Promise.resolve(),
  close: () => Promise.resolve(),
})

/** After so many lines the file is written anew with what still counts. */
const LINES_BEFORE_REWRITE = 50_000

interface Waiting {
  readonly lines: string[]
  readonly sync: boolean
  resolve(): void
  reject(cause: unknown): void
}

/**
 * Opens or creates the file at `path`; only one process may have it. `snapshot` gives what still counts
 * when the file is written anew. It holds texts of customers, so only its owner may read it.
 */
export async function openJournal(path: string, snapshot: () => readonly Entry[]): Promise<Journal> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'a+', 0o600)
  const text = await file.readFile('utf8').finally(() => file.close())
  return new FileJournal(path, snapshot, text.split('\n').flatMap(read))
}

/** A line that a dying process or a full disk cut off is no entry. */
function read(line: string): Entry[] {
  try {
    const parsed = entry.safeParse(JSON.parse(line))
    return parsed.success ? [parsed.data] : []
  } catch {
    return []
  }
}

class FileJournal implements Journal {
  readonly lasting = true
  private queue: Waiting[] = []
  private file: FileHandle | undefined
  private lines = Infinity // the first write makes the file anew
  private torn = false
  private closed = false
  private work: Promise<void> | undefined

  constructor(
    private readonly path: string,
    private readonly snapshot: () => readonly Entry[],
    readonly entries: readonly Entry[],
  ) {}

  append(entries: readonly Entry[], sync: boolean): Promise<void> {
    if (this.closed) return Promise.reject(new Error('The journal is closed.'))
    return new Promise((resolve, reject) => {
      this.queue.push({ lines: entries.map((one) => JSON.stringify(one)), sync, resolve, reject })
      this.work ??= this.drain()
    })
  }

  async close(): Promise<void> {
    this.closed = true
    await this.work
    await this.file?.close()
    this.file = undefined
  }

  /** One write and one sync for all that came meanwhile. */
  private async drain(): Promise<void> {
    while (this.queue.length > 0) {
      const batch = this.queue
      this.queue = []
      await this.write(batch).then(
        () => batch.forEach((one) => one.resolve()),
        (cause: unknown) => batch.forEach((one) => one.reject(cause)),
      )
    }
    this.work = undefined
  }

  private async write(batch: readonly Waiting[]): Promise<void> {
    const lines = batch.flatMap((one) => one.lines)
    if (!this.file || this.lines + lines.length > LINES_BEFORE_REWRITE) await this.rewrite()
    const torn = this.torn
    this.torn = true
    await this.file?.appendFile(`${torn ? '\n' : ''}${lines.join('\n')}\n`)
    this.torn = false
    this.lines += lines.length
    if (batch.some((one) => one.sync)) await this.file?.datasync()
  }

  /** The new file takes the old one's place at once or not at all. */
  private async rewrite(): Promise<void> {
    const next = await open(`${this.path}.new`, 'w', 0o600)
    try {
      const kept = this.snapshot()
      await next.writeFile(kept.map((one) => `${JSON.stringify(one)}\n`).join(''))
      await next.datasync()
      await rename(`${this.path}.new`, this.path)
      await syncFolder(dirname(this.path))
      this.lines = kept.length / 2 // so that a large snapshot is not written again at once
    } catch (cause) {
      await next.close()
      throw cause
    }
    await this.file?.close()
    this.file = next
    this.torn = false
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path)
  await folder.sync().finally(() => folder.close())
}
