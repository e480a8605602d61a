// The gateway's end of a process beside it: starts it, talks to it, ends it, and knows what it died of.
import { fork, type ChildProcess } from 'node:child_process'
import { join, relative } from 'node:path'

export interface SideProgram {
  /** Its module's path, without an ending. It says `onDuty`. */
  readonly file: string
  /** Shown to everybody on the machine: no secrets. */
  readonly args?: readonly string[]
  /** Of its heap, in megabytes. */
  readonly memoryMb: number
}
/** What a process died of: its heap was full, it could not start, or anything else. */
export type Death = 'memory' | 'start' | 'other'
export interface SideListener<Answer> {
  readonly hear: (message: Answer) => void
  /** Once, and nothing is heard after it. `end`: its exit code or signal. */
  readonly died: (death: Death, end: string) => void
}

/** What a program needs to run, and nothing that the gateway alone may know. */
const NEEDED =
  /^(?:PATH|HOME|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|SYSTEMROOT|WINDIR)$/i
/** Of what it says on stderr; V8 tells in its first lines what it aborts for, and where in those behind. */
const LAST_WORDS = 8 * 1024

export class SideProcess<Ask extends object, Answer> {
  readonly #child: ChildProcess | null
  readonly #gone: Promise<void>
  #isGone: () => void = () => undefined
  #listener: SideListener<Answer> | null = null
  #fate: { readonly death: Death; readonly end: string } | null = null
  #lastWords = ''

  /** Never throws: what cannot start has died. */
  constructor(program: SideProgram) {
    this.#gone = new Promise((resolve) => (this.#isGone = resolve))
    this.#child = start(program)
    if (this.#child) this.#follow(this.#child)
    else this.#die('start', '')
  }

  /** Whoever listened before hears nothing more. Of a death before they hear in a moment. */
  listen(listener: SideListener<Answer> | null): void {
    this.#listener = listener
    const fate = this.#fate
    if (fate) queueMicrotask(() => listener?.died(fate.death, fate.end))
  }
  /**
   * Resolves when the process has room for more: whoever has much to say waits for it. Never rejects, and resolves for a
   * process that is gone or going: its listener hears of its death.
   */
  say(message: Ask): Promise<void> {
    const child = this.#child
    if (this.#fate || !child) return Promise.resolve()
    return new Promise((resolve) => {
      child.send(message, (cause) => {
        // Its channel is closed: it is dead, or as good as that.
        if (cause) void this.kill()
        resolve()
      })
    })
  }
  /** Resolves when it is gone; it is asked nothing, for it hears nothing while it works. */
  kill(): Promise<void> {
    if (!this.#fate) this.#child?.kill('SIGKILL')
    return this.#gone
  }

  #follow(child: ChildProcess): void {
    child.on('message', (message) => this.#listener?.hear(message as Answer)) // the two ends share the type
    // Read, so that it is not held up, and thrown away: a sentence of somebody's may be in it.
    child.stderr?.setEncoding('latin1').on('data', (text: string) => {
      this.#lastWords = `${this.#lastWords}${text}`.slice(-LAST_WORDS)
    })
    child.on('disconnect', () => child.kill('SIGKILL'))
    // Not `exit`: only then its last words are complete.
    child.on('close', (code, signal) => {
      // Such as `Reached heap limit Allocation failed - JavaScript heap out of memory`.
      this.#die(/\bout of memory\b/i.test(this.#lastWords) ? 'memory' : 'other', String(signal ?? code))
    })
  }
  #die(death: Death, end: string): void {
    if (this.#fate) return
    this.#fate = { death, end }
    this.#isGone()
    this.#listener?.died(death, end)
  }
}

function start({ file, args = [], memoryMb }: SideProgram): ChildProcess | null {
  const needed = Object.entries(process.env).filter(([name]) => NEEDED.test(name))
  try {
    const child = fork(built(file), args, {
      serialization: 'advanced',
      // One helper of V8's, and none of what NODE_OPTIONS says of the gateway.
      execArgv: ['--v8-pool-size=1', `--max-old-space-size=${memoryMb}`, '--max-semi-space-size=16'],
      env: { ...Object.fromEntries(needed), UV_THREADPOOL_SIZE: '1' },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    // What cannot be sent is told to whoever sent it, what cannot be started below; unheard, an error ends the gateway.
    child.on('error', () => undefined)
    return child.pid === undefined ? null : child
  } catch {
    return null
  }
}

/** A process of Node's own cannot load TypeScript: run from the sources, as under jest, it takes the built file. */
function built(file: string): string {
  if (!__filename.endsWith('.ts')) return `${file}.js`
  const root = join(__dirname, '../..')
  return join(root, 'dist', `${relative(root, file)}.js`)
}
