// Files over a real database, a real folder and real HTTP, made anew for each test of a suite.
import { readdir, rm } from 'node:fs/promises'
import { DiskVault } from '../../src/files/disk-vault'
import { Files, type FilesDeps } from '../../src/files/files'
import type { FileOptions } from '../../src/files/receiving'
import { Thumbnails } from '../../src/files/thumbnail'
import { DEFAULT_TENANT } from '../../src/model/ids'
import { newConversationId, newParticipantId } from '../../src/model/new-id'
import type { FileRow } from '../../src/store/file-store'
import { newFolder, openTestSqlite, type TestDatabase } from './databases'
import { eventually } from './eventually'
import { FileServer } from './file-server'

export const tenant = DEFAULT_TENANT
export const place = { tenant, conversationId: newConversationId() }
export const ann = newParticipantId()

class FilesUnderTest {
  database!: TestDatabase
  folder = ''
  vault!: DiskVault
  readonly thumbnails = new Thumbnails()
  files!: Files
  server!: FileServer
  readonly faults: unknown[] = []

  async open(options: FileOptions): Promise<void> {
    this.folder = await newFolder()
    this.vault = await DiskVault.open({ folder: this.folder })
    await this.#start(options)
  }
  async close(): Promise<void> {
    await this.#stop()
    const { files } = this.database.database
    for (const row of await files.ofConversation(tenant, place.conversationId)) await files.remove(tenant, row.id)
    await this.vault.close()
    await rm(this.folder, { recursive: true })
  }
  readonly restart = async (options: FileOptions, more: Partial<FilesDeps> = {}): Promise<void> => {
    await this.#stop()
    await this.#start(options, more)
  }
  async #stop(): Promise<void> {
    await this.server.close()
    await this.files.close()
  }
  async #start(options: FileOptions, more: Partial<FilesDeps> = {}): Promise<void> {
    this.files = new Files({
      ...{ store: this.database.database.files, vault: this.vault, thumbnails: this.thumbnails, scanner: null },
      ...{ tenant, now: this.database.clock.now, onFault: (cause: unknown) => this.faults.push(cause), options },
      ...more,
    })
    this.server = await FileServer.start(this.files, place, ann)
  }

  readonly send = async (bytes: Buffer | string, name = 'cat.png') => {
    const form = new FormData()
    form.append('note', 'skipped')
    form.append('file', new Blob([Buffer.from(bytes)]), name)
    const answer = await fetch(this.server.url, { method: 'POST', body: form })
    return { status: answer.status, body: (await answer.json()) as FileRow & { code?: string } }
  }
  readonly get = (variant: string, id: string, init: RequestInit = {}) =>
    fetch(`${this.server.url}/${variant}/${id}`, init)
  readonly onDisk = async (): Promise<string[]> => {
    const entries = await readdir(this.folder, { recursive: true, withFileTypes: true })
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
  }
  readonly nothingIsLeft = (): Promise<void> =>
    eventually(async () => {
      expect(await this.onDisk()).toEqual([])
      expect(await this.database.database.files.ofConversation(tenant, place.conversationId)).toEqual([])
    })
}

export function useFiles(options: FileOptions = {}): FilesUnderTest {
  const under = new FilesUnderTest()
  beforeAll(async () => {
    under.database = await openTestSqlite()
  })
  beforeEach(() => under.open(options))
  afterEach(async () => {
    await under.close()
    expect(under.faults.splice(0)).toEqual([])
  })
  afterAll(async () => {
    await under.thumbnails.close()
    await under.database.close()
  })
  return under
}
