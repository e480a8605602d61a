// What went wrong in the SQLite thread, in a form that can cross to the gateway's.
import type { Fault } from './sqlite-protocol'

/** SQLite refuses the row, not the write: the batch is worth splitting. */
const ENTRY_CODES = /^SQLITE_(CONSTRAINT|TOOBIG|MISMATCH|RANGE)/

export function toFault(cause: unknown): Fault {
  if (!(cause instanceof Error)) return { code: 'UNKNOWN', message: String(cause), isEntry: false }
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name
  const isEntry = ENTRY_CODES.test(code) || cause instanceof TypeError || cause instanceof RangeError
  return { code, message: cause.message, isEntry }
}

/** The fault as it is thrown on the gateway's side. */
export class SqliteFault extends Error {
  override readonly name = 'SqliteFault'
  readonly code: string
  readonly isEntry: boolean

  constructor({ code, message, isEntry }: Fault) {
    super(`${code}: ${message}`)
    this.code = code
    this.isEntry = isEntry
  }
}
