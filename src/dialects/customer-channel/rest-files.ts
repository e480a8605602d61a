// The routes of files: sending one into a conversation, and having it again by the conversation's credential or by a signed link.
import { connectorByAddress, opens, type Caller } from '../../identity/credentials'
import type { Answered } from '../../files/files'
import { linger } from '../../files/multipart'
import type { Variant } from '../../files/links'
import type { Conversation } from '../../model/conversation'
import { GatewayError, notYours } from '../../model/errors'
import type { FileId, ParticipantId, Place } from '../../model/ids'
import { attachmentOf } from './attachments'
import type { ChannelDeps } from './deps'
import { callerOf, bearerOf, type Call, type Handlers, type Result } from './rest-call'
import { placeOf } from './seating'

export function fileHandlers(deps: ChannelDeps): Handlers<'uploadFile' | 'findFile' | 'openFile'> {
  return {
    uploadFile: (call) => upload(deps, call),
    findFile: (call) => find(deps, call),
    openFile: (call) => open(deps, call),
  }
}

async function upload(deps: ChannelDeps, call: Call): Promise<Result> {
  try {
    return await receive(deps, call)
  } catch (cause) {
    linger(call.request)
    throw cause
  }
}
async function receive(deps: ChannelDeps, call: Call): Promise<Result> {
  const { place, found, caller } = await sought(deps, call)
  const from = speakerOf(caller, found)
  await deps.limiter.consume('upload', from)
  if (found.status !== 'open')
    throw new GatewayError('conversationEnded', 'The conversation has ended. Start a new one.')
  const { request, gone } = call
  const row = await deps.files.upload(place, from, { stream: request, headers: request.headers }, { signal: gone })
  return { json: showTo(deps, caller)(attachmentOf(row)) }
}
const showTo = ({ fileDoor }: ChannelDeps, { kind }: Visitor) =>
  kind === 'staff' ? fileDoor.forStaff : kind === 'connector' ? fileDoor.forConnectors : fileDoor.forPublic

async function find(deps: ChannelDeps, call: Call): Promise<Result> {
  const { place, found, caller } = await sought(deps, call)
  if (caller.kind === 'staff' && caller.role !== 'supervisor' && !wasThere(found, caller)) throw notYours()
  await deps.limiter.consume('file', deps.limitKeyOf(call.address))
  const id = (call.params['fileId'] ?? '') as FileId
  const row = await deps.files.find(place.tenant, id)
  if (row?.conversationId !== place.conversationId) throw notYours()
  return answer(deps, call, { fileId: id, variant: variantOf(call) })
}
const variantOf = ({ query }: Call): Variant =>
  typeof query === 'object' && query !== null && 'thumbnail' in query ? 'thumbnail' : 'original'

/** Whoever holds the link holds the file: it is signed, and expires. */
async function open(deps: ChannelDeps, call: Call): Promise<Result> {
  await deps.limiter.consume('file', deps.limitKeyOf(call.address))
  const opened = deps.fileDoor.open(call.params['link'] ?? '')
  if (!opened) throw notYours()
  return answer(deps, call, opened)
}
async function answer(
  deps: ChannelDeps,
  { request }: Call,
  wanted: { fileId: FileId; variant: Variant },
): Promise<Result> {
  const { range, 'if-range': ifRange, 'if-none-match': known } = request.headers
  const answered: Answered | null = await deps.files.open(deps.entryPoint.tenant, wanted.fileId, {
    variant: wanted.variant,
    method: request.method === 'HEAD' ? 'HEAD' : 'GET',
    conditions: { range, 'if-range': typeof ifRange === 'string' ? ifRange : undefined, 'if-none-match': known },
  })
  if (!answered) throw notYours()
  return answered
}

type Visitor = Extract<Caller, { kind: 'customer' | 'staff' | 'connector' }>
interface Sought {
  readonly place: Place
  readonly found: Conversation
  readonly caller: Visitor
}
/** The conversation that a path names, and who asks for it: unknown, foreign and erased look alike. */
async function sought(deps: ChannelDeps, call: Call): Promise<Sought> {
  const place = placeOf(deps, call.params['conversationId'] ?? '')
  const found = await deps.conversations.find(place.tenant, place.conversationId)
  const shown = customerBy(deps, call, { place, found }) ?? (await callerOf(deps, call))
  const caller = shown.kind === 'anonymous' ? byAddress(deps, call, found) : shown
  if (caller.kind === 'anonymous') throw new GatewayError('unauthorized', 'Send the conversation’s token as a bearer.')
  if (!found || !isTheirs(caller, found)) throw notYours()
  return { place, found, caller }
}
/** A connector that can show nothing and is known by its network. */
function byAddress({ isConnectorAddress }: ChannelDeps, { address }: Call, found: Conversation | null): Caller {
  if (!found?.opening.carried || !isConnectorAddress(address)) return { kind: 'anonymous' }
  const { channel, account } = found.opening.address
  return connectorByAddress(found.tenant, channel, account)
}
/** Whoever shows the handle of the customer; null for everybody else. */
function customerBy(
  { tokens, entryPoint }: ChannelDeps,
  call: Call,
  { place, found }: { readonly place: Place; readonly found: Conversation | null },
): Visitor | null {
  const participantId = found?.opening.customer.participantId ?? null
  const isHandle = tokens.isHandle(bearerOf(call), place.tenant, place.conversationId, participantId)
  if (!isHandle || !participantId) return null
  if (entryPoint.customerAuth !== 'handle') throw notYours()
  return { kind: 'customer', ...place, participantId, expiresAt: Infinity }
}
function isTheirs(caller: Caller, { tenant, id, opening }: Conversation): caller is Visitor {
  if (caller.kind === 'customer') return caller.tenant === tenant && caller.conversationId === id
  if (caller.kind === 'staff') return true
  if (caller.kind !== 'connector') return false
  return opening.carried && opens(caller, opening.address.channel, opening.address.account)
}
const wasThere = ({ memberships }: Conversation, { accountId }: Extract<Caller, { kind: 'staff' }>): boolean =>
  memberships.some(({ account }) => account === accountId)

/** As whom a file is sent: as for messages, staff have to be there. */
function speakerOf(caller: Visitor, { opening, memberships }: Conversation): ParticipantId {
  if (caller.kind !== 'staff') return opening.customer.participantId
  const seat = memberships.find(({ account, left }) => account === caller.accountId && !left)
  if (!seat) throw notYours()
  return seat.id
}
