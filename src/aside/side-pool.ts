// Processes of one program that have nothing to do stay for a while: the next work finds one warm.
import { SideProcess, type SideProgram } from './side-process'

const IDLE_MS = 60_000

interface Idle<Ask extends object, Answer> {
  readonly process: SideProcess<Ask, Answer>
  readonly leave: NodeJS.Timeout
}

export class SidePool<Ask extends object, Answer> {
  readonly #program: SideProgram
  readonly #idleMs: number
  readonly #idle = new Set<Idle<Ask, Answer>>()
  readonly #busy = new Set<SideProcess<Ask, Answer>>()
  #closed = false

  /** `idleMs`: how long one stays without work, in milliseconds; a minute when it is not said. */
  constructor(program: SideProgram, { idleMs = IDLE_MS }: { readonly idleMs?: number } = {}) {
    this.#program = program
    this.#idleMs = idleMs
  }

  /** One for the caller alone, until they `keep` or `drop` it. How many at once is theirs to bound. */
  take(): SideProcess<Ask, Answer> {
    const [idle] = this.#idle
    if (idle) this.#forget(idle)
    const process = idle?.process ?? new SideProcess<Ask, Answer>(this.#program)
    this.#busy.add(process)
    if (this.#closed) void process.kill()
    return process
  }
  /** Its work is done. */
  keep(process: SideProcess<Ask, Answer>): void {
    this.#busy.delete(process)
    if (this.#closed) {
      void process.kill()
      return
    }
    const leave = setTimeout(() => {
      this.#forget(idle)
      void process.kill()
    }, this.#idleMs).unref()
    const idle = { process, leave }
    this.#idle.add(idle)
    process.listen({ hear: () => undefined, died: () => this.#forget(idle) })
  }
  /** It is ended, amid whatever it does. Resolves when it is gone. */
  async drop(process: SideProcess<Ask, Answer>): Promise<void> {
    this.#busy.delete(process)
    await process.kill()
  }

  /** Ends all; those at work die under whoever took them, and so do those that are taken later. */
  async close(): Promise<void> {
    this.#closed = true
    const all = [...this.#busy, ...[...this.#idle].map(({ process }) => process)]
    for (const idle of this.#idle) this.#forget(idle)
    await Promise.all(all.map((process) => process.kill()))
  }

  #forget(idle: Idle<Ask, Answer>): void {
    clearTimeout(idle.leave)
    this.#idle.delete(idle)
  }
}
