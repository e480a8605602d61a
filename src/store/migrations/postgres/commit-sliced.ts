// `commit_batch_2`: as the first, and each delivery is put in the slice of its recipient.
import { COMMIT_BATCH } from './commit-batch'
import { WRITE_DELIVERIES } from './commit-deliveries'

/** Each part is there once, or this is not the text that it was made from. */
function changed(text: string, changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((before, [from, to]) => {
    if (before.split(from).length !== 2) throw new Error(`Not once in the function: ${from}`)
    return before.replace(from, to)
  }, text)
}

/** Neither text changes any more, and so neither does what comes of them. */
export const COMMIT_SLICED: readonly string[] = [
  changed(WRITE_DELIVERIES, [
    ['write_deliveries_1', 'write_deliveries_2'],
    [
      'due_at, created_at, expires_at, reason)\n      select',
      'due_at, created_at, expires_at, reason, slice)\n      select',
    ],
    ["p_created, expires_at, ''\n", "p_created, expires_at, '', slice\n"],
    ['body text, expires_at text)', 'body text, expires_at text, slice int)'],
  ]),
  changed(COMMIT_BATCH, [
    ['commit_batch_1', 'commit_batch_2'],
    ['write_deliveries_1', 'write_deliveries_2'],
  ]),
]
