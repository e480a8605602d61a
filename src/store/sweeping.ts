// What every notification store must agree on: how long things are kept, and where a page of addresses may end.
import type { Address } from '../model/participant'

const DAY_MS = 24 * 60 * 60 * 1_000

const DONE_DAYS = 7
const DEAD_DAYS = 30
const NOTIFICATION_DAYS = 30

/** What was settled or last changed at such a time, or before, is not kept any longer. ISO 8601. */
export interface Cutoffs {
  readonly done: string
  readonly dead: string
  readonly notification: string
}
export function cutoffsAt(now: Date): Cutoffs {
  const daysAgo = (days: number) => new Date(now.getTime() - days * DAY_MS).toISOString()
  return { done: daysAgo(DONE_DAYS), dead: daysAgo(DEAD_DAYS), notification: daysAgo(NOTIFICATION_DAYS) }
}

/** Yesterday still counts: clocks differ, and so do their days. */
export const lastKeptDay = (now: Date): string => new Date(now.getTime() - DAY_MS).toISOString().slice(0, 10)

/**
 * The next page begins after a refId, so no page may end amid the accounts of one. Takes one row more than the limit,
 * in order.
 */
export function wholeGroups(rows: readonly Address[], limit: number): Address[] {
  const page = rows.slice(0, limit)
  const cut = rows[limit]?.refId
  const whole = page.filter(({ refId }) => refId !== cut)
  return whole.length > 0 ? whole : page
}
