// The gateway's end of a process that makes PDFs: starts it, talks to it, ends it, and knows what it died of.
import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { GatewayError } from '../model/errors'
import type { FromPress, ToPress } from './press-protocol'

export interface PressListener {
  readonly hear: (message: FromPress) => void
  /** Once, and nothing is heard after it: `tooLarge` (memory), `unavailable` (it could not start) or `internal`. */
  readonly died: (cause: GatewayError) => void
}
/** Nobody misses what dies with nothing to do. */
const NOBODY: PressListener = { hear: () => undefined, died: () => undefined }

/** What a program needs to run, and nothing that the gateway alone may know. */
const NEEDED =
  /^(?:PATH|HOME|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|SYSTEMROOT|WINDIR)$/i
/** Of what it says on stderr; V8 tells in its first lines what it aborts for, and where in those behind. */
const LAST_WORDS = 8 * 1024

export class PressChild {
  readonly #child: ChildProcess | null
  readonly #gone: Promise<void>
  #isGone: () => void = () => undefined
  #listener = NOBODY
  #fate: GatewayError | null = null
  #lastWords = ''

  /** `fontsDir`: a folder of more fonts, or empty. `memoryMb`: of its heap. Never throws: what cannot start has died. */
  constructor(deps: { fontsDir: string; memoryMb: number }) {
    this.#gone = new Promise((resolve) => (this.#isGone = resolve))
    this.#child = start(deps)
    if (this.#child) this.#follow(this.#child)
    else this.#die(unstarted())
  }

  /** Whoever listened before hears nothing more. Of a death before they hear in a moment. */
  listen(listener: PressListener = NOBODY): void {
    this.#listener = listener
    const fate = this.#fate
    if (fate) queueMicrotask(() => listener.died(fate))
  }
  /** Never throws for a process that is gone or going: its listener hears of its death. */
  say(message: ToPress): void {
    if (this.#fate || !this.#child) return
    this.#child.send(message, (cause) => {
      // Its channel is closed: it is dead, or as good as that.
      if (cause) void this.kill()
    })
  }
  /** Resolves when it is gone; it is asked nothing, for it hears nothing while it works. */
  kill(): Promise<void> {
    if (!this.#fate) this.#child?.kill('SIGKILL')
    return this.#gone
  }

  #follow(child: ChildProcess): void {
    child.on('message', (message) => this.#listener.hear(message as FromPress))
    // Read, so that it is not held up, and thrown away: a sentence of somebody's may be in it.
    child.stderr?.setEncoding('latin1').on('data', (text: string) => {
      this.#lastWords = `${this.#lastWords}${text}`.slice(-LAST_WORDS)
    })
    child.on('disconnect', () => child.kill('SIGKILL'))
    // Not `exit`: only then its last words are complete.
    child.on('close', (code, signal) => this.#die(faultOf(this.#lastWords, String(signal ?? code))))
  }
  #die(cause: GatewayError): void {
    if (this.#fate) return
    this.#fate = cause
    this.#isGone()
    this.#listener.died(cause)
  }
}

function start({ fontsDir, memoryMb }: { fontsDir: string; memoryMb: number }): ChildProcess | null {
  const needed = Object.entries(process.env).filter(([name]) => NEEDED.test(name))
  try {
    const child = fork(pressFile(), [fontsDir], {
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
const pressFile = (): string =>
  __filename.endsWith('.ts')
    ? join(__dirname, '../../dist/src/transcript/press-main.js')
    : join(__dirname, 'press-main.js')

const DIED = 'The PDF could not be made: its process died. Ask for html, txt, csv or json.'
const UNSTARTED = 'No process can be started that makes the PDF. Try again later, or ask for html, txt, csv or json.'
const LARGE = 'This conversation is too large for a PDF. Ask for html, txt, csv or json.'

const unstarted = () => new GatewayError('unavailable', UNSTARTED, { retryAfter: 60 })
/** By the words with which V8 ends a process, such as `Reached heap limit Allocation failed - JavaScript heap out of memory`. */
const faultOf = (lastWords: string, end: string): GatewayError =>
  /\bout of memory\b/i.test(lastWords)
    ? new GatewayError('tooLarge', LARGE)
    : new GatewayError('internal', DIED, { cause: new Error(`The process ended with ${end}`) })
