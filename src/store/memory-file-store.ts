// What is known of the files that people sent, in memory.
import type { ConversationId, FileId, Tenant } from '../model/ids'
import type { FileRow, FileStore, FileUsage } from './file-store'
import { keyOf } from './memory-tables'

export class MemoryFileStore implements FileStore {
  readonly #files = new Map<string, FileRow>()

  async add(file: FileRow, limits: FileUsage): Promise<boolean> {
    // Nothing is awaited between looking and writing: two calls must not both find room.
    const used = usageOf(this.#of(file.tenant, file.conversationId))
    if (used.files >= limits.files || used.bytes + file.size > limits.bytes) return false
    this.#files.set(keyOf(file.tenant, file.id), file)
    return true
  }
  async finish(file: FileRow): Promise<boolean> {
    const key = keyOf(file.tenant, file.id)
    if (this.#files.get(key)?.state !== 'uploading') return false
    this.#files.set(key, file)
    return true
  }
  async find(tenant: Tenant, id: FileId): Promise<FileRow | null> {
    return this.#files.get(keyOf(tenant, id)) ?? null
  }
  async ofConversation(tenant: Tenant, conversation: ConversationId): Promise<FileRow[]> {
    return this.#of(tenant, conversation).sort(byAge)
  }
  async usage(tenant: Tenant, conversation: ConversationId): Promise<FileUsage> {
    return usageOf(this.#of(tenant, conversation))
  }
  async erase(tenant: Tenant, conversation: ConversationId): Promise<FileRow[]> {
    const found = this.#of(tenant, conversation).sort(byAge)
    for (const file of found) this.#files.set(keyOf(tenant, file.id), { ...file, state: 'erased' })
    return found.filter(({ state }) => state === 'ready').map((file) => ({ ...file, state: 'erased' }))
  }
  async unfinished(tenant: Tenant, before: string, limit: number): Promise<FileRow[]> {
    const found = [...this.#files.values()].filter(
      (file) => file.tenant === tenant && file.state !== 'ready' && file.createdAt < before,
    )
    return found.sort(byAge).slice(0, limit)
  }
  async remove(tenant: Tenant, id: FileId): Promise<boolean> {
    return this.#files.delete(keyOf(tenant, id))
  }

  #of(tenant: Tenant, conversation: ConversationId): FileRow[] {
    return [...this.#files.values()].filter((file) => file.tenant === tenant && file.conversationId === conversation)
  }
}

const byAge = (a: FileRow, b: FileRow): number => (a.createdAt + a.id < b.createdAt + b.id ? -1 : 1)

function usageOf(files: readonly FileRow[]): FileUsage {
  const held = files.filter(({ state }) => state !== 'erased')
  return { files: held.length, bytes: held.reduce((sum, { size }) => sum + size, 0) }
}
