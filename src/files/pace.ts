// Lets one piece of bytes through in each turn of the event loop, whoever's it is: however many files arrive, chats are heard in between.
const waiting: (() => void)[] = []

/** In the order of the calls. Whoever waits holds one piece, and its sender back. */
export function inTurn(work: () => void): void {
  waiting.push(work)
  if (waiting.length === 1) setImmediate(next)
}
function next(): void {
  const [work] = waiting
  work?.()
  waiting.shift()
  if (waiting.length > 0) setImmediate(next)
}
