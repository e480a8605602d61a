// Who is at the other end of a request, and how much of what one caller may ask for.
import { createHash } from 'node:crypto'
import { BlockList, isIP, isIPv6 } from 'node:net'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { GatewayError } from '../model/errors'
import { DEFAULT_TENANT, type Tenant } from '../model/ids'

/** A set of addresses and networks. */
export class Networks {
  readonly #list = new BlockList()

  /** @param networks such as `10.0.0.0/8`, `fd00::/8` or `::1`, as `readConfig` has checked them */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', bits] = network.split('/')
      const family = isIPv6(address) ? 'ipv6' : 'ipv4'
      if (bits === undefined) this.#list.addAddress(address, family)
      else this.#list.addSubnet(address, Number(bits), family)
    }
  }
  /** False for whatever is no address. */
  has(address: string): boolean {
    const plain = unwrapped(address)
    return plain !== null && this.#list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
  }
}

const MAX_HOPS = 32
const UNKNOWN = 'unknown'

/**
 * The address a request comes from: the first hop from the right that is none of our proxies. Whatever stands left of
 * it anybody may have written.
 * @param request `forwardedFor`: the `X-Forwarded-For` header
 * @returns an address without port and zone, an IPv4 one also where it came wrapped in IPv6; `unknown` when the socket
 *   has none
 */
export function clientAddress(
  request: {
    readonly socketAddress: string | undefined
    readonly forwardedFor?: string | readonly string[] | undefined
  },
  trustedProxies: Networks,
): string {
  let address = unwrapped(request.socketAddress ?? '')
  if (address === null) return UNKNOWN
  const forwarded = [request.forwardedFor ?? []].flat().join(',')
  const hops = forwarded === '' ? [] : forwarded.split(',').slice(-MAX_HOPS).reverse()
  for (const hop of hops) {
    if (!trustedProxies.has(address)) break
    const next = unwrapped(hop)
    if (next === null) break // a proxy of ours wrote what is no address: as far as we know, it is the client itself
    address = next
  }
  return address
}

