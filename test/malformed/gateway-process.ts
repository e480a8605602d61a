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
  /** Sockets dropped because they do not read. */
  readonly dropped: number
}

export class GatewayProcess {
  #output = ''
  private constructor(
    readonly url: string,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  static async start(more: Readonly<Record<string, string>> = {}): Promise<GatewayProcess> {
    const folder = await newFolder()
    const { NODE_ENV: _, ...inherited } = process.env
    const script = ['--expose-gc', '--require', require.resolve('./probe.js'), 'dist/src/main.js']
    const child = spawn(process.execPath, script, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...inherited, ...testSettings(folder, { LOG_LEVEL: 'error', ...more }) },
    })
    let said = ''
    const url = await new Promise<string>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`The gateway did not start: ${said}`)), STARTS_WITHIN)
      const hear = (chunk: Buffer) => {
        said += chunk.toString()
        const found = /Socket\.IO +(\S+)\/socket\.io/.exec(said)?.[1]
        if (found === undefined) return
        clearTimeout(late)
        resolve(found)
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.once('exit', () => reject(new Error(`The gateway ended at its start: ${said}`)))
    })
    const started = new GatewayProcess(url, child, folder)
    const listen = (chunk: Buffer) => (started.#output += chunk.toString())
    child.stdout.removeAllListeners('data').on('data', listen)
    child.stderr.removeAllListeners('data').on('data', listen)
    return started
  }

  /** Null while it lives; else why it does not. */
  get end(): string | null {
    const { exitCode, signalCode } = this.child
    return exitCode === null && signalCode === null ? null : `it ended with ${exitCode ?? signalCode}: ${this.#output}`
  }
  /** What it complained of since its start: faults of its own, warnings, a crash. */
  get complaints(): string {
    return this.#output.replace(/^.*Fairlead is ready[^]*?\n\n\n/m, '')
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
