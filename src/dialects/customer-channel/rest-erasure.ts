// The routes of supervisors for what is kept and what is not: erasures, legal holds, retention.
import type { Erasure, Receipt } from '../../conversation/erasure'
import type { Eraser } from '../../conversation/erasure-rules'
import type { Caller } from '../../identity/credentials'
import { GatewayError } from '../../model/errors'
import { newParticipantId } from '../../model/new-id'
import type { ChannelDeps } from './deps'
import { supervisorOf, type Call, type Handlers } from './rest-call'
import * as wire from './rest-wire'
import { placeOf } from './seating'
import { parse } from './tolerant'

export function erasureHandlers(deps: ChannelDeps): Handlers<'erase' | 'holdConversation' | 'retention'> {
  const { erasure, entryPoint } = deps
  return {
    erase: async (call) => {
      const eraser = eraserOf(await supervisorOf(deps, call))
      const request = parse(wire.eraseRequest.schema, call.body)
      return { json: { erasure: shown(await erase(deps, request, eraser)) } }
    },
    holdConversation: async (call: Call) => {
      await supervisorOf(deps, call)
      const { hold, reason = '' } = parse(wire.holdRequest.schema, call.body)
      const place = placeOf(deps, call.params['conversationId'] ?? '')
      return { json: shownCustody(await erasure.hold(place, hold ? { reason } : null)) }
    },
    retention: async (call) => {
      await supervisorOf(deps, call)
      return { json: { rules: erasure.rules, channels: await erasure.due(entryPoint.tenant) } }
    },
  }
}

function erase(deps: ChannelDeps, request: wire.EraseRequest, eraser: Eraser): Promise<Receipt> {
  const { conversationId, channel, account = null, refId } = request
  const isOfCustomer = channel !== undefined && refId !== undefined
  if (conversationId !== undefined && channel === undefined && refId === undefined)
    return deps.erasure.eraseConversation(placeOf(deps, conversationId), eraser)
  if (conversationId === undefined && isOfCustomer)
    return deps.erasure.eraseCustomer(deps.entryPoint.tenant, { channel, account, refId }, eraser)
  throw new GatewayError('invalidRequest', 'Name a conversation, or a customer by channel and refId: one of the two.', {
    details: ['conversationId', 'channel', 'refId'],
  })
}

/** As the log names whoever did it: under an id that is nobody's membership. */
const eraserOf = ({ accountId: account, name }: Extract<Caller, { kind: 'staff' }>): Eraser => ({
  by: { id: newParticipantId(), role: 'supervisor', name },
  account,
})
const shown = ({ id, at, conversations, events, deliveries, notifications, files, suppression, storage }: Receipt) => ({
  ...{ id, at, conversations, events, deliveries, notifications, files },
  ...{ suppression, storage },
})
const shownCustody = ({ conversationId, hold }: Awaited<ReturnType<Erasure['hold']>>) => ({
  conversationId,
  hold: hold !== null,
  ...(hold && { reason: hold.reason, since: hold.since }),
})
