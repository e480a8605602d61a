// The routes of customers: init and token.
import { opens, type Caller } from '../../identity/credentials'
import { GatewayError, notYours } from '../../model/errors'
import type { Place } from '../../model/ids'
import { shuttingDown } from './caller'
import { placeOf } from './seating'
import type { ChannelDeps } from './deps'
import { readOpening } from './opening'
import type { Call, Handlers, Result } from './rest-call'
import * as wire from './rest-wire'
import { digestOf } from './speech'
import { parse } from './tolerant'

const MINUTE = 60_000
/** How long somebody without a key gets the answer to the same request id again. */
const REPEAT_MS = 15 * MINUTE

export function customerHandlers(deps: ChannelDeps): Handlers<'init' | 'token'> {
  return {
    init: (call) => init(deps, call),
    token: (call) => renew(deps, call),
  }
}

async function init(deps: ChannelDeps, call: Call): Promise<Result> {
  const { conversations, tokens, entryPoint, now } = deps
  if (deps.isDraining()) throw shuttingDown()
  const request = parse(wire.initRequest.schema, call.body)
  const isKeyed = await admitInit(deps, call, request)
  requireIdentifier(request)
  const { channel, account = '', refId, phone, email, extras, requestId = crypto.randomUUID() } = request
  const at = now().toISOString()
  const opening = readOpening(request, { channel, account, verified: isKeyed, at })
  const digest = digestOf([channel, account, refId, phone, email, extras])
  const from = digestOf(call.address)
  const { conversationId, customer } = await conversations.open({
    tenant: entryPoint.tenant,
    opening,
    requestId,
    digest: `${digest} ${from}`,
    mayRepeat: ({ note, at: then }) => {
      const [first, address] = note.split(' ')
      const isRecent = Date.parse(at) - Date.parse(then) < REPEAT_MS
      return first === digest && (isKeyed || (address === from && isRecent))
    },
  })
  const place = { tenant: entryPoint.tenant, conversationId }
  const { token } = await tokens.signCustomer({ ...place, participantId: customer })
  const participant = { id: tokens.handle(place.tenant, conversationId, customer), name: opening.customer.name }
  return {
    json: { conversationId, participant, requestId, timestamp: at, token, Participant: participant, Timestamp: at },
  }
}

/** On `web` anybody may; elsewhere only that channel's connector: who merely knows a phone number gets nothing. */
async function admitInit(deps: ChannelDeps, call: Call, request: wire.InitRequest): Promise<boolean> {
  const { limiter, credentials } = deps
  const { channel, account = '', key, token, refId = '' } = request
  const { authorization } = call
  const caller = await credentials.resolve({ authorization, key, auth: token }, { query: false })
  if (caller.kind === 'connector' && opens(caller, channel, account)) {
    await limiter.consume('connectorTotal', caller.keyId)
    await limiter.consume('sendConnector', `${caller.keyId} ${refId}`)
    return true
  }
  await limiter.consume('init', deps.limitKeyOf(call.address))
  if (channel === 'web') return false
  if (caller.kind === 'anonymous' && deps.isConnectorAddress(call.address)) return true
  throw new GatewayError('unauthorized', 'Show the key of this channel’s connector.')
}

function requireIdentifier({ refId, phone, email, extras }: wire.InitRequest): void {
  const others = Object.values(extras).filter((value) => typeof value === 'number' || typeof value === 'string')
  if ([refId, phone, email, ...others].some((value) => value !== undefined && value !== '')) return
  throw new GatewayError('invalidRequest', 'Give at least one identifier besides the channel: refId, phone or email.', {
    details: ['refId', 'phone', 'email'],
  })
}

async function renew(deps: ChannelDeps, call: Call): Promise<Result> {
  const { limiter, conversations, tokens, entryPoint } = deps
  await limiter.consume('token', deps.limitKeyOf(call.address))
  const { conversationId, id, token } = parse(wire.tokenRequest.schema, call.body)
  const place = placeOf(deps, conversationId)
  const caller = await deps.credentials.resolve({ authorization: call.authorization, auth: token }, { query: false })
  if (entryPoint.customerAuth === 'token' && caller.kind !== 'customer')
    throw new GatewayError('unauthorized', 'Send the token that is to be renewed.')
  const found = await conversations.find(place.tenant, place.conversationId)
  const customer = found?.opening.customer.participantId ?? null
  const isHandle = tokens.isHandle(id, place.tenant, place.conversationId, customer)
  if (!customer || !isHandle) throw notYours()
  if (caller.kind === 'customer' && !isOf(caller, place)) throw notYours()
  const fresh = await tokens.signCustomer({ ...place, participantId: customer })
  return { json: { token: fresh.token, expiresAt: new Date(fresh.expiresAt).toISOString() } }
}
export const isOf = (caller: Extract<Caller, { kind: 'customer' }>, { tenant, conversationId }: Place): boolean =>
  caller.tenant === tenant && caller.conversationId === conversationId
