// The routes of transcripts: the customer's, as the public document says, and the staff's.
import { type Caller } from '../../identity/credentials'
import type { Conversation } from '../../model/conversation'
import { isErased } from '../../model/erased'
import { GatewayError, notYours } from '../../model/errors'
import type { Place } from '../../model/ids'
import { Overdue, Turns } from '../../model/turns'
import type { CanonicalLine } from '../../transcript/canonical'
import { isAnswered, type Audience } from '../../transcript/transcript'
import { TRANSCRIPT_FORMS, type Rendering, type RenderOptions } from '../../transcript/transcript-forms'
import { encodeSpeaker, type ShowFile } from './codec'
import type { ChannelDeps } from './deps'
import { bearerOf, callerOf, staffOf, type Call, type Handlers, type Result } from './rest-call'
import { isOf } from './rest-customer'
import * as wire from './rest-wire'
import { placeOf } from './seating'
import { Sequence } from './sequence'
import { parse } from './tolerant'

/** How long the documented URL, which carries no credential, answers. */
const OPEN_PDF_MS = 15 * 60_000
/** Mails of one conversation to whoever shows no credential. */
const OPEN_MAILS = 3

const FORMS = [...TRANSCRIPT_FORMS, 'email'] as const
type Form = (typeof FORMS)[number]
/** Conversations that are read and made into documents at once, and requests that wait for their turn. */
const READINGS = { atOnce: 2, waiting: 64 }
interface TranscriptDeps extends ChannelDeps {
  readonly mails: Sequence
  readonly readings: Turns
}

export function transcriptHandlers(channelDeps: ChannelDeps): Handlers<'transcript' | 'staffTranscript'> {
  const readings = new Turns({ ...READINGS, waitMs: channelDeps.transcriptTurnMs })
  const deps = { ...channelDeps, mails: new Sequence(), readings }
  return {
    transcript: (call) => transcript(deps, call),
    staffTranscript: (call) => staffTranscript(deps, call),
  }
}

async function transcript(deps: TranscriptDeps, call: Call): Promise<Result> {
  await deps.limiter.consume('transcript', deps.limitKeyOf(call.address))
  const form = formOf(call, FORMS)
  const options = parse(wire.transcriptQuery.schema, call.query)
  const place = placeOf(deps, call.params['conversationId'] ?? '')
  const found = await deps.conversations.find(place.tenant, place.conversationId)
  const isTheirs = await mayRead(deps, call, { place, found })
  if (found?.status !== 'ended' || isErased(found)) throw notYours()
  if (!isTheirs && !isOpen(deps, found, form)) throw notYours()
  if (form !== 'email')
    return inTurn(deps, call, () => render(deps, { found, audience: 'customer' }, { ...options, form }))
  // One after the other, so that nobody is quicker than the count.
  return deps.mails.say(
    place.conversationId,
    () => inTurn(deps, call, () => mail(deps, call, { found, isTheirs, ...options })),
    async (sent) => sent,
  )
}

/** An empty 200 when the mail server has taken it, and not before. */
async function mail(
  deps: TranscriptDeps,
  { gone }: Call,
  { found, isTheirs, timeZone }: Pick<RenderOptions, 'timeZone'> & { found: Conversation; isTheirs: boolean },
): Promise<Result> {
  const { email } = found.opening.customer
  if (email === '') throw notYours()
  const read = await deps.transcripts.read(found, 'customer')
  if (!isTheirs && (!isAnswered(read) || (await deps.transcripts.mails(found)) >= OPEN_MAILS)) throw notYours()
  await deps.limiter.consume('mail', email.toLowerCase())
  const sent = await deps.transcriptMail.send(read, email, { timeZone, signal: gone })
  // It is on its way, whether or not that can be written down.
  await deps.conversations
    .mailed({ tenant: found.tenant, conversationId: found.id }, sent.messageId)
    .catch(deps.onFault)
  return null
}

/** In whatever state the conversation is, with whispers unless the customer's form is asked for. */
async function staffTranscript(deps: TranscriptDeps, call: Call): Promise<Result> {
  const caller = await staffOf(deps, call)
  await deps.limiter.consume('transcript', deps.limitKeyOf(call.address))
  const form = formOf(call, TRANSCRIPT_FORMS)
  const { audience, ...options } = parse(wire.staffTranscriptQuery.schema, call.query)
  const place = placeOf(deps, call.params['conversationId'] ?? '')
  const found = await deps.conversations.find(place.tenant, place.conversationId)
  if (!found || isErased(found) || !isTheirs(caller, { place, found })) throw notYours()
  return inTurn(deps, call, () => render(deps, { found, audience }, { ...options, form }))
}

/** Each holds a whole conversation: few at once, so that neither memory nor the chats beside them feel it. */
async function inTurn<T>({ readings }: TranscriptDeps, { gone }: Call, work: () => Promise<T>): Promise<T> {
  if (readings.full) throw tooMany()
  return readings.take(work, gone).catch((cause: unknown) => {
    throw cause instanceof Overdue ? tooMany() : cause
  })
}
const tooMany = (): GatewayError =>
  new GatewayError('unavailable', 'Too many transcripts are being made. Try again in a moment.', { retryAfter: 5 })

function formOf<F extends Form>({ params }: Call, forms: readonly F[]): F {
  const form = forms.find((known) => known === params['type']?.toLowerCase())
  if (form) return form
  throw new GatewayError('invalidRequest', `The type is one of ${forms.join(', ')}.`, { details: ['type'] })
}

/** The token or the handle of this conversation; a supervisor, or an agent who was there. */
async function mayRead(deps: ChannelDeps, call: Call, { place, found }: Sought): Promise<boolean> {
  const bearer = bearerOf(call)
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

async function render(
  { fileDoor, transcripts, transcriptForms }: ChannelDeps,
  { found, audience }: { readonly found: Conversation; readonly audience: Audience },
  { form, ...options }: RenderOptions,
): Promise<Result> {
  if (form === 'pdf') return asFile(await transcriptForms.print(transcripts.source(found, audience), options))
  const read = await transcripts.read(found, audience)
  if (form !== 'json') return asFile(await transcriptForms.render(read, { form, ...options }))
  const show = audience === 'staff' ? fileDoor.forStaff : fileDoor.forPublic
  return { pieces: await transcriptForms.json(read, (line) => asShown(line, show)) }
}
const asFile = ({ body, ...file }: Rendering): Result => ({ ...file, file: body })
/** A line says who spoke, and links to files, as this dialect does, beside how the form says it. */
const asShown = (line: CanonicalLine, show: ShowFile) => ({
  ...line,
  from: { ...encodeSpeaker(line.from), role: line.from.role },
  attachments: line.attachments.map(({ fileId, size = 0, hasThumbnail = false, ...shown }) =>
    fileId === undefined ? shown : show({ ...shown, fileId, size, hasThumbnail }),
  ),
})
