// What must not compile, checked by `tsc`: there is no way for an internal event to whoever hears the public ones.
import type { Hub } from '../../src/conversation/hub'
import type { Follower } from '../../src/conversation/stream'
import { encodePublic, encodeForStaff, type Setting } from '../../src/dialects/customer-channel/codec'
import type { Hearing, Seat } from '../../src/dialects/customer-channel/seat'
import type { ConversationEvent, InternalDraft, InternalEvent, PublicDraft, PublicEvent } from '../../src/model/events'
import type { EventId, Place } from '../../src/model/ids'
import type { ConversationStore } from '../../src/store/conversation-store'
import type {
  CustomerTranscript,
  Line,
  Move,
  PublicEntry,
  StaffEntry,
  StaffTranscript,
  Whisper,
} from '../../src/transcript/transcript'

declare const setting: Setting
declare const place: Place
declare const hub: Hub
declare const store: ConversationStore
declare const whisper: Extract<InternalEvent, { type: 'whispered' }>
declare const internal: InternalEvent
declare const erasure: Extract<InternalEvent, { type: 'conversationErased' }>
declare const either: ConversationEvent
declare const shown: Extract<PublicEvent, { type: 'messageSent' }>
declare const outsider: Follower<PublicEvent>
declare const insider: Follower<ConversationEvent>
declare const seat: Seat<PublicEvent>
declare const transcript: CustomerTranscript
declare const insiders: StaffTranscript
declare const aside: Whisper
declare const line: Line
declare const move: Move
declare const staffEntry: StaffEntry
declare const eventId: EventId

// ---------------------------------------------------------------------------------------- the codec of customers and connectors

encodePublic(shown, setting)
// @ts-expect-error -- a whisper has no public position: the codec of outsiders has no shape for it.
encodePublic(whisper, setting)
// @ts-expect-error -- nor for the record of an erasure, which names who had it done.
encodePublic(erasure, setting)
// @ts-expect-error -- nor for a receipt of a whisper, a silent supervisor, or anything else that is internal.
encodePublic(internal, setting)
// @ts-expect-error -- an event that may be either must be looked at first, with `isPublic`.
encodePublic(either, setting)
// @ts-expect-error -- copying it under a public name does not help: its position is still that of an internal one.
encodePublic({ ...whisper, type: 'messageSent' }, setting)
encodeForStaff(either, setting)

// ------------------------------------------------------------------------------------------------------------------ followers

hub.followAsPublic(place, 0, outsider)
hub.followAsStaff(place, 0, insider)
// @ts-expect-error -- an outsider cannot follow as staff: `hear` would be handed whispers.
hub.followAsStaff(place, 0, outsider)
// @ts-expect-error -- nor can the seat of an outsider.
hub.followAsStaff(place, 0, seat)
outsider.hear(shown)
// @ts-expect-error -- an outsider has no ear for a whisper.
outsider.hear(whisper)
// @ts-expect-error -- and no history with one in it.
void outsider.history([shown, internal])

export const asOutsider: Hearing<PublicEvent>['encode'] = (event) => encodePublic(event, setting)
// @ts-expect-error -- staff hear everything: what encodes for outsiders cannot encode for them by mistake, and the other way round.
export const asInsider: Hearing<ConversationEvent>['encode'] = (event: PublicEvent) => encodePublic(event, setting)

// --------------------------------------------------------------------------------------------------------- the events themselves

// @ts-expect-error -- an internal event counts for nobody outside: it cannot be made with a public position.
export const counted: InternalEvent = { ...whisper, publicPosition: 1 }
// @ts-expect-error -- and a public one cannot be made without.
export const uncounted: PublicEvent = { ...shown, publicPosition: null }
// @ts-expect-error -- an internal event is no public event.
export const disguised: PublicEvent = internal
// @ts-expect-error -- the words of the public have no `whispered`.
export const spoken: PublicEvent['type'] = 'whispered'
// @ts-expect-error -- nor is it a member of the public drafts, from which rules make events.
export const drafted: PublicDraft['type'] = 'whispered'
/** No name is both: a type alone tells who may hear it. `never`, or this does not compile. */
export const both: [Extract<PublicDraft['type'], InternalDraft['type']>] extends [never] ? true : false = true
/** A public event has no tag by which it could say that it is internal. */
export const tagged: 'tag' extends keyof PublicEvent ? true : false = false

// ------------------------------------------------------------------------------------------------------- transcripts and stores

export const kept: CustomerTranscript = { ...transcript, entries: [line, move] }
// @ts-expect-error -- a line of a transcript has a place among the public events; a whisper has none.
export const placed: Line = { ...line, seq: whisper.publicPosition }
// @ts-expect-error -- an event is no entry.
export const raw: CustomerTranscript = { ...transcript, entries: [shown] }
// @ts-expect-error -- what customers keep has no shape for a whisper.
export const whispering: CustomerTranscript = { ...transcript, entries: [aside] }
// @ts-expect-error -- nor for one that calls itself an entry of the public.
export const posing: PublicEntry = aside
// @ts-expect-error -- nor for an observer.
export const observed: PublicEntry['kind'] = 'observerJoined'
// @ts-expect-error -- nor for whatever staff may read.
export const anything: PublicEntry = staffEntry
// @ts-expect-error -- the staff's form is not the customer's, also where nobody whispered.
export const handed: CustomerTranscript = insiders
// @ts-expect-error -- nor by another name.
export const relabelled: CustomerTranscript = { ...insiders, audience: 'customer' }
export const read = async (): Promise<readonly PublicEvent[]> =>
  store.publicEvents(place.tenant, place.conversationId, 0, 1)
const whole = store.events(place.tenant, place.conversationId, 0, 1)
// @ts-expect-error -- what is read for outsiders is read from the public log: the whole log is of another type.
export const readAll: Promise<readonly PublicEvent[]> = whole

// ------------------------------------------------------------------------------------------------------------------- whose ids

// @ts-expect-error -- an id of an event is made by the gateway alone: no text from the wire is one.
export const forged: EventId = `${String(eventId)}.i7`
