// Attendees told apart and put in order, for every attendance store.
import type { Attendee } from './attendance-store'

export const keyOfAttendee = ({ tenant, conversationId, participantId }: Attendee): string =>
  `${tenant}\n${conversationId}\n${participantId}`

export const byKey = (a: Attendee, b: Attendee): number => (keyOfAttendee(a) < keyOfAttendee(b) ? -1 : 1)
