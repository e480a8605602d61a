// A secret that the gateway makes for itself, where nobody gave it one, and keeps in a file that only its owner can read.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { randomBytes } from 'node:crypto'

/**
 * The file's content; made at the first call, the same at every later one. For use outside production only.
 * @param bytes how much chance is in a new one; 32 suits `SECRET_KEY`
 * @throws the file system's error when the folder cannot be written
 */
export async function keptSecret(file: string, bytes = 32): Promise<string> {
  const kept = await readFile(file, 'utf8').then(
    (text) => text.trim(),
    () => '',
  )
  const secret = kept || randomBytes(bytes).toString('base64url')
  if (!kept) {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, `${secret}\n`, { mode: 0o600 })
  }
  await chmod(file, 0o600) // a file that was there before keeps its own mode otherwise
  return secret
}
