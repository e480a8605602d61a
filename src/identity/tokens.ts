// Signed tokens of customers and staff, and the customer's handle; the one module that knows how JWTs are made.
import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual, webcrypto } from 'node:crypto'
import { decodeJwt, jwtVerify, SignJWT, type JWTPayload } from 'jose'
import { z } from 'zod'
import {
  type AccountId,
  conversationId,
  type ConversationId,
  participantId,
  type ParticipantId,
  type Tenant,
} from '../model/ids'
import { newId } from '../model/new-id'
import { RecentMap } from '../model/recent-map'

export interface CustomerClaims {
  readonly tenant: Tenant
  readonly conversationId: ConversationId
  readonly participantId: ParticipantId
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}
export interface StaffClaims {
  readonly tenant: Tenant
  readonly accountId: AccountId
  readonly role: 'agent' | 'supervisor'
  /** Version of the account when the token was made; a newer account voids it. */
  readonly version: number
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}
export interface SignedToken {
  readonly token: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}
type Purpose = 'customer' | 'staff'
interface Key {
  /** Names the secret key it comes from, in a token's head. */
  readonly kid: string
  readonly token: Readonly<Record<Purpose, Promise<webcrypto.CryptoKey>>>
  readonly handle: KeyObject
}

const ISSUER = 'fairlead'
const LIFETIME: Readonly<Record<Purpose, number>> = { customer: 24 * 3600, staff: 12 * 3600 }
/** Nodes' clocks may differ by so many seconds. */
const SKEW = 30
const MAX_TOKEN = 2_048
/** Tokens found sound that are not proved again: a client shows one with every call and each time it comes back. */
const MAX_PROVED = 1_024
/** 192 of HMAC's 256 bits, 32 characters. */
const HANDLE_BYTES = 24
const HANDLE_LENGTH = 32

const tenant = z
  .string()
  .min(1)
  .max(64)
  .transform((text) => text as Tenant)
const accountId = z
  .string()
  .min(1)
  .max(64)
  .transform((text) => text as AccountId)
const expiry = z
  .number()
  .int()
  .transform((seconds) => seconds * 1000)
const customerPayload = z.object({
  sub: participantId,
  cid: conversationId,
  tenant,
  role: z.literal('customer'),
  jti: z.string(),
  exp: expiry,
})
const staffPayload = z.object({
  sub: accountId,
  tenant,
  role: z.enum(['agent', 'supervisor']),
  ver: z.number().int(),
  jti: z.string(),
  exp: expiry,
})

