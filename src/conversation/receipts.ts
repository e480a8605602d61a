// Receipts only rise: accepted < sent < delivered < read; failed ends it unless delivered.
import type { ReceiptState } from '../model/events'

const RANK: Readonly<Record<ReceiptState, number>> = { accepted: 1, sent: 2, delivered: 3, read: 4, failed: 5 }

/** Does this state say more than what is known? */
export function rises(known: ReceiptState | null, next: ReceiptState): boolean {
  if (known === null) return true
  if (known === 'failed') return false
  if (next === 'failed') return RANK[known] < RANK.delivered
  return RANK[next] > RANK[known]
}
