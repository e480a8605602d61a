// Who may take which seat. Until it is proved, everything that is not the caller's answers the same 404 after the same work.
import type { Arrival } from '../../conversation/rules'
import { opens, type Caller } from '../../identity/credentials'
import type { Tokens } from '../../identity/tokens'
import type { Conversation } from '../../model/conversation'
import { GatewayError, notYours } from '../../model/errors'
import type { ConversationId, Tenant } from '../../model/ids'
import { newParticipantId } from '../../model/new-id'

export interface JoinWish {
  readonly tenant: Tenant
  readonly conversationId: ConversationId
  /** The handle, for customers. */
  readonly id: string | undefined
  readonly name: string | undefined
  readonly silent: boolean
  /** The customer that a token of this request speaks for. */
  readonly token: Extract<Caller, { kind: 'customer' }> | null
}
export interface Authority {
  readonly arrival: Arrival
  /** What the joiner sees where its own id stands; null: its public id. */
  readonly shown: string | null
  /** A connector that sits here for the customer. */
  readonly asConnector: boolean
  /** Milliseconds since 1970: the seat ends with the token that it was taken with. Null: it does not end by itself. */
  readonly until: number | null
}
interface Deps {
  readonly tokens: Tokens
  readonly customerAuth: 'handle' | 'token'
  /** Milliseconds since 1970. */
  readonly now: number
}

/** @throws GatewayError `notFound` for whatever is not the caller's. */
export function authorise(caller: Caller, wish: JoinWish, found: Conversation | null, deps: Deps): Authority {
  switch (caller.kind) {
    case 'staff':
      return authoriseStaff(caller, wish, found)
    case 'connector':
      return authoriseConnector(caller, wish, found, deps)
    case 'anonymous':
    case 'customer':
      return authoriseCustomer(caller, wish, found, deps)
    case 'bot':
    case 'thirdParty':
      throw notYours()
  }
}

function authoriseStaff(
  caller: Extract<Caller, { kind: 'staff' }>,
  wish: JoinWish,
  found: Conversation | null,
): Authority {
  if (wish.silent && caller.role !== 'supervisor')
    throw new GatewayError('forbidden', 'Only a supervisor can listen silently.')
  if (!found) throw notYours()
  const { accountId: account, name, role } = caller
  const known = found.memberships.findLast((member) => member.account === account)
  const id = known && !known.left && known.silent === wish.silent ? known.id : newParticipantId()
  const participant = { id, role, name }
  const arrival: Arrival = { participant, account, presence: 'live', silent: wish.silent }
  return { arrival, shown: null, asConnector: false, until: null }
}

function authoriseConnector(
  caller: Extract<Caller, { kind: 'connector' }>,
  wish: JoinWish,
  found: Conversation | null,
  { tokens }: Deps,
): Authority {
  const isHandle = holdsHandle(tokens, wish, found)
  if (!found?.opening.carried) throw notYours()
  const { channel, account } = found.opening.address
  if (!opens(caller, channel, account)) throw notYours()
  const shown = isHandle && wish.id !== undefined ? wish.id : null
  return { arrival: customerArrival(found, wish, 'carried'), shown, asConnector: true, until: null }
}

function authoriseCustomer(caller: Caller, wish: JoinWish, found: Conversation | null, deps: Deps): Authority {
  const isHandle = holdsHandle(deps.tokens, wish, found)
  const token = wish.token ?? (caller.kind === 'customer' ? caller : null)
  const until = lifeOf(token, deps)
  if (!found || !isHandle || wish.id === undefined) throw notYours()
  if (token && !speaksFor(token, found)) throw notYours()
  return { arrival: customerArrival(found, wish, 'live'), shown: wish.id, asConnector: false, until }
}

/** Until when the seat lasts: where customers join by token, as long as that does. */
function lifeOf(token: JoinWish['token'], { customerAuth, now }: Deps): number | null {
  if (customerAuth === 'handle') return null
  if (token && now < token.expiresAt) return token.expiresAt
  throw new GatewayError('unauthorized', 'Send the token from init, or renew it, and join again.')
}

/** The same work for a conversation that does not exist. */
function holdsHandle(
  tokens: Tokens,
  { tenant, conversationId, id = '' }: JoinWish,
  found: Conversation | null,
): boolean {
  return tokens.isHandle(id, tenant, conversationId, found?.opening.customer.participantId ?? null)
}
const speaksFor = (token: Extract<Caller, { kind: 'customer' }>, { id, tenant, opening }: Conversation): boolean =>
  token.conversationId === id && token.tenant === tenant && token.participantId === opening.customer.participantId

function customerArrival(found: Conversation, { name }: JoinWish, presence: 'live' | 'carried'): Arrival {
  const { participantId: id, name: given } = found.opening.customer
  return { participant: { id, role: 'customer', name: name || given }, presence, silent: false }
}
