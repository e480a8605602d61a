// @ts-check
// A child process that is asked over its IPC channel and answers one question at a time; both ends of it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ENDS_WITHIN = 5_000

/** The processors this process may use. */
export function processors() {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
  })
}

export class Child {
  #process
  #name

  /** @param {string} file beside this one @param {{ core?: number, env?: Record<string, string>, flags?: readonly string[] }} [options] */
  constructor(file, { core, env = {}, flags = [] } = {}) {
    const script = fileURLToPath(new URL(file, import.meta.url))
    // Flags of node are handed on: `node --cpu-prof test/bench/main.mjs` tells where each process spends its time.
    const node = [process.execPath, ...process.execArgv, ...flags, script]
    // taskset replaces itself by node, so that the process id and the channel are node's own.
    const command = core === undefined ? node : ['taskset', '-c', String(core), ...node]
    const { NODE_ENV: _, ...inherited } = process.env
    this.#name = file
    this.#process = spawn(/** @type {string} */ (command[0]), command.slice(1), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...inherited, ...env },
    })
  }

  /** @param {string} question @param {object} [body] @param {number} [seconds] @returns {Promise<any>} */
  async ask(question, body = {}, seconds = 60) {
    if (!this.#process.connected) throw new Error(`${this.#name} has ended.`)
    const asked = new AbortController()
    const signal = AbortSignal.any([asked.signal, AbortSignal.timeout(seconds * 1000)])
    try {
      const answer = once(this.#process, 'message', { signal })
      const end = once(this.#process, 'exit', { signal }).then(() => [{ failed: 'it ended by itself' }])
      this.#process.send({ question, body })
      const [{ answered, failed }] = await Promise.race([answer, end])
      if (failed) throw new Error(`${this.#name}, ${question}: ${failed}`)
      return answered
    } catch (error) {
      if (signal.aborted) throw new Error(`${this.#name}, ${question}: no answer within ${seconds} s`, { cause: error })
      throw error
    } finally {
      asked.abort()
    }
  }

  /** Asks it to end, and ends it when it does not. */
  async end() {
    const child = this.#process
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    const timer = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN)
    if (child.connected) child.disconnect()
    await ended
    clearTimeout(timer)
  }

  kill() {
    this.#process.kill('SIGKILL')
  }
}

/** @param {unknown} error @returns {string} what happened, and where */
function told(error) {
  if (!(error instanceof Error)) return String(error)
  return [error.message, /^ +at .*/m.exec(error.stack ?? '')?.[0]].join('\n')
}

/**
 * The child's end. It ends when its parent hangs up, be it dead or done.
 * @param {Record<string, (body: any) => unknown>} answers @param {() => unknown} close
 */
export function answerParent(answers, close) {
  process.on('message', async (/** @type {any} */ { question, body }) => {
    try {
      process.send?.({ answered: await answers[question]?.(body) })
    } catch (error) {
      process.send?.({ failed: told(error) })
    }
  })
  process.once('disconnect', async () => {
    setTimeout(() => process.exit(1), ENDS_WITHIN - 500).unref()
    await close()
    process.exit(0)
  })
}

/**
 * What every server under measurement answers: where it is, and the CPU it has used, its threads included, in µs.
 * @param {() => Promise<{ url: string, door: string, settings: string, close: () => unknown }>} start
 */
export function answerAsServer(start) {
  /** @type {ReturnType<typeof start> | undefined} */
  let started
  const answers = {
    start: async () => {
      const { url, door, settings } = await (started ??= start())
      return { url, door, settings }
    },
    cpu: () => {
      const { user, system } = process.cpuUsage()
      return user + system
    },
  }
  answerParent(answers, async () => (await started?.catch(() => undefined))?.close())
}
