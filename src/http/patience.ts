// Lets requests that take much, and whose senders have time, begin one after the other: a hundred at once would hold up the chats.
import type { IncomingMessage } from 'node:http'
import type { RequestHandler } from 'express'

/** Milliseconds from the beginning of one to that of the next. */
const EVERY_MS = 10
/** Of those that wait, for two seconds and a half at most; one more begins at once, and is refused where it is counted. */
const MOST = 256

interface Waiting {
  readonly request: IncomingMessage
  readonly proceed: () => void
}

/** To stand before whatever else a request goes through. `isPatient`: it is one of those. */
export function patience(isPatient: (request: IncomingMessage) => boolean): RequestHandler {
  const waiting: Waiting[] = []
  let isBusy = false
  const next = () => {
    let first = waiting.shift()
    // Whoever has gone meanwhile wants nothing, and takes no turn.
    while (first?.request.destroyed) first = waiting.shift()
    isBusy = first !== undefined
    if (!first) return
    // Not within the timer: between two of those nobody else is heard.
    setImmediate(first.proceed)
    setTimeout(next, EVERY_MS)
  }
  return (request, _response, proceed) => {
    if (!isPatient(request) || waiting.length >= MOST) {
      proceed()
      return
    }
    waiting.push({ request, proceed })
    if (!isBusy) next()
  }
}
