// What is known of the files that people sent, on SQL. A limit is checked by the statement that takes the room.
import { sql, type Kysely } from 'kysely'
import type { ConversationId, FileId, Tenant } from '../model/ids'
import type { FileRow, FileStore, FileUsage } from './file-store'
import { toFileRow } from './sql-rows'
import type { Tables } from './sql-schema'
import type { SqlSpelling } from './sql-spelling'

export class SqlFileStore implements FileStore {
  constructor(
    private readonly db: Kysely<Tables>,
    private readonly spelling: SqlSpelling,
  ) {}

  async add(file: FileRow, limits: FileUsage): Promise<boolean> {
    const { tenant, id, conversationId, participantId, name, mediaType, size, sha256, createdAt, state } = file
    const held = sql`from file where tenant = ${tenant} and conversation_id = ${conversationId} and state <> 'erased'`
    const insert = sql`
      insert into file (tenant, id, conversation_id, participant_id, name, media_type, size, sha256, width, height,
        thumbnail, created_at, state)
      select ${tenant}, ${id}, ${conversationId}, ${participantId}, ${name}, ${mediaType}, cast(${size} as integer),
        ${sha256}, cast(${file.width} as integer), cast(${file.height} as integer), ${file.thumbnail}, ${createdAt},
        ${state}
      where (select count(*) ${held}) < ${limits.files}
        and (select coalesce(sum(size), 0) ${held}) <= ${limits.bytes - size}`
    const scope = JSON.stringify([tenant, conversationId, 'files'])
    const { numAffectedRows } = await this.spelling.alone(this.db, scope, (db) => insert.execute(db))
    return numAffectedRows === 1n
  }
  async finish(file: FileRow): Promise<boolean> {
    const { numUpdatedRows } = await this.db
      .updateTable('file')
      .set({
        name: file.name,
        media_type: file.mediaType,
        size: file.size,
        sha256: file.sha256,
        width: file.width,
        height: file.height,
        thumbnail: file.thumbnail,
        state: file.state,
      })
      .where('tenant', '=', file.tenant)
      .where('id', '=', file.id)
      .where('state', '=', 'uploading')
      .executeTakeFirstOrThrow()
    return numUpdatedRows === 1n
  }
  async find(tenant: Tenant, id: FileId): Promise<FileRow | null> {
    const found = this.db.selectFrom('file').selectAll().where('tenant', '=', tenant).where('id', '=', id)
    const row = await found.executeTakeFirst()
    return row ? toFileRow(row) : null
  }
  async ofConversation(tenant: Tenant, conversation: ConversationId): Promise<FileRow[]> {
    const rows = await this.db
      .selectFrom('file')
      .selectAll()
      .where('tenant', '=', tenant)
      .where('conversation_id', '=', conversation)
      .orderBy('created_at')
      .orderBy('id')
      .execute()
    return rows.map(toFileRow)
  }
  async usage(tenant: Tenant, conversation: ConversationId): Promise<FileUsage> {
    const { files, bytes } = await this.db
      .selectFrom('file')
      .select((on) => [on.fn.countAll().as('files'), on.fn.sum('size').as('bytes')])
      .where('tenant', '=', tenant)
      .where('conversation_id', '=', conversation)
      .where('state', '<>', 'erased')
      .executeTakeFirstOrThrow()
    return { files: Number(files), bytes: Number(bytes) }
  }
  async erase(tenant: Tenant, conversation: ConversationId): Promise<FileRow[]> {
    const erasing = this.db
      .updateTable('file')
      .set({ state: 'erased' })
      .where('tenant', '=', tenant)
      .where('conversation_id', '=', conversation)
    // Those under way first: whichever ends in between has become ready before, and is among the second's.
    await erasing.where('state', '=', 'uploading').execute()
    const rows = await erasing.where('state', '=', 'ready').returningAll().execute()
    return rows.map(toFileRow).sort(byAge)
  }
  async unfinished(tenant: Tenant, before: string, limit: number): Promise<FileRow[]> {
    const rows = await this.db
      .selectFrom('file')
      .selectAll()
      .where('tenant', '=', tenant)
      .where(sql<boolean>`state <> 'ready'`) // spelled as in the index
      .where('created_at', '<', before)
      .orderBy('created_at')
      .limit(limit)
      .execute()
    return rows.map(toFileRow)
  }
  async remove(tenant: Tenant, id: FileId): Promise<boolean> {
    const doomed = this.db.deleteFrom('file').where('tenant', '=', tenant).where('id', '=', id)
    const { numDeletedRows } = await doomed.executeTakeFirstOrThrow()
    return numDeletedRows === 1n
  }
}

const byAge = (a: FileRow, b: FileRow): number => (a.createdAt + a.id < b.createdAt + b.id ? -1 : 1)
