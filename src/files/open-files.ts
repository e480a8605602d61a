// Opens what files need: a folder or a bucket for their bytes, a scanner if there is one.
import { join } from 'node:path'
import { restAmid, Talk } from '../aside/talk'
import type { Database } from '../store/database'
import type { FileId, Tenant } from '../model/ids'
import { DiskVault } from './disk-vault'
import { Files } from './files'
import type { Kind } from './kinds'
import { S3Vault, type S3Options } from './s3-vault'
import { ClamdScanner } from './scanner'
import { Thumbnails } from './thumbnail'

export interface FileSettings {
  /** Null: the bytes lie in the data folder. */
  readonly s3: S3Options | null
  /** Of one file. */
  readonly maxBytes: number
  readonly kinds: readonly Kind[]
  /** `tcp://host:3310` or `unix:/path`; null: nobody looks for viruses. */
  readonly clamdUrl: string | null
}
interface Settings {
  readonly files: FileSettings
  readonly dataDir: string
}
interface Deps {
  readonly database: Pick<Database, 'files' | 'conversations'>
  readonly tenant: Tenant
  readonly now: () => Date
  readonly onFault: (cause: unknown) => void
}

/** What is known of a file that somebody wants to see a small picture of. */
interface Pictured {
  readonly fileId?: FileId | undefined
  readonly hasThumbnail?: boolean | undefined
}
export interface OpenFiles {
  readonly files: Files
  /** The small picture of a file, for who shows it elsewhere. */
  readonly pictures: (file: Pictured) => Promise<Uint8Array | null>
  /** How many times as long as it worked a process beside the gateway rests now. */
  readonly rest: () => number
  readonly close: () => Promise<void>
}
export async function openFiles(settings: Settings, deps: Deps): Promise<OpenFiles> {
  const { s3, maxBytes, kinds, clamdUrl } = settings.files
  const vault = s3 ? new S3Vault(s3) : await DiskVault.open({ folder: join(settings.dataDir, 'files') })
  const thumbnails = new Thumbnails()
  const talk = new Talk()
  deps.database.conversations.onCommitted(() => talk.heard())
  const files = new Files({
    ...deps,
    store: deps.database.files,
    isTalk: () => talk.isOn,
    vault,
    thumbnails,
    scanner: clamdUrl === null ? null : new ClamdScanner({ url: clamdUrl }),
    options: { maxBytes, kinds },
  })
  return {
    files,
    pictures: async ({ fileId, hasThumbnail }) =>
      fileId && hasThumbnail ? files.thumbnail(deps.tenant, fileId) : null,
    rest: () => restAmid({ isTalk: talk.isOn, areFilesComing: files.areComing }),
    close: async () => {
      await files.close()
      await thumbnails.close()
      await vault.close()
    },
  }
}
