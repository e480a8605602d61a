// Keeps files in a folder: written beside their place, synchronised, and moved there in one step.
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, opendir, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { GatewayError } from '../model/errors'
import { newId } from '../model/new-id'
import { Turns } from '../model/turns'
import { Measure } from './measure'
import { Underway } from './underway'
import type { ByteRange, StoredBytes, Vault, WriteLimits, Written } from './vault'
import { checkKey, closedVault } from './vault-key'

const FULL: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG']
const CHUNK = 64 * 1024
/** Written at once: handing a write to another thread costs the event loop more than the bytes in it. */
const BLOCK = 256 * 1024
/** Leftovers that one sweep lets go. */
const SWEEP_SIZE = 1_000

/** Only its owner can read the folder and what is in it. One process writes to it. */
export class DiskVault implements Vault {
  readonly #folder: string
  readonly #unfinished: string
  readonly #closing = new AbortController()
  readonly #writes = new Underway()
  /** One at a time: the database next to it waits for the same disk. */
  readonly #syncs = new Turns({ atOnce: 1, waiting: Infinity })

  private constructor(folder: string) {
    this.#folder = folder
    this.#unfinished = join(folder, 'unfinished')
  }
  /**
   * Makes the folder if there is none.
   * @throws GatewayError `unavailable` when it cannot be written to
   */
  static async open({ folder }: { readonly folder: string }): Promise<DiskVault> {
    const vault = new DiskVault(folder)
    await mkdir(vault.#unfinished, { recursive: true, mode: 0o700 }).catch(refuse)
    return vault
  }

  async write(key: string, bytes: Readable, limits: WriteLimits): Promise<Written> {
    checkKey(key)
    if (this.#closing.signal.aborted) throw closedVault()
    return this.#writes.add(this.#write(key, bytes, limits))
  }
  async #write(key: string, bytes: Readable, { maxBytes, signal, taken }: WriteLimits): Promise<Written> {
    const temporary = join(this.#unfinished, `${key}.${newId()}`)
    const place = this.#place(key)
    const closing = this.#closing.signal
    const until = signal ? AbortSignal.any([signal, closing]) : closing
    try {
      const file = await open(temporary, 'wx', 0o600)
      const measure = new Measure(maxBytes)
      try {
        await pipeline(bytes, measure, (chunks: AsyncIterable<Buffer>) => writeAll(file, chunks, taken), {
          signal: until,
        })
        await this.#syncs.take(() => file.sync(), until)
      } finally {
        await file.close()
      }
      const made = await mkdir(dirname(place), { recursive: true, mode: 0o700 })
      if (made) await this.#syncs.take(() => syncFolder(dirname(made)), until)
      until.throwIfAborted()
      await rename(temporary, place)
      await this.#syncs.take(() => syncFolder(dirname(place)))
      return measure.result()
    } catch (cause) {
      bytes.destroy()
      await rm(temporary, { force: true }).catch(() => undefined) // the sweep comes by
      if (closing.aborted) throw closedVault()
      signal?.throwIfAborted()
      return refuse(cause)
    }
  }

  async read(key: string, range?: ByteRange): Promise<StoredBytes | null> {
    checkKey(key)
    if (this.#closing.signal.aborted) throw closedVault()
    const file = await openOrNull(this.#place(key)).catch(refuse)
    if (!file) return null
    try {
      const { size } = await file.stat()
      if (size === 0) {
        await file.close()
        return { stream: Readable.from([]), size }
      }
      return { stream: file.createReadStream({ highWaterMark: CHUNK, ...range }), size }
    } catch (cause) {
      await file.close()
      return refuse(cause)
    }
  }

  pathOf(key: string): string {
    checkKey(key)
    return this.#place(key)
  }

  async remove(key: string): Promise<void> {
    checkKey(key)
    await rm(this.#place(key), { force: true }).catch(refuse)
  }

  async sweep(before: Date): Promise<number> {
    let swept = 0
    for await (const { name } of await opendir(this.#unfinished).catch(refuse)) {
      const path = join(this.#unfinished, name)
      const age = await stat(path).catch(() => null) // whoever wrote it was faster
      if (!age || age.mtime >= before) continue
      await rm(path, { force: true }).catch(refuse)
      swept += 1
      if (swept === SWEEP_SIZE) break
    }
    return swept
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#writes.ended()
  }

  /** One of 256 folders: no folder grows beyond what a file system finds quickly. */
  #place(key: string): string {
    return join(this.#folder, createHash('sha256').update(key).digest('hex').slice(0, 2), key)
  }
}

async function writeAll(file: FileHandle, chunks: AsyncIterable<Buffer>, taken: WriteLimits['taken']): Promise<void> {
  let held: Buffer[] = []
  let size = 0
  let written = 0
  for await (const chunk of chunks) {
    held.push(chunk)
    size += chunk.length
    if (size < BLOCK) continue
    await writeBlock(file, held, size)
    taken?.((written += size))
    held = []
    size = 0
  }
  if (size > 0) await writeBlock(file, held, size)
}
async function writeBlock(file: FileHandle, chunks: Buffer[], size: number): Promise<void> {
  const { bytesWritten } = await file.writev(chunks)
  if (bytesWritten === size) return
  const rest = Buffer.concat(chunks).subarray(bytesWritten)
  for (let done = 0; done < rest.length;) done += (await file.write(rest, done)).bytesWritten
}

/** Otherwise a file whose name is not on the disk yet could be lost with the power. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function openOrNull(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return null
    throw cause
  }
}

const codeOf = (cause: unknown): string =>
  typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string' ? cause.code : ''

/** What a disk says becomes a refusal; what the stream of bytes says stays what it is. */
function refuse(cause: unknown): never {
  const isOfDisk = typeof cause === 'object' && cause !== null && 'syscall' in cause
  if (!isOfDisk) throw cause
  if (FULL.includes(codeOf(cause)))
    throw new GatewayError('storageFull', 'There is no room for this file now. Send it again later.', {
      cause,
      retryAfter: 60,
    })
  throw new GatewayError('unavailable', 'Files cannot be kept or read now. Try again later.', { cause, retryAfter: 10 })
}
