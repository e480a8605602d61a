// How long to wait before a repeat, so that a thousand clients do not come back in the same second.

const FIRST = 500
const LONGEST = 30_000

/**
 * Milliseconds before the next try after `failures` (1…) in a row: half a second, doubled up to 30 s, up to half of it
 * left to chance. Never sooner than the server's `retryAfter` in seconds, and up to a fifth later.
 */
export function pauseAfter(failures: number, retryAfter = 0): number {
  const own = Math.min(LONGEST, FIRST * 2 ** (failures - 1)) * (1 - Math.random() / 2)
  return Math.max(own, retryAfter * 1000 * (1 + Math.random() / 5))
}
