// What went wrong on Postgres: something was not as assumed, a row is refused for what it is, or the store is down.
import { DatabaseError } from 'pg'

/** Raised by our own functions. */
const ASSUMPTION = 'FL001'
/** The keys that guard what a batch assumes. */
const GUARDS: readonly string[] = ['event_pkey']
/** Deadlock, serialization failure, a transaction that sat idle for too long: the same batch may go through next time. */
const RACES: readonly string[] = ['40P01', '40001', '25P03']
/** Data, cardinality and integrity exceptions, and limits of the program: it is the row. */
const OF_A_ROW = /^(21|22|23|54)/

export type PgFault = 'conflict' | 'entry' | 'down'

export function faultOf(cause: unknown): PgFault {
  if (cause instanceof RangeError || cause instanceof TypeError) return 'entry'
  const code = codeOf(cause)
  if (cause instanceof DatabaseError && GUARDS.includes(cause.constraint ?? '')) return 'conflict'
  if (code === ASSUMPTION || RACES.includes(code)) return 'conflict'
  return OF_A_ROW.test(code) ? 'entry' : 'down'
}

export const isDuplicate = (cause: unknown): boolean => codeOf(cause) === '23505'

const codeOf = (cause: unknown): string => (cause instanceof DatabaseError && cause.code) || ''
