// The routes of customers: init, token, transcript.
import { opens, type Caller } from '../../identity/credentials'
import type { Conversation } from '../../model/conversation'
import { isErased } from '../../model/erased'
import { GatewayError, notYours } from '../../model/errors'
import type { Place } from '../../model/ids'
import { asCsv, asHtml, asText } from '../../transcript/forms'
import { isAnswered, type Transcript } from '../../transcript/transcripts'
import { shuttingDown } from './caller'
import { placeOf } from './seating'
import { encodeSpeaker } from './codec'
import type { ChannelDeps } from './deps'
import { readOpening } from './opening'
import { callerOf, type Call, type Handlers, type Result } from './rest-call'
import * as wire from './rest-wire'
import { digestOf } from './speech'
import { parse } from './tolerant'

const MINUTE = 60_000
/** How long somebody without a key gets the answer to the same request id again. */
const REPEAT_MS = 15 * MINUTE
/** How long the documented URL, which carries no credential, answers. */
const OPEN_PDF_MS = 15 * MINUTE

export function customerHandlers(deps: ChannelDeps): Handlers<'init' | 'token' | 'transcript'> {
  return {
    init: (call) => init(deps, call),
    token: (call) => renew(deps, call),
    transcript: (call) => transcript(deps, call),
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
const isOf = (caller: Extract<Caller, { kind: 'customer' }>, { tenant, conversationId }: Place): boolean =>
  caller.tenant === tenant && caller.conversationId === conversationId

const FORMS = ['pdf', 'email', 'json', 'html', 'txt', 'csv'] as const
type Form = (typeof FORMS)[number]

async function transcript(deps: ChannelDeps, call: Call): Promise<Result> {
  await deps.limiter.consume('transcript', deps.limitKeyOf(call.address))
  const form = formOf(call.params['type'] ?? '')
  const place = placeOf(deps, call.params['conversationId'] ?? '')
  const found = await deps.conversations.find(place.tenant, place.conversationId)
  const isTheirs = await mayRead(deps, call, { place, found })
  if (found?.status !== 'ended' || isErased(found)) throw notYours()
  return render(form, await readAs(deps, found, { form, isTheirs }))
}
/** Reads nothing for whom it is not: that would take longer, and tell that it is there. */
async function readAs(deps: ChannelDeps, found: Conversation, { form, isTheirs }: { form: Form; isTheirs: boolean }) {
  if (!isTheirs && !isOpen(deps, found, form)) throw notYours()
  if (form === 'email' && found.opening.customer.email === '') throw notYours()
  const read = await deps.transcripts.read(found)
  if (!isTheirs && form === 'email' && !isAnswered(read)) throw notYours()
  return read
}
function formOf(text: string): Form {
  const form = FORMS.find((known) => known === text.toLowerCase())
  if (form) return form
  throw new GatewayError('invalidRequest', 'The type is one of pdf, email, json, html, txt, csv.', {
    details: ['type'],
  })
}

/** The token or the handle of this conversation; a supervisor, or an agent who was there. */
async function mayRead(deps: ChannelDeps, call: Call, { place, found }: Sought): Promise<boolean> {
  const bearer = (call.authorization ?? '').replace(/^bearer +/i, '').trim()
  const customer = found?.opening.customer.participantId ?? null
  if (deps.tokens.isHandle(bearer, place.tenant, place.conversationId, customer))
    return deps.entryPoint.customerAuth === 'handle'
  const caller = await callerOf(deps, call)
  if (caller.kind === 'anonymous') return false
  if (isTheirs(caller, { place, found })) return true
  throw notYours()
}
interface Sought {
  readonly place: Place
  readonly found: Conversation | null
}
function isTheirs(caller: Caller, { place, found }: Sought): boolean {
  if (caller.kind === 'customer') return isOf(caller, place)
  if (caller.kind !== 'staff') return false
  return caller.role === 'supervisor' || found?.memberships.some((m) => m.account === caller.accountId) === true
}

/** The documented URL carries no credential: it serves the web's old clients for a while. */
function isOpen({ entryPoint, now }: ChannelDeps, found: Conversation, form: Form): boolean {
  if (entryPoint.customerAuth === 'token' || found.opening.address.channel !== 'web') return false
  if (form === 'email') return true // where somebody answered
  return form === 'pdf' && now().getTime() - Date.parse(found.endedAt) < OPEN_PDF_MS
}

function render(form: Form, read: Transcript): Result {
  switch (form) {
    case 'pdf':
      throw new GatewayError('unavailable', 'This gateway makes no PDF. Ask for json, txt, html or csv.')
    case 'email':
      throw new GatewayError('unavailable', 'This gateway sends no mail. Ask for json, txt, html or csv.')
    case 'txt':
      return { file: asText(read), mediaType: 'text/plain; charset=utf-8' }
    case 'html':
      return { file: asHtml(read), mediaType: 'text/html; charset=utf-8' }
    case 'csv':
      return { file: asCsv(read), mediaType: 'text/csv; charset=utf-8' }
    case 'json':
      return { json: asJson(read) }
  }
}
function asJson({ conversation, lines }: Transcript) {
  const { id, opening, endedAt } = conversation
  return {
    conversationId: id,
    channel: opening.address.channel,
    startedAt: opening.at,
    endedAt,
    lines: lines.map(({ from, ...line }) => ({ ...line, from: encodeSpeaker(from) })),
  }
}
