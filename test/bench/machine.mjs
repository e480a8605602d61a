// @ts-check
// What the bench runs on, and which of its cores it may have.
import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { processors } from './child.mjs'

/** The servers on one core, the generators on another. */
export function pinnedCores() {
  const [server, generator] = process.platform === 'linux' ? processors() : []
  if (server === undefined || generator === undefined) return undefined
  try {
    execFileSync('taskset', ['-c', String(server), 'true'], { stdio: 'ignore' })
    return { server, generator }
  } catch {
    return undefined
  }
}

/** @param {ReturnType<typeof pinnedCores>} cores @returns {string} */
export function aboutMachine(cores) {
  const where = cores
    ? `with one node servers on core ${cores.server} and generators on core ${cores.generator}`
    : 'NOT pinned to cores (no taskset)'
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`
  return `node ${process.version}, ${process.platform} ${release()}, ${cpus().length} × ${cpus()[0]?.model.trim()}, ${memory}, ${where}`
}
