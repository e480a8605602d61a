// Who is calling: gathers a caller's credential from where it may stand and finds out whom it speaks for.
import { GatewayError } from '../model/errors'
import type { AccountId, ConversationId, ParticipantId, Tenant } from '../model/ids'
import type { Accounts, StaffRole } from './accounts'
import type { ApiKeys } from './keys'
import type { Tokens } from './tokens'

/** The places of a credential, as they came over the wire. */
export interface Presented {
  /** `auth.token` of a Socket.IO handshake. */
  readonly auth?: unknown
  /** The `Authorization` header. */
  readonly authorization?: unknown
  /** The query's `token`; only where the caller of `resolve` allows it: handshakes and signed file links. */
  readonly query?: unknown
  /** `key` in the body of init and registerConnector. */
  readonly key?: unknown
}

interface Expiring {
  readonly tenant: Tenant
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}
interface Keyed {
  readonly tenant: Tenant
  readonly keyId: string
  readonly name: string
  readonly channel: string
  /** Empty: every account of the channel. */
  readonly account: string
}
export type Caller =
  | { readonly kind: 'anonymous' }
  | (Expiring & {
      readonly kind: 'customer'
      readonly conversationId: ConversationId
      readonly participantId: ParticipantId
    })
  | (Expiring & {
      readonly kind: 'staff'
      readonly accountId: AccountId
      readonly name: string
      readonly role: StaffRole
      readonly version: number
    })
  | (Keyed & { readonly kind: 'connector' })
  | (Keyed & {
      readonly kind: 'thirdParty'
      readonly dailyQuota: number | null
      readonly prefixes: readonly string[]
    })
  | (Keyed & { readonly kind: 'bot' })

/** The key id of a connector that showed none, and is trusted for its address (`CONNECTOR_ADDRESSES`). */
const ADDRESS = 'address'
const MAX_CREDENTIAL = 4_096
/** Proxies and libraries repeat one, and once is what anybody means. */
const MAX_IN_ONE_PLACE = 8

export class Credentials {
  readonly #deps: { readonly tokens: Tokens; readonly accounts: Accounts; readonly keys: ApiKeys }

  constructor(deps: { tokens: Tokens; accounts: Accounts; keys: ApiKeys }) {
    this.#deps = deps
  }

  /**
   * Whom the presented credential speaks for; `anonymous` when there is none.
   * @param options `query`: whether the query may hold one here (never one of the staff)
   * @throws GatewayError `unauthorized` when it is void, or when two differ
   */
  async resolve(presented: Presented, options: { query: boolean }): Promise<Caller> {
    const inQuery = options.query ? credentials(presented.query) : []
    const all = [
      ...inQuery,
      ...credentials(presented.auth).map(withoutScheme),
      ...credentials(presented.authorization).filter(isBearer).map(withoutScheme),
      ...credentials(presented.key),
    ]
    const [credential, ...others] = all
    if (credential === undefined) return { kind: 'anonymous' }
    if (others.some((other) => other !== credential))
      throw new GatewayError('unauthorized', 'Two credentials were shown, and they differ. Show one.')
    const caller = await this.#speakingFor(credential)
    // A member of the staff with a token in a URL: by now it stands in histories and logs.
    if (!caller || (caller.kind === 'staff' && inQuery.length > 0)) throw invalid()
    return caller
  }

  /** Whether the caller is still who it was. Synchronous, to be asked on every event. @param now milliseconds */
  stillValid(caller: Caller, now: number): boolean {
    switch (caller.kind) {
      case 'anonymous':
        return true
      case 'customer':
        return now < caller.expiresAt
      case 'staff':
        return now < caller.expiresAt && this.#deps.accounts.isCurrent(caller.accountId, caller.version)
      case 'connector':
      case 'thirdParty':
      case 'bot':
        return caller.keyId === ADDRESS || this.#deps.keys.isCurrent(caller.keyId)
    }
  }

  async #speakingFor(credential: string): Promise<Caller | null> {
    if (credential.length > MAX_CREDENTIAL) return null
    const holder = await this.#deps.keys.authenticate(credential)
    if (holder) {
      const { id: keyId, tenant, kind, name, channel, account, dailyQuota, prefixes } = holder
      const keyed = { tenant, keyId, name, channel, account }
      return kind === 'thirdParty' ? { kind, ...keyed, dailyQuota, prefixes } : { kind, ...keyed }
    }
    const staff = await this.#deps.accounts.authenticate(credential)
    if (staff) return { kind: 'staff', ...staff }
    const customer = await this.#deps.tokens.verifyCustomer(credential)
    return customer && { kind: 'customer', ...customer }
  }
}

/** A connector that can show nothing and is known by its network: it serves the channel that it names. */
export const connectorByAddress = (tenant: Tenant, channel: string, account: string): Caller => ({
  kind: 'connector',
  tenant,
  keyId: ADDRESS,
  name: 'CONNECTOR_ADDRESSES',
  channel,
  account,
})

/** Whether a key reaches so far: its own channel, and its own account when it names one. */
export const opens = (
  holder: { readonly channel: string; readonly account: string },
  channel: string,
  account: string,
): boolean => holder.channel === channel && (holder.account === '' || holder.account === account)

/** What stands in one place; a query that repeats its token has several. */
function credentials(place: unknown): string[] {
  const items: readonly unknown[] = Array.isArray(place) ? place : [place]
  if (items.length > MAX_IN_ONE_PLACE) throw invalid()
  return items.filter(isThere).map((item) => {
    if (typeof item !== 'string') throw invalid()
    return item
  })
}
const isThere = (item: unknown): boolean => item !== undefined && item !== null && item !== ''
/** Other schemes are not ours to judge: a proxy with a password of its own passes them on. */
const isBearer = (header: string): boolean => /^bearer /i.test(header)
const withoutScheme = (text: string): string => text.replace(/^bearer +/i, '').trim()

const invalid = (): GatewayError =>
  new GatewayError('unauthorized', 'This credential is not valid here. Sign in again, or check the key.')
