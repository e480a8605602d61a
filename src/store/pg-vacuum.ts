// Has Postgres clear away what erasing left behind: rows that were deleted or replaced stay in its files until then.
import { Client } from 'pg'
import { connectionTo } from './pg-pool'

/** Everything that an erasure rewrites or deletes. */
const TABLES = [
  ...['event', 'conversation', 'custody', 'erasing', 'live_address', 'once', 'lane'],
  ...['delivery', 'provider_part', 'notification', 'suppression'],
]
/** As gentle as the server's own, and given up after a while: the server's own comes by, too. */
const SESSION = {
  vacuum_cost_delay: '2ms',
  statement_timeout: String(30 * 60_000),
  lock_timeout: '1s',
  client_connection_check_interval: '1s',
}

export class PgVacuum {
  readonly #url: string
  readonly #onFault: (cause: unknown) => void
  #client: Client | null = null
  #again = false
  #closed = false

  /** @param deps.onFault hears why it could not be done; autovacuum does it later, all the same */
  constructor(deps: { url: string; onFault: (cause: unknown) => void }) {
    this.#url = deps.url
    this.#onFault = deps.onFault
  }

  /** Begins one, or has the one under way followed by another. Nobody waits for it. */
  begin(): void {
    this.#again = true
    if (this.#client || this.#closed) return
    const client = new Client(connectionTo(this.#url, SESSION))
    this.#client = client
    // A connection that breaks tells whoever waits for its answer.
    client.on('error', () => undefined)
    this.#run(client)
      .catch((cause: unknown) => {
        if (!this.#closed) this.#onFault(cause)
      })
      .finally(() => {
        this.#client = null
        client.end().catch(() => undefined)
      })
  }
  async #run(client: Client): Promise<void> {
    await client.connect()
    while (this.#again && !this.#closed) {
      this.#again = false
      // One after another, so that none holds back what was cleared in the others. A table of somebody else's is passed by.
      for (const table of TABLES) await client.query(`vacuum (skip_locked) ${table}`)
    }
  }

  /** Breaks off what is under way. */
  close(): void {
    this.#closed = true
    this.#client?.end().catch(() => undefined)
  }
}
