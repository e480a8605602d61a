// Refuses rows that no engine should take, and brings times into the one spelling in which text order is time order.
import { EntryError, type Batch, type OnceRow, type WriteRow } from './engine'

const MAX_KEY_LENGTH = 256
/** Above what the doors let in: a message with all its links. */
const MAX_DELIVERY_BYTES = 512 * 1024

export function soundBatch(batch: Batch): Batch {
  return { ...batch, once: batch.once.map(soundOnce), writes: batch.writes.map(soundWrite) }
}

function soundOnce(row: OnceRow): OnceRow {
  if (row.scope.length > MAX_KEY_LENGTH || row.key.length > MAX_KEY_LENGTH)
    throw new EntryError(`An idempotency key is longer than ${MAX_KEY_LENGTH} characters`)
  return row.expiresAt === null ? row : { ...row, expiresAt: instant(row.expiresAt) }
}

function soundWrite(row: WriteRow): WriteRow {
  const { tenant, write } = row
  if (write.kind === 'deliver') {
    const { body, expiresAt } = write.delivery
    if (Buffer.byteLength(body) > MAX_DELIVERY_BYTES) throw new EntryError('The body of a delivery is over 512 KB')
    return expiresAt === null
      ? row
      : { tenant, write: { ...write, delivery: { ...write.delivery, expiresAt: instant(expiresAt) } } }
  }
  if (write.kind === 'park') return { tenant, write: { ...write, expiresAt: instant(write.expiresAt) } }
  if (write.kind === 'settle' && write.outcome.state === 'due')
    return { tenant, write: { ...write, outcome: { ...write.outcome, at: instant(write.outcome.at) } } }
  return row
}

function instant(text: string): string {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw new EntryError('A time is not written as ISO 8601')
  return new Date(ms).toISOString()
}
