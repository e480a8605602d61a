// Links to files that open one file for one audience, for a while: nobody can make one without our key.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { FileId, Tenant } from '../model/ids'

export type Variant = 'original' | 'thumbnail'
export interface FileLink {
  readonly fileId: FileId
  readonly variant: Variant
  /** For whom it was made: a participant's id, or a word such as `staff`. At most 64 characters of base64url. */
  readonly audience: string
  /** Milliseconds since 1970, in whole seconds. */
  readonly expiresAt: number
}

/** 192 of HMAC's 256 bits, 32 characters. */
const SEAL_BYTES = 24
const SEAL_LENGTH = 32
const MAX_LENGTH = 200
const LINK = /^(([A-Za-z0-9_-]{22})\.([ot])([0-9a-z]{1,9})\.([A-Za-z0-9_-]{0,64}))\.([A-Za-z0-9_-]{32})$/
const AUDIENCE = /^[A-Za-z0-9_-]{0,64}$/

export class FileLinks {
  readonly #keys: readonly [Buffer, ...Buffer[]]
  readonly #now: () => Date

  /** @param deps.secretKeys the gateway's: the first signs, all of them open */
  constructor(deps: { readonly secretKeys: readonly string[]; readonly now: () => Date }) {
    const [first, ...older] = deps.secretKeys.map(keyFrom)
    if (!first) throw new TypeError('Links are signed with a secret key: give at least one')
    this.#keys = [first, ...older]
    this.#now = deps.now
  }

  /** For a path or a query, as it stands: at most 150 characters, about 90 for a participant. */
  sign(tenant: Tenant, { fileId, variant, audience, expiresAt }: FileLink): string {
    if (!AUDIENCE.test(audience)) throw new TypeError('An audience is at most 64 characters of base64url')
    const until = Math.floor(expiresAt / 1_000).toString(36)
    const said = `${fileId}.${variant === 'original' ? 'o' : 't'}${until}.${audience}`
    return `${said}.${seal(this.#keys[0], tenant, said)}`
  }

  /** What a link opens now; null when it is void, for whatever reason. */
  open(tenant: Tenant, link: string): FileLink | null {
    if (link.length > MAX_LENGTH) return null
    const [said, fileId, letter, until, audience, given] = partsOf(link)
    if (!this.#isOurs(tenant, said, given)) return null
    const expiresAt = parseInt(until, 36) * 1_000
    if (expiresAt <= this.#now().getTime()) return null
    return { fileId: fileId as FileId, variant: letter === 'o' ? 'original' : 'thumbnail', audience, expiresAt }
  }
  /** Takes as long whichever key it was, and whether it was one. */
  #isOurs(tenant: Tenant, said: string, given: string): boolean {
    const presented = Buffer.alloc(SEAL_LENGTH)
    presented.write(given)
    let found = false
    for (const key of this.#keys) found = timingSafeEqual(presented, Buffer.from(seal(key, tenant, said))) || found
    return found
  }
}

/** Whatever is no link has parts that nobody has signed. */
function partsOf(link: string): readonly [string, string, string, string, string, string] {
  const [said, ...parts] = LINK.exec(link)?.slice(1) ?? []
  const [fileId = '', letter = '', until = '', audience = '', given = ''] = parts
  return [said ?? '', fileId, letter, until, audience, given]
}

const keyFrom = (secret: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', 'fairlead file link', 32))
/** The parts go in as JSON, so that no tenant runs into what is said. */
const seal = (key: Buffer, tenant: Tenant, said: string): string =>
  createHmac('sha256', key)
    .update(JSON.stringify([tenant, said]))
    .digest()
    .subarray(0, SEAL_BYTES)
    .toString('base64url')
