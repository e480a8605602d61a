// Everything that is ever said to Redis: commands of 6.2 that every server in its likeness has, and nothing else.

/** Sent by us. `set` with GET is of 6.2; everything else is older. */
const OURS = ['ping', 'publish', 'subscribe', 'set', 'sadd', 'srem', 'smembers', 'expire'] as const
/** Sent by the client when it connects, where the URL has a password or a database number. */
const HANDSHAKE = ['auth', 'select'] as const

/** The whole list, in lower case: for the test that holds us to it, and for whoever writes an ACL. */
export const REDIS_COMMANDS: readonly string[] = [...OURS, ...HANDSHAKE]

export type RedisCommand = readonly [(typeof OURS)[number], ...(string | number)[]]
/** What Redis answers to one command: an error is an answer too. */
export type RedisReply = string | number | null | readonly string[] | Error

/** Reads an answer of the client: whatever is none of ours counts as an error. */
export function readReply(error: Error | null | undefined, value: unknown): RedisReply {
  if (error) return error
  if (value === null || typeof value === 'string' || typeof value === 'number') return value
  if (Array.isArray(value)) return value.filter((item) => typeof item === 'string')
  return new Error('Redis gave an answer of an unknown shape')
}
