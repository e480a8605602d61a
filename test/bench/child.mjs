// @ts-check
// A child process that is asked over its IPC channel and answers one question at a time; both ends of it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
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

  /** @param {string} file beside this one @param {{ core?: number | undefined, env?: Record<string, string>, flags?: readonly string[] }} [options] */
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

/** Of a process, the kernel tells here what its first thread has used. Where there is no such kernel: the time at work. */
function mainThreadCpu() {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) / 1e6
  } catch {
    return performance.eventLoopUtilization().active
  }
}

/** @typedef {{ url: string, door: string, settings: string, close: () => unknown }} Served */

/**
 * What every server under measurement answers: where it is, and what it has used.
 * @template {Served} T
 * @param {() => Promise<T>} start
 * @param {Record<string, (server: T, body: any) => unknown>} [more] what this one can be asked besides, once it is started
 */
export function answerAsServer(start, more = {}) {
  /** @type {Promise<T> | undefined} */
  let started
  const delays = monitorEventLoopDelay({ resolution: 1 })
  /** @type {Record<string, (body: any) => unknown>} */
  const answers = {
    start: async () => {
      const { url, door, settings } = await (started ??= start())
      return { url, door, settings }
    },
    /** µs of CPU since the start, all threads included. */
    cpu: () => {
      const { user, system } = process.cpuUsage()
      return user + system
    },
    /** Bytes that are in use when nothing is left to be collected, and bytes that are resident. */
    memory: () => {
      for (let i = 0; i < 4; i++) globalThis.gc?.()
      const { heapUsed, external, rss } = process.memoryUsage()
      return { live: heapUsed + external, resident: rss }
    },
    /** ms of CPU of the event loop's thread since the start, and its longest turn in ms since the last asking. */
    loop: () => {
      const longest = delays.max / 1e6
      delays.enable()
      delays.reset()
      return { cpu: mainThreadCpu(), longest }
    },
  }
  for (const [question, answer] of Object.entries(more))
    answers[question] = async (body) => {
      if (!started) throw new Error('It was not started.')
      return answer(await started, body)
    }
  answerParent(answers, async () => (await started?.catch(() => undefined))?.close())
}
