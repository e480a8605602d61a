// Real Redis servers for tests: each test starts its own, and may kill, stop, flush and configure it as it likes.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { Redis } from 'ioredis'
import { foundOrInstalled } from './debian'
import { fixedPort } from './process'

const PROGRAMS = ['redis-server', 'valkey-server']
const STARTS_WITHIN = 20_000

interface Settings {
  readonly password?: string
  /** Key and certificate as PEM files: it speaks TLS only. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

export class RedisServer {
  readonly #program: string
  readonly #port: number
  readonly #folder: string
  readonly #settings: Settings
  #child: ChildProcess | null = null
  #admin: Redis | null = null

  private constructor(at: { program: string; port: number; folder: string; settings: Settings }) {
    this.#program = at.program
    this.#port = at.port
    this.#folder = at.folder
    this.#settings = at.settings
  }
  /** On a free port of the loopback, without persistence. */
  static async start(settings: Settings = {}): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'fairlead-redis-'))
    const server = new RedisServer({ program: findProgram(), port: await fixedPort(), folder, settings })
    await server.start()
    return server
  }

  get url(): string {
    const { password, tls } = this.#settings
    const secret = password === undefined ? '' : `:${encodeURIComponent(password)}@`
    return `${tls ? 'rediss' : 'redis'}://${secret}127.0.0.1:${this.#port}`
  }
  /** For what the test itself asks, and commands that are none of the gateway's. */
  get admin(): Redis {
    this.#admin ??= new Redis({
      port: this.#port,
      host: '127.0.0.1',
      protocol: 2,
      disableClientInfo: true,
      enableReadyCheck: false,
      password: this.#settings.password,
      retryStrategy: () => 20,
      maxRetriesPerRequest: 200,
    }).on('error', () => undefined)
    return this.#admin
  }

  /** At the same address, and empty. */
  async start(): Promise<void> {
    const { password, tls } = this.#settings
    const port = String(this.#port)
    const child = spawn(
      this.#program,
      [
        ...['--bind', '127.0.0.1', '--dir', this.#folder, '--save', '', '--appendonly', 'no', '--daemonize', 'no'],
        ...(password === undefined ? [] : ['--requirepass', password]),
        ...(tls
          ? ['--port', '0', '--tls-port', port, '--tls-key-file', tls.key, '--tls-cert-file', tls.cert]
          : ['--port', port]),
        ...(tls ? ['--tls-auth-clients', 'no'] : []),
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    )
    this.#child = child
    let said = ''
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${this.#program} ${why}: ${said.slice(-2_000)}`))
      const late = setTimeout(() => fail(`was not ready within ${STARTS_WITHIN} ms`), STARTS_WITHIN)
      child.once('error', (error) => fail(error.message))
      child.once('exit', (code) => fail(`ended with ${String(code)} before it was ready`))
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        if (!said.includes('eady to accept connections')) return
        clearTimeout(late)
        resolve()
      })
    })
  }
  /** SIGKILL ends it as a power cut would, SIGSTOP makes it hang, SIGCONT lets it go on. */
  async signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const child = this.#child
    if (child?.exitCode !== null || child.signalCode !== null) return
    const ended = signal === 'SIGKILL' ? once(child, 'exit') : null
    child.kill(signal)
    await ended
  }
  async close(): Promise<void> {
    this.#admin?.disconnect()
    await this.signal('SIGKILL')
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** On the PATH, or installed where that may be done. The package's own service is neither needed nor started. */
function findProgram(): string {
  const need = `There is neither ${PROGRAMS.join(' nor ')} on the PATH. Install one of them.`
  return foundOrInstalled(onPath, 'redis-server', need)
}
function onPath(): string | undefined {
  for (const program of PROGRAMS)
    for (const folder of (process.env['PATH'] ?? '').split(delimiter))
      try {
        accessSync(join(folder, program), constants.X_OK)
        return join(folder, program)
      } catch {
        // Not here.
      }
  return undefined
}
