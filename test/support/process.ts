// A built program of ours as its own process: started, killed at any moment, and started again under the same address.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { CONNECTOR_KEY, testSettings } from './gateway'

const ROOT = join(__dirname, '../..')
const STARTS_WITHIN = 20_000
const ENDS_WITHIN = 25_000

interface Program {
  /** The built file and its arguments, from the root. */
  readonly command: readonly string[]
  readonly settings: Readonly<Record<string, string>>
  /** What it prints when it is ready. */
  readonly ready: string
  /** Where it runs: the root. */
  readonly folder?: string
}

export class Process {
  readonly #program: Program
  #child: ChildProcess | null = null
  #output = ''
  #sinceStart = ''

  constructor(program: Program) {
    this.#program = program
  }

  /** All it printed, whatever its life. The logs of ours hold no texts of messages. */
  get output(): string {
    return this.#output
  }
  get isAlive(): boolean {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Resolves when it is ready. */
  async start(): Promise<void> {
    if (this.isAlive) throw new Error('It runs already')
    const { command, settings, ready, folder = ROOT } = this.#program
    const inherited = { ...process.env, NODE_ENV: undefined }
    const child = spawn(process.execPath, command, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...inherited, ...settings },
    })
    this.#child = child
    this.#sinceStart = ''
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${command.join(' ')} ${why}: ${this.#sinceStart.slice(-4_000)}`))
      const late = setTimeout(() => fail(`was not ready within ${STARTS_WITHIN} ms`), STARTS_WITHIN)
      child.once('exit', (code, signal) => {
        clearTimeout(late)
        fail(`ended with ${String(code ?? signal)} before it was ready`)
      })
      const hear = (chunk: Buffer) => {
        this.#output += chunk.toString()
        this.#sinceStart += chunk.toString()
        if (!this.#sinceStart.includes(ready)) return
        clearTimeout(late)
        resolve()
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
    })
  }

  /** Sends a signal to it. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** Resolves with its exit code, or with the signal that ended it. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | NodeJS.Signals | null> {
    const child = this.#child
    if (child === null) return null
    if (this.isAlive) {
      const ended = once(child, 'close')
      child.kill(signal)
      const late = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN)
      await ended
      clearTimeout(late)
    }
    return child.exitCode ?? child.signalCode
  }

  /** Ends it and starts it again. */
  async restart(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.end(signal)
    await this.start()
  }
}

/**
 * A port that is free now and stays so while its process is down: below the range from which the kernel takes the ports
 * of outgoing connections.
 */
export async function fixedPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

/** Settings with which deaths are noticed within seconds: leases and pings. */
export const QUICK = { PING_INTERVAL: '2s', PING_TIMEOUT: '2s', DELIVERY_LEASE: '2s' }

/** The gateway, at the same address in each of its lives. */
export async function gatewayProcess(dataDir: string, more: Readonly<Record<string, string>> = {}) {
  const port = await fixedPort()
  const settings = testSettings(dataDir, { PORT: String(port), LOG_LEVEL: 'warn', ...more })
  const program = new Process({ command: ['dist/src/main.js'], settings, ready: 'Fairlead is ready.' })
  return Object.assign(program, { url: `http://127.0.0.1:${port}` })
}

export interface Readiness {
  readonly code: number
  readonly status: string
}
/** Of a node that does not answer: `silent`. */
export async function readinessOf(url: string): Promise<Readiness> {
  try {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(3_000) })
    const { status } = (await answer.json()) as { status: string }
    return { code: answer.status, status }
  } catch {
    return { code: 0, status: 'silent' }
  }
}

/** A connector of the house; its log tells every delivery that it took on. */
export function connectorProcess(
  name: keyof typeof CONNECTOR_KEY,
  { url, dataDir, ...more }: { url: string; dataDir: string; SMPP_URL?: string },
): Process {
  const settings = { GATEWAY_URL: url, CONNECTOR_KEY: CONNECTOR_KEY[name], DATA_DIR: dataDir, LOG_LEVEL: 'debug' }
  return new Process({
    command: ['dist/connectors/main.js', name],
    settings: { ...settings, ...more },
    ready: 'Registered with the gateway',
  })
}
