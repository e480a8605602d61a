// Lets requests that take much, and whose senders have time, begin one after the other: a hundred at once would hold up the chats.
import type { IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'

/** Milliseconds from the beginning of one to that of the next. */
const EVERY_MS = 10
/** Of those that wait; one more begins at once, and is refused where it is counted. */
const MOST = 1_000

/** To stand before whatever else a request goes through. `isPatient`: it is one of those. */
export function patience(isPatient: (request: IncomingMessage) => boolean): RequestHandler {
  const waiting: (() => void)[] = []
  let isBusy = false
  const next = () => {
    const begin = waiting.shift()
    isBusy = begin !== undefined
    if (!begin) return
    // Not within the timer: between two of those nobody else is heard.
    setImmediate(begin)
    setTimeout(next, EVERY_MS)
  }
  return (request, _response, proceed) => {
    if (!isPatient(request) || waiting.length >= MOST) {
      proceed()
      return
    }
    waiting.push(() => {
      // Whoever has gone meanwhile wants nothing.
      if (!request.destroyed) proceed()
    })
    if (!isBusy) next()
  }
}
