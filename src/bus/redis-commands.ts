// Everything that is ever said to Redis: commands of 6.2 that every server in its likeness has, and nothing else.

/** Sent by us. `set` with GET is of 6.2; everything else is older. */
const OURS = ['ping', 'publish', 'subscribe', 'set', 'sadd', 'srem', 'smembers', 'expire'] as const
/** Sent by the client when it connects, where the URL has a password or a database number. */
const HANDSHAKE = ['auth', 'select'] as const

/** The whole list, in lower case: for the test that holds us to it, and for whoever writes an ACL. */
export const REDIS_COMMANDS: readonly string[] = [...OURS, ...HANDSHAKE]

export type RedisCommand = readonly [(typeof OURS)[number], ...(string | number)[]]
/** What Redis answers to one command: a refusal is an answer too. */
export type RedisReply = string | number | null | readonly string[] | RedisRefusal
/** Why something did not work, in a word: `OOM`, `READONLY`, `ECONNREFUSED`. */
export class RedisRefusal {
  constructor(readonly reason: string) {}
}

/** Reads an answer of the client: whatever is none of ours counts as a refusal. */
export function readReply(error: unknown, value: unknown): RedisReply {
  if (error) return new RedisRefusal(reasonOf(error))
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  if (Array.isArray(value)) return value.filter((item) => typeof item === 'string')
  return new RedisRefusal('UNKNOWN')
}

/** An error's code, or the first word of what Redis says: never an argument, for the client hangs even AUTH on its errors. */
export function reasonOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'UNKNOWN'
  if ('code' in error && typeof error.code === 'string') return error.code
  const message = 'message' in error && typeof error.message === 'string' ? error.message : ''
  return /^([A-Z]{3,20})\b/.exec(message)?.[1] ?? (/time.?out/i.test(message) ? 'ETIMEDOUT' : 'UNKNOWN')
}
