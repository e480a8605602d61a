// What is written to one connection within a turn of the event loop leaves together: a system call costs more than a frame.

/** A stream of Node's that can hold its writes back. */
export interface Corkable {
  cork(): void
  uncork(): void
}

/** Turns in which something was written, counted by two: the odd number behind one says that a stream is held back. */
let turn = 2
let isUnderWay = false
let held: Corkable[] = []
const writtenIn = new WeakMap<Corkable, number>()

/**
 * To be called before each write. The first one of a turn goes out at once, for most connections have no other; from the
 * second on they are held back until the turn ends, a moment later, and go out in their order by one call.
 */
export function gather(stream: Corkable): void {
  if (!isUnderWay) {
    isUnderWay = true
    setImmediate(endTurn)
  }
  const last = writtenIn.get(stream) ?? 0
  if (last < turn) writtenIn.set(stream, turn)
  else if (last === turn) {
    writtenIn.set(stream, turn + 1)
    stream.cork()
    held.push(stream)
  }
}

function endTurn(): void {
  turn += 2
  isUnderWay = false
  const streams = held
  held = []
  for (const stream of streams) stream.uncork()
}
