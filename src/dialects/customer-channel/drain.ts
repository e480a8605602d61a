// Sends the clients of a gateway on its way down to the others: not all at once, and each when it has its answers.

interface Connection {
  readonly readyState: string
  close(): void
}

/** How long a connection's answers are waited for: a store says within 2 s whether it has written. */
const ANSWERS_MS = 3_000

export interface Draining<C extends Connection> {
  /** Milliseconds over which connections are closed; as long it takes, for who asks over HTTP must be sent elsewhere, too. */
  readonly ms: number
  /** What is open, in any order. */
  readonly connections: Iterable<C>
  /** Resolves when nothing that this connection asked for is unanswered; it is heard no more from then on. */
  readonly retire: (connection: C) => Promise<void>
  readonly random?: () => number
}

/**
 * Closes each connection at a moment of its own, so that its client reconnects at one: the transport closes and not the
 * session, after which clients come back by themselves. Resolves within `ms` and what the answers take.
 */
export async function drain<C extends Connection>(draining: Draining<C>): Promise<void> {
  const { ms, connections, retire, random = Math.random } = draining
  const closed = [...connections].map(async (connection) => {
    await pause(ms * random())
    await inTime(retire(connection), ANSWERS_MS)
    // What was written is sent first.
    if (connection.readyState === 'open') connection.close()
  })
  await Promise.all([...closed, pause(ms)])
}

const pause = (ms: number): Promise<void> =>
  ms === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms))

async function inTime(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
  await Promise.race([work, late])
  clearTimeout(timer)
}
