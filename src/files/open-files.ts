// Opens what files need: a folder or a bucket for their bytes, a scanner if there is one.
import { join } from 'node:path'
import type { FileStore } from '../store/file-store'
import type { Tenant } from '../model/ids'
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
interface Deps {
  readonly store: FileStore
  readonly dataDir: string
  readonly tenant: Tenant
  readonly now: () => Date
  readonly onFault: (cause: unknown) => void
}

export interface OpenFiles {
  readonly files: Files
  readonly close: () => Promise<void>
}
export async function openFiles({ s3, maxBytes, kinds, clamdUrl }: FileSettings, deps: Deps): Promise<OpenFiles> {
  const vault = s3 ? new S3Vault(s3) : await DiskVault.open({ folder: join(deps.dataDir, 'files') })
  const files = new Files({
    ...deps,
    vault,
    thumbnails: new Thumbnails(),
    scanner: clamdUrl === null ? null : new ClamdScanner({ url: clamdUrl }),
    options: { maxBytes, kinds },
  })
  return {
    files,
    close: async () => {
      await files.close()
      await vault.close()
    },
  }
}
