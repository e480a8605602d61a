// The gateway's end of the SQLite thread: asks, awaits, and starts the thread again when it has died.
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { GatewayError } from '../model/errors'
import { SqliteFault } from './sqlite-fault'
import { OPENING, type Answers, type Ask, type Question, type Reply, type WorkerData } from './sqlite-protocol'

/** The promise is a refusal within 2 s; this leaves the answer time to travel. */
const CONSULT_MS = 1_800
const CLOSE_MS = 5_000

interface Waiter {
  readonly resolve: (value: unknown) => void
  readonly reject: (cause: Error) => void
}
type AskFor<K extends keyof Answers> = Extract<Ask, { readonly do: K }>

export class SqliteThread {
  readonly #files: WorkerData
  readonly #now: (() => Date) | undefined
  readonly #pending = new Map<number, Waiter>()
  #worker: Worker | null = null
  #lastId = OPENING
  #closed = false

  constructor(deps: { files: WorkerData; now?: (() => Date) | undefined }) {
    this.#files = deps.files
    this.#now = deps.now
  }

  /** For the write path, which keeps its own deadline. Rejects with `SqliteFault`. */
  ask<K extends keyof Answers>(ask: AskFor<K>): Promise<Answers[K]> {
    if (this.#closed) return Promise.reject(new SqliteFault(CLOSED))
    const worker = (this.#worker ??= this.#start())
    const id = ++this.#lastId
    return new Promise<Answers[K]>((resolve, reject) => {
      // What cannot be cloned throws here, before anybody waits for it.
      worker.postMessage({ id, at: this.#now?.().toISOString(), ask } satisfies Question)
      // The worker answers what it was asked: the two ends share `Answers`.
      this.#pending.set(id, { resolve: (value) => resolve(value as Answers[K]), reject })
    })
  }

  /** For everything else: answers in time or says that it cannot. Rejects with `GatewayError`. */
  async consult<K extends keyof Answers>(ask: AskFor<K>, withinMs = CONSULT_MS): Promise<Answers[K]> {
    let timer: NodeJS.Timeout | undefined
    const overdue = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new SqliteFault(SILENT)), withinMs)
    })
    try {
      return await Promise.race([this.ask<K>(ask), overdue])
    } catch (cause) {
      const sentence = 'The store does not answer. Try again in a moment.'
      throw new GatewayError('unavailable', sentence, { cause, retryAfter: 1 })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Everything asked before is done first. */
  async close(): Promise<void> {
    const worker = this.#worker
    if (this.#closed || !worker) {
      this.#closed = true
      return
    }
    const gone = new Promise((resolve) => worker.once('exit', resolve))
    const asked = this.ask({ do: 'close' }).catch(() => undefined)
    this.#closed = true
    const stuck = setTimeout(() => void worker.terminate(), CLOSE_MS)
    await asked
    await gone
    clearTimeout(stuck)
  }

  #start(): Worker {
    const worker = new Worker(workerFile(), { workerData: this.#files })
    let why = new SqliteFault(DIED)
    worker.on('message', (reply: Reply) => {
      if (reply.id === OPENING && 'fault' in reply) {
        why = new SqliteFault(reply.fault)
        this.#lose(worker, why)
      } else this.#settle(reply)
    })
    worker.on('error', (cause) => (why = new SqliteFault({ ...DIED, message: cause.message })))
    worker.on('exit', () => this.#lose(worker, why))
    return worker
  }
  #settle(reply: Reply): void {
    const waiter = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    if ('fault' in reply) waiter?.reject(new SqliteFault(reply.fault))
    else waiter?.resolve(reply.value)
  }
  /** The next call starts another one. Nobody knows whether what was under way has been written: callers read again. */
  #lose(worker: Worker, why: SqliteFault): void {
    if (this.#worker !== worker) return
    this.#worker = null
    const waiting = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of waiting) reject(why)
  }
}

const DIED = { code: 'WORKER_DIED', message: 'The SQLite thread has died', isEntry: false }
const SILENT = { code: 'WORKER_SILENT', message: 'The SQLite thread does not answer in time', isEntry: false }
const CLOSED = { code: 'WORKER_CLOSED', message: 'The database is closed', isEntry: false }

/** A worker cannot load TypeScript: run from the sources, as under jest, it takes the built file. */
const workerFile = (): string =>
  __filename.endsWith('.ts')
    ? join(__dirname, '../../dist/src/store/sqlite-worker.js')
    : join(__dirname, 'sqlite-worker.js')
