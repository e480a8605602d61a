// How long a delivery waits for its next attempt: longer and longer, never all at once.
const FIRST_MS = 1_000
const LONGEST_MS = 10 * 60_000

/**
 * Milliseconds before the attempt after `attempts`: doubling from 1 s to 10 min, between half and all of it by chance.
 * `retryAfter` (seconds) is what the provider asked for: never earlier than that.
 */
export function pauseBefore(attempts: number, retryAfter: number | null, random: () => number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, Math.min(attempts - 1, 20)))
  const jittered = Math.round(full * (0.5 + random() / 2))
  return retryAfter === null ? jittered : Math.round(retryAfter * 1_000 + random() * FIRST_MS)
}
