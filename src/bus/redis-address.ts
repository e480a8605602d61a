// Where an instance of Redis is, and which instance a name belongs to.

export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly username: string | undefined
  readonly password: string | undefined
  readonly database: number
  readonly tls: boolean
}

const DEFAULT_PORT = 6379

/**
 * Reads `redis://user:password@host:port/database`, or `rediss://` for TLS.
 * @throws a sentence without the URL, for that may hold a password
 */
export function readAddress(url: string): RedisAddress {
  if (!URL.canParse(url)) throw new Error('A Redis URL cannot be read. Write redis://host:6379, or rediss:// for TLS.')
  const { protocol, hostname, port, pathname, username, password } = new URL(url)
  const database = /^\/?(\d{0,5})$/.exec(pathname)
  if ((protocol !== 'redis:' && protocol !== 'rediss:') || hostname === '' || !database)
    throw new Error('A Redis URL must be redis: or rediss: with a host, and behind it nothing but a database number.')
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? DEFAULT_PORT : Number(port),
    username: username === '' ? undefined : decodeURIComponent(username),
    password: password === '' ? undefined : decodeURIComponent(password),
    database: Number(database[1] ?? 0),
    tls: protocol === 'rediss:',
  }
}

/** Names an instance for hashing: every node must come to the same name, whatever its credentials. */
export const nameOfAddress = ({ host, port, database }: RedisAddress): string => `${host}:${port}/${database}`

/** The instance whose name and this one hash highest, so that a list of another order, or with one more, moves little. */
export function pick<T extends { readonly name: string }>(instances: readonly T[], name: string): T {
  let best: T | undefined
  let highest = -1
  for (const instance of instances) {
    const hash = hashOf(`${instance.name}\n${name}`)
    if (hash <= highest) continue
    highest = hash
    best = instance
  }
  if (!best) throw new Error('The bus needs at least one Redis')
  return best
}

/** FNV-1a with a last stir, without which texts that end alike would stay together. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
