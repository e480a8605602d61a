// Lets requests that take much, and whose senders have time, begin one after the other: a hundred at once would hold up the chats.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestHandler } from 'express'

/** Milliseconds from the beginning of one to that of the next, which need not wait for them when the one has ended. */
const EVERY_MS = 10
/** Of those that wait, for two seconds and a half at most; one more begins at once, and is refused where it is counted. */
const MOST = 256

interface Waiting {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly proceed: () => void
}

/** To stand before whatever else a request goes through. `isPatient`: it is one of those. */
export function patience(isPatient: (request: IncomingMessage) => boolean): RequestHandler {
  const waiting: Waiting[] = []
  /** Of the one that began last; null when it is over and nobody waits. */
  let turn: NodeJS.Timeout | null = null
  const next = () => {
    if (turn) clearTimeout(turn)
    let first = waiting.shift()
    // Whoever has gone meanwhile wants nothing, and takes no turn.
    while (first?.request.destroyed) first = waiting.shift()
    turn = first ? begin(first) : null
  }
  const begin = ({ response, proceed }: Waiting): NodeJS.Timeout => {
    // Not within the timer: between two of those nobody else is heard.
    setImmediate(proceed)
    const own = setTimeout(next, EVERY_MS)
    response.once('close', () => {
      if (turn === own) next()
    })
    return own
  }
  return (request, response, proceed) => {
    if (!isPatient(request) || waiting.length >= MOST) {
      proceed()
      return
    }
    waiting.push({ request, response, proceed })
    if (!turn) next()
  }
}
