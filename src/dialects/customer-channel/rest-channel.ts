// The routes of channels: outbound notifications, and the dead letters of deliveries.
import { opens, type Caller } from '../../identity/credentials'
import { GatewayError, notYours } from '../../model/errors'
import type { DeliveryId } from '../../model/ids'
import { channelName } from '../../model/participant'
import type { Delivery } from '../../store/records'
import type { ChannelDeps } from './deps'
import { callerOf, supervisorOf, type Call, type Handlers, type Result } from './rest-call'
import * as wire from './rest-wire'
import { digestOf, readContent } from './speech'
import { parse } from './tolerant'

type Name = 'sendNotification' | 'findNotification' | 'deadLetters' | 'replayDeadLetter'

export function channelHandlers(deps: ChannelDeps): Handlers<Name> {
  return {
    sendNotification: (call) => send(deps, call),
    findNotification: (call) => find(deps, call),
    deadLetters: async (call) => {
      await supervisorOf(deps, call)
      const { after = '', limit } = parse(wire.pageQuery.schema, call.query)
      const page = await deps.outbox.deadLetters(deps.entryPoint.tenant, { after, limit })
      const next = page.length < limit ? null : (page.at(-1)?.id ?? null)
      return { json: { deadLetters: page.map(shown), next } }
    },
    replayDeadLetter: async (call) => {
      await supervisorOf(deps, call)
      const id = (call.params['id'] ?? '') as DeliveryId
      if (!(await deps.outbox.replay(deps.entryPoint.tenant, id))) throw notYours()
      return null
    },
  }
}

const shown = ({ id, to, conversationId, messageId, attempts, reason, createdAt }: Delivery) => ({
  id,
  ...to,
  conversationId,
  messageId,
  attempts,
  reason,
  createdAt,
})

type ThirdParty = Extract<Caller, { kind: 'thirdParty' }>
async function thirdPartyOf(deps: ChannelDeps, call: Call): Promise<ThirdParty> {
  const caller = await callerOf(deps, call)
  if (caller.kind === 'anonymous') throw new GatewayError('unauthorized', 'Send an API key as a bearer.')
  if (caller.kind !== 'thirdParty' || caller.channel !== channelName(call.params['channel'] ?? ''))
    throw new GatewayError('forbidden', 'This credential does not send notifications on this channel.')
  await deps.limiter.consume('notification', caller.keyId)
  return caller
}

async function send(deps: ChannelDeps, call: Call): Promise<Result> {
  const caller = await thirdPartyOf(deps, call)
  const request = parse(wire.notificationRequest.schema, call.body)
  const { to, text, attachments, account = caller.account, idempotencyKey = null, expiresAt = null } = request
  const { channel, tenant, keyId, dailyQuota, prefixes } = caller
  if (!opens(caller, channel, account))
    throw new GatewayError('forbidden', 'This credential does not send from this account.', { details: ['account'] })
  if (text === '' && attachments.length === 0)
    throw new GatewayError('invalidRequest', 'Say something: text or attachments.', { details: ['text'] })
  if (expiresAt !== null && Date.parse(expiresAt) <= deps.now().getTime())
    throw new GatewayError('invalidRequest', 'expiresAt has passed already.', { details: ['expiresAt'] })
  const content = readContent({ text, attachments })
  const accepted = await deps.notifications.send({
    tenant,
    sender: { keyId, dailyQuota, prefixes },
    to: { channel, account, refId: to },
    content,
    digest: digestOf([to, account, content, expiresAt]),
    idempotencyKey,
    expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  })
  return { json: accepted }
}

async function find(deps: ChannelDeps, call: Call): Promise<Result> {
  const caller = await thirdPartyOf(deps, call)
  const { tenant } = caller
  const isMine = (to: { channel: string; account: string }) => opens(caller, to.channel, to.account)
  const found = await deps.notifications.find(tenant, call.params['id'] ?? '', isMine)
  const { id, to, state, reason, createdAt, expiresAt } = found
  return { json: { id, channel: to.channel, account: to.account, to: to.refId, state, reason, createdAt, expiresAt } }
}
