// Whether people talk: work that can wait leaves them room then, and takes all there is when nobody does.
import { availableParallelism } from 'node:os'

/** How long the last word counts, in milliseconds. */
const LASTING_MS = 1_000
/** With more of them one is free for whoever talks, whatever is done beside. */
const FEW_PROCESSORS = 2

export class Talk {
  #heardAt = -Infinity

  /** Something was written to a conversation, by this node. */
  heard(): void {
    this.#heardAt = performance.now()
  }
  get isOn(): boolean {
    return performance.now() - this.#heardAt < LASTING_MS
  }
}

/** Times as long as it worked. While files come, too, both processors would be full of work that can wait. */
const REST = 3
const REST_AMID_FILES = 24

/** What goes on in the gateway when work beside it begins. */
export interface Bustle {
  readonly isTalk: boolean
  /** As many as may. */
  readonly areFilesComing: boolean
}
/**
 * How many times as long as it worked a process beside the gateway rests in between: processors that are always full
 * hold up whoever talks, even with work that gives way at once.
 */
export function restAmid({ isTalk, areFilesComing }: Bustle, processors = availableParallelism()): number {
  if (!isTalk || processors > FEW_PROCESSORS) return 0
  return areFilesComing ? REST_AMID_FILES : REST
}
