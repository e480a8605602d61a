// What a reader finds in a PDF: its words in the order in which they are read out, its links, its structure.
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

export interface ReadPdf {
  readonly info: Readonly<Record<string, unknown>>
  readonly language: string | null
  readonly fingerprint: string
  readonly pages: readonly {
    readonly lines: readonly string[]
    readonly links: readonly { readonly subtype: string; readonly url: string | null }[]
    /** Roles of the structure, in order. */
    readonly tags: readonly string[]
    readonly alts: readonly string[]
  }[]
  readonly outline: readonly string[]
  /** Whatever would run or open by itself, and attached files, as JSON. */
  readonly scripts: string
}

export function readPdf(bytes: Uint8Array): Promise<ReadPdf> {
  const worker = new Worker(join(__dirname, 'pdf-reader.mjs'), { workerData: Uint8Array.from(bytes) })
  return new Promise((resolve, reject) => {
    worker.once('message', (read: ReadPdf) => {
      resolve(read)
      void worker.terminate()
    })
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('The reader ended without an answer')))
  })
}
/** Without what only places letters: blanks, and format characters that stand for nothing. */
export const wordsOf = (text: string): string => text.normalize('NFC').replace(/[\s\p{Cf}]/gu, '')