/** What limits count by: an IPv4 address, or the /64 of an IPv6 one, for a household has that many to choose from. */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('::')
  const before = head.split(':').filter((group) => group !== '')
  const after = tail?.split(':').filter((group) => group !== '') ?? []
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after]
  return `${groups
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

/** An address as it stands in a header: perhaps with a port, brackets, a zone, or IPv4 in an IPv6 coat. */
function unwrapped(text: string): string | null {
  const bare = text.trim().replace(/^\[([^\]]*)\](?::\d+)?$/, '$1')
  const address = (/^[\d.]+:\d+$/.test(bare) ? bare.slice(0, bare.indexOf(':')) : bare).replace(/%.*$/, '')
  if (isIP(address) !== 6) return isIP(address) === 4 ? address : null
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical)
  if (!mapped) return canonical
  const [high = 0, low = 0] = mapped.slice(1).map((group) => parseInt(group, 16))
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** So many in so many seconds, and by what they are counted. */
const LIMITS = {
  /**
   * By address: connecting, whoever one turns out to be. Three times the connections that an address may hold: a whole
   * office comes back within seconds of a restart, some of it by a second transport where the first found nobody, and
   * perhaps after a second restart in the same minute.
   */
  handshake: { points: 3_000, seconds: 60 },
  /**
   * By key, or by address for those who show it in the request or need none. A socket may register 256 accounts and
   * instances, and does so on every connect: four processes of that size come back in one minute.
   */
  register: { points: 1_200, seconds: 60 },
  /** By address and username: guessing one password. */
  loginPerUser: { points: 5, seconds: 60 },
  /** By address: trying one password on many usernames. */
  loginPerAddress: { points: 20, seconds: 60 },
  /** By address: opening conversations without a key. */
  init: { points: 30, seconds: 60 },
  /** By address for those who show no credential, by credential otherwise; by key and conversation for connectors. */
  join: { points: 60, seconds: 60 },
  /** By participant. */
  sendCustomer: { points: 30, seconds: 10 },
  /** By account; bots by key. */
  sendStaff: { points: 100, seconds: 10 },
  /** By key and refId: one customer on the other side of a connector. */
  sendConnector: { points: 30, seconds: 10 },
  /** By key: a connector as a whole, init and send alike. */
  connectorTotal: { points: 2_000, seconds: 1 },
  /** By address: each may cost a PDF. */
  transcript: { points: 30, seconds: 60 },
  /** By recipient: mails with transcripts. Nobody's mailbox is filled by who knows where the chat is. */
  mail: { points: 10, seconds: 3_600 },
  /** By address: renewing a customer's token. */
  token: { points: 30, seconds: 60 },
  /** By participant: sending files. */
  upload: { points: 30, seconds: 60 },
  /** By address: having them again. A page that is opened shows all of a conversation's pictures, in parts perhaps. */
  file: { points: 1_200, seconds: 60 },
  /** By account: creating accounts hashes passwords. */
  admin: { points: 120, seconds: 60 },
  /** By key; its daily quota is counted in the store. */
  notification: { points: 100, seconds: 1 },
} as const
export type LimitName = keyof typeof LIMITS

/** Callers that one limit tells apart at once; those beyond share 64 buckets, so that memory stays bounded. */
const MAX_KEYS = 20_000
const MAX_KEY_LENGTH = 64

/** Counts in this process's memory what callers do. */
export class Limits {
  readonly #buckets: ReadonlyMap<LimitName, Bucket> | null
  readonly #onLimited: (name: LimitName) => void

  /** @param deps `enabled`: false lets everything through; `onLimited`: called at each refusal, to be counted */
  constructor(deps: {
    enabled: boolean
    tenant?: Tenant
    onLimited?: (name: LimitName) => void
    /** Callers told apart per limit (20 000). */
    maxKeys?: number
  }) {
    const tenant = deps.tenant ?? DEFAULT_TENANT
    const names = Object.keys(LIMITS) as LimitName[]
    const bucket = (name: LimitName) => new Bucket(`${tenant}:${name}`, LIMITS[name], deps.maxKeys ?? MAX_KEYS)
    this.#buckets = deps.enabled ? new Map(names.map((name) => [name, bucket(name)])) : null
    this.#onLimited = deps.onLimited ?? (() => undefined)
  }

  /**
   * Counts one more.
   * @param key whom it is counted for; long ones are hashed
   * @throws GatewayError `tooManyRequests` with `retryAfter` in seconds
   */
  async consume(name: LimitName, key: string): Promise<void> {
    const wait = (await this.#buckets?.get(name)?.take(key)) ?? 0
    if (wait === 0) return
    this.#onLimited(name)
    throw new GatewayError('tooManyRequests', `Too much at once. Try again in ${wait} s.`, { retryAfter: wait })
  }
}

class Bucket {
  readonly #limiter: RateLimiterMemory
  readonly #seconds: number
  readonly #maxKeys: number
  /** Keys of this window and of the one before; the limiter forgets a key within one window. */
  #recent = new Set<string>()
  #older = new Set<string>()
  #turnedAt = 0

  constructor(prefix: string, limit: { points: number; seconds: number }, maxKeys: number) {
    this.#limiter = new RateLimiterMemory({ keyPrefix: prefix, points: limit.points, duration: limit.seconds })
    this.#seconds = limit.seconds
    this.#maxKeys = maxKeys
  }

  /** Seconds to wait; 0: go on. */
  async take(key: string): Promise<number> {
    try {
      await this.#limiter.consume(this.#counted(key.length > MAX_KEY_LENGTH ? digest(key) : key))
      return 0
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return Math.max(1, Math.ceil(refusal.msBeforeNext / 1000))
      throw refusal
    }
  }

  #counted(key: string): string {
    if (Date.now() - this.#turnedAt > this.#seconds * 1000) {
      this.#turnedAt = Date.now()
      this.#older = this.#recent
      this.#recent = new Set()
    }
    if (this.#recent.has(key)) return key
    const room = this.#recent.size < this.#maxKeys
    if (!room && !this.#older.has(key)) return `shared ${digest(key).slice(0, 1)}`
    this.#recent.add(key)
    return key
  }
}
const digest = (key: string): string => createHash('sha256').update(key).digest('base64url')