/** Signs and verifies with keys derived per purpose, so that no token or handle can stand in for another kind. */
export class Tokens {
  readonly #keys: readonly [Key, ...Key[]]
  readonly #now: () => Date
  readonly #proved: Readonly<Record<Purpose, RecentMap<string, JWTPayload>>> = {
    customer: new RecentMap(MAX_PROVED),
    staff: new RecentMap(MAX_PROVED),
  }

  /** @param deps `secretKeys`: at least one; the first signs, all verify. */
  constructor(deps: { secretKeys: readonly string[]; now?: () => Date }) {
    const [first, ...others] = deps.secretKeys.map(deriveKey)
    if (!first) throw new TypeError('Tokens need a secret key.')
    this.#keys = [first, ...others]
    this.#now = deps.now ?? (() => new Date())
  }

  /** A token for one customer in one conversation, good for 24 h. */
  async signCustomer(who: Omit<CustomerClaims, 'expiresAt'>): Promise<SignedToken> {
    const claims = { cid: who.conversationId, tenant: who.tenant, role: 'customer' }
    return this.#sign('customer', who.participantId, claims)
  }

  /** A token for a member of the staff, good for 12 h or until the account changes. */
  async signStaff(who: Omit<StaffClaims, 'expiresAt'>): Promise<SignedToken> {
    return this.#sign('staff', who.accountId, { tenant: who.tenant, role: who.role, ver: who.version })
  }

  /** What a customer's token says; null when it is not one of ours, edited, expired or of another kind. */
  async verifyCustomer(token: string): Promise<CustomerClaims | null> {
    const read = customerPayload.safeParse(await this.#verify('customer', token))
    if (!read.success) return null
    const { tenant, cid, sub, exp } = read.data
    return { tenant, conversationId: cid, participantId: sub, expiresAt: exp }
  }

  /** What a staff token says; null as above. Whether the account is still what it was is for `Accounts` to say. */
  async verifyStaff(token: string): Promise<StaffClaims | null> {
    const read = staffPayload.safeParse(await this.#verify('staff', token))
    if (!read.success) return null
    const { tenant, sub, role, ver, exp } = read.data
    return { tenant, accountId: sub, role, version: ver, expiresAt: exp }
  }

  /** The secret under which a customer joins: the same each time, and nobody can make it without our key. */
  handle(tenant: Tenant, conversation: ConversationId, participant: ParticipantId): string {
    return handleOf(this.#keys[0], [tenant, conversation, participant])
  }

  /**
   * Whether somebody holds the handle of this participant, under any live key. It takes as long for a participant
   * that does not exist: pass null, and the answer is no.
   */
  isHandle(
    presented: string,
    tenant: Tenant,
    conversation: ConversationId,
    participant: ParticipantId | null,
  ): boolean {
    const given = Buffer.alloc(HANDLE_LENGTH)
    given.write(presented)
    let found = false
    for (const key of this.#keys) {
      const right = Buffer.from(handleOf(key, [tenant, conversation, participant ?? 'nobody']))
      found = timingSafeEqual(given, right) || found
    }
    return found && presented.length === HANDLE_LENGTH && participant !== null
  }

  async #sign(purpose: Purpose, subject: string, claims: Record<string, unknown>): Promise<SignedToken> {
    const [key] = this.#keys
    const at = Math.floor(this.#now().getTime() / 1000)
    const expires = at + LIFETIME[purpose]
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: key.kid })
      .setIssuer(ISSUER)
      .setAudience(audience(purpose))
      .setSubject(subject)
      .setJti(newId())
      .setIssuedAt(at)
      .setExpirationTime(expires)
      .sign(await key.token[purpose])
    return { token, expiresAt: expires * 1000 }
  }

  async #verify(purpose: Purpose, token: string): Promise<unknown> {
    if (token.length > MAX_TOKEN) return null
    const proved = this.#proved[purpose].get(token)
    if (proved) return this.#isOver(proved) ? null : proved
    try {
      // Most tokens that are not for this are for the other: that costs a look, and no proof.
      if (decodeJwt(token).aud !== audience(purpose)) return null
      const { payload } = await jwtVerify(
        token,
        ({ kid }) => {
          const key = this.#keys.find((candidate) => candidate.kid === kid)
          if (!key) throw new Error('no key of that name')
          return key.token[purpose]
        },
        {
          algorithms: ['HS256'],
          issuer: ISSUER,
          audience: audience(purpose),
          clockTolerance: SKEW,
          currentDate: this.#now(),
          requiredClaims: ['sub', 'exp', 'jti', 'tenant', 'role'],
        },
      )
      this.#proved[purpose].set(token, payload)
      return payload
    } catch {
      return null // why it is void is nobody's business outside
    }
  }
  #isOver({ exp = 0 }: JWTPayload): boolean {
    return exp <= Math.floor(this.#now().getTime() / 1000) - SKEW
  }
}

const HMAC = { name: 'HMAC', hash: 'SHA-256' }
const audience = (purpose: Purpose): string => `fairlead:${purpose}`

function deriveKey(secret: string): Key {
  const derive = (purpose: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, '', `fairlead ${purpose}`, bytes))
  const signing = (purpose: string) =>
    webcrypto.subtle.importKey('raw', derive(purpose, 32), HMAC, false, ['sign', 'verify'])
  return {
    kid: derive('key id', 6).toString('base64url'),
    token: { customer: signing('customer token'), staff: signing('staff token') },
    handle: createSecretKey(derive('handle', 32)),
  }
}
/** The parts go in as JSON, so that no two lists of parts make one text. */
const handleOf = (key: Key, parts: readonly string[]): string =>
  createHmac('sha256', key.handle)
    .update(JSON.stringify(parts))
    .digest()
    .subarray(0, HANDLE_BYTES)
    .toString('base64url')
