// Passwords are kept as scrypt hashes that name their own cost; few are computed at once, for each takes 32 MB.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { GatewayError } from '../model/errors'

interface Cost {
  /** Base-2 logarithm of scrypt's N. */
  readonly ln: number
  readonly r: number
  readonly p: number
}
interface Encoded extends Cost {
  readonly salt: Buffer
  readonly hash: Buffer
}

/** About 0.1 s of one core. */
const LN = 15
const SALT_BYTES = 16
const HASH_BYTES = 32
/** What a stored hash may ask of us: 128 MB. */
const MAX_BYTES = 128 * 1024 * 1024

export class Passwords {
  readonly #cost: Cost
  readonly #limit: number
  readonly #maxWaiting: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  /**
   * @param bounds `limit`: hashes at once (4); `waiting`: how many more may wait (64); `ln`: base-2 logarithm of the cost
   *   of a new hash (15), less for tests only.
   */
  constructor(bounds: { limit?: number; waiting?: number; ln?: number } = {}) {
    this.#cost = { ln: bounds.ln ?? LN, r: 8, p: 1 }
    this.#limit = bounds.limit ?? 4
    this.#maxWaiting = bounds.waiting ?? 64
  }

  /**
   * A salted hash as `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`.
   * @throws GatewayError `tooManyRequests` when too many wait already.
   */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES)
    const hash = await this.#inTurn(() => derive(password, salt, this.#cost))
    const { ln, r, p } = this.#cost
    return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(hash)}`
  }

  /**
   * Whether the password is the one behind the hash. Null, for an unknown user, takes as long and is never true.
   * @throws GatewayError `tooManyRequests` when too many wait already.
   */
  async verify(password: string, encoded: string | null): Promise<boolean> {
    const known = encoded === null ? null : parse(encoded)
    const nobodys = { ...this.#cost, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) }
    const { salt, hash, ...cost } = known ?? nobodys
    const found = await this.#inTurn(() => derive(password, salt, cost))
    return timingSafeEqual(found, hash) && known !== null
  }

  /** Whether the hash was made with another cost than today's. */
  needsRehash(encoded: string): boolean {
    const known = parse(encoded)
    const { ln, r, p } = this.#cost
    return known?.ln !== ln || known.r !== r || known.p !== p
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limit) {
      if (this.#waiting.length >= this.#maxWaiting)
        throw new GatewayError('tooManyRequests', 'Too many sign-ins at once. Try again in a moment.', {
          retryAfter: 2,
        })
      await new Promise<void>((resolve) => this.#waiting.push(resolve)) // whoever ends hands its place over
    } else this.#running++
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}

function derive(password: string, salt: Buffer, { ln, r, p }: Cost): Promise<Buffer> {
  // One spelling for what looks the same: keyboards differ in how they compose an accent.
  const text = password.normalize('NFKC')
  return new Promise((resolve, reject) =>
    scrypt(text, salt, HASH_BYTES, { N: 2 ** ln, r, p, maxmem: 2 * MAX_BYTES }, (cause, key) =>
      cause ? reject(cause) : resolve(key),
    ),
  )
}

/** Null when the text is not one of our hashes, or would cost more than we give. */
function parse(encoded: string): Encoded | null {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=([1-9]\d?),p=([1-9])\$([A-Za-z0-9+/]{16,64})\$([A-Za-z0-9+/]{43})$/.exec(
    encoded,
  )
  if (!match) return null
  const [ln, r, p] = match.slice(1, 4).map(Number) as [number, number, number]
  const [salt, hash] = match.slice(4).map((text) => Buffer.from(text, 'base64')) as [Buffer, Buffer]
  return ln >= 1 && 128 * 2 ** ln * r <= MAX_BYTES ? { ln, r, p, salt, hash } : null
}
const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
