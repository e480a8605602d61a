// The facts that a conversation opens with, read from an init or from a channel's first message. Pure but for new ids.
import type { JsonObject } from '../../model/content'
import type { Opening } from '../../model/conversation'
import { newParticipantId } from '../../model/new-id'
import { MAX_NAME } from './wire'

interface Wish {
  readonly refId?: string | undefined
  readonly firstName?: string | undefined
  readonly lastName?: string | undefined
  readonly email?: string | undefined
  readonly phone?: string | undefined
  readonly language?: string | undefined
  readonly url?: string | undefined
  readonly comment?: string | undefined
  readonly subject?: string | undefined
  readonly extras: JsonObject
}
interface Door {
  readonly channel: string
  readonly account: string
  /** A keyed connector vouches for the identifiers. */
  readonly verified: boolean
  /** ISO 8601. */
  readonly at: string
}

export function readOpening(wish: Wish, { channel, account, verified, at }: Door): Opening {
  const { refId, email, phone, language, subject = '', url = '', comment = '', extras } = wish
  return {
    address: { channel, account, refId: firstOf(refId, phone, email) },
    language: firstOf(language, 'en'),
    subject,
    url,
    comment,
    channelData: extras,
    customer: { participantId: newParticipantId(), ...readProfile(wish), verified },
    carried: channel !== 'web',
    at,
  }
}

function readProfile({ firstName = '', lastName = '', email = '', phone = '' }: Wish) {
  const name = firstOf([firstName, lastName].filter(Boolean).join(' ').slice(0, MAX_NAME), 'Customer')
  return { name, firstName, lastName, email, phone }
}
const firstOf = (...texts: readonly (string | undefined)[]): string => texts.find(Boolean) ?? ''
