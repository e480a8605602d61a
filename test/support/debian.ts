// What a test needs and Debian has: found, or installed where that may be done.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Suites start at once, and find at once that something is missing: apt refuses a second one. */
const LOCK = join(tmpdir(), 'fairlead-apt.lock')
const INSTALL = `
  apt-get update &&
  apt-get -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends "$0"`
/** For those before it. */
const WAIT_SECONDS = '600'
/** No questions, and no services started. */
const QUIET = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }

/**
 * What `find` finds, if need be after the package was installed, as root and with apt.
 * @param need says what to do where that may not be done
 * @throws Error with `need`
 */
export function foundOrInstalled<T>(find: () => T | undefined, debianPackage: string, need: string): T {
  const found = find()
  if (found !== undefined) return found
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Error(need)
  try {
    const env = { ...process.env, ...QUIET }
    execFileSync('flock', ['-w', WAIT_SECONDS, LOCK, 'sh', '-c', INSTALL, debianPackage], { stdio: 'ignore', env })
  } catch (cause) {
    throw new Error(need, { cause })
  }
  const installed = find()
  if (installed === undefined) throw new Error(`${need} The package ${debianPackage} did not bring it.`)
  return installed
}
