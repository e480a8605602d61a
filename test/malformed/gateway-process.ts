// The gateway as its own process, as it is built: it may crash without us, and says what it holds.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { newFolder, removeFolder, testSettings } from '../support/gateway'

const ROOT = join(__dirname, '../..')
const STARTS_WITHIN = 20_000
const ENDS_WITHIN = 10_000

export interface Holdings {
  /** Megabytes after a collection: the heap, and what hangs on it. */
  readonly heap: number
  readonly rss: number
}

export class GatewayProcess {
  #output = ''
  /** Where it listens. */
  url = ''

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(more: Readonly<Record<string, string>> = {}): Promise<GatewayProcess> {
    const folder = await newFolder()
    const inherited = { ...process.env, NODE_ENV: undefined }
    const script = ['--expose-gc', '--require', require.resolve('./probe.js'), 'dist/src/main.js']
    const child = spawn(process.execPath, script, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...inherited, ...testSettings(folder, { LOG_LEVEL: 'error', ...more }) },
    })
    const started = new GatewayProcess(child, folder)
    try {
      await started.#greeted()
      return started
    } catch (error) {
      await started.close()
      throw error
    }
  }

  /** Reads where it listens from what it tells the person at the terminal. */
  #greeted(): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`The gateway did not start: ${this.#output}`)), STARTS_WITHIN)
      const hear = (chunk: Buffer) => {
        this.#output += chunk.toString()
        const found = /Socket\.IO +(\S+)\/socket\.io/.exec(this.#output)?.[1]
        if (this.url !== '' || found === undefined) return
        this.url = found
        this.#output = ''
        clearTimeout(late)
        resolve()
      }
      this.child.stdout?.on('data', hear)
      this.child.stderr?.on('data', hear)
      this.child.once('exit', () => {
        clearTimeout(late)
        reject(new Error(`The gateway ended at its start: ${this.#output}`))
      })
    })
  }

  /** Null while it lives; else why it does not. */
  get end(): string | null {
    const { exitCode, signalCode } = this.child
    return exitCode === null && signalCode === null ? null : `it ended with ${exitCode ?? signalCode}: ${this.#output}`
  }
  /** What it complained of since its start: faults of its own, warnings, a crash. */
  get complaints(): string {
    return this.#output.trim()
  }
  async holdings(): Promise<Holdings> {
    if (this.end !== null) throw new Error(this.end)
    const answer = once(this.child, 'message', { signal: AbortSignal.timeout(ENDS_WITHIN) })
    this.child.send('holdings')
    return ((await answer) as [Holdings])[0]
  }
  descriptors(): number {
    return readdirSync(`/proc/${this.child.pid}/fd`).length
  }

  async close(): Promise<void> {
    if (this.end === null) {
      const ended = once(this.child, 'exit')
      const late = setTimeout(() => this.child.kill('SIGKILL'), ENDS_WITHIN)
      this.child.kill('SIGTERM')
      await ended
      clearTimeout(late)
    }
    await removeFolder(this.folder)
  }
}
