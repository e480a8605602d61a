// What is written to one connection within a turn of the event loop leaves together: a system call costs more than a frame.

/** A stream of Node's that can hold its writes back. */
export interface Corkable {
  cork(): void
  uncork(): void
}

/** Where a connection remembers in which turn it was last written to. */
export const WRITTEN_IN = Symbol('writtenIn')
/** A connection that a stream belongs to. */
export interface Paced {
  [WRITTEN_IN]?: number | undefined
}

/** Turns in which something was written, counted by two: the odd number behind one says that a stream is held back. */
let turn = 2
let isUnderWay = false
let held: Corkable[] = []

/**
 * To be called before each write. The first one of a turn goes out at once, for most connections have no other; from the
 * second on they are held back until the turn ends, a moment later, and go out in their order by one call.
 */
export function gather(connection: Paced, stream: Corkable): void {
  if (!isUnderWay) {
    isUnderWay = true
    setImmediate(endTurn)
  }
  const last = connection[WRITTEN_IN] ?? 0
  if (last < turn) connection[WRITTEN_IN] = turn
  else if (last === turn) {
    connection[WRITTEN_IN] = turn + 1
    stream.cork()
    held.push(stream)
  }
}

function endTurn(): void {
  turn += 2
  isUnderWay = false
  if (held.length === 0) return
  const streams = held
  held = []
  for (const stream of streams) stream.uncork()
}
