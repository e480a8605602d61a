// What the gateway gives this dialect.
import type { IncomingMessage } from 'node:http'
import type { Attendance } from '../../conversation/attendance'
import type { Carriers } from '../../conversation/carriers'
import type { Conversations } from '../../conversation/conversations'
import type { Erasure } from '../../conversation/erasure'
import type { Hub } from '../../conversation/hub'
import type { Notifications } from '../../conversation/notifications'
import type { Outbox } from '../../conversation/outbox'
import type { Accounts } from '../../identity/accounts'
import type { Credentials } from '../../identity/credentials'
import type { ApiKeys } from '../../identity/keys'
import type { Tokens } from '../../identity/tokens'
import type { TranscriptMail } from '../../transcript/transcript-mail'
import type { TranscriptForms } from '../../transcript/transcript-forms'
import type { Transcripts } from '../../transcript/transcripts'
import type { Place } from '../../model/ids'
import type { Files } from '../../files/files'
import type { EntryPoint, Limiter } from '../dialect'
import type { FileDoor } from './file-door'

export interface ChannelDeps {
  readonly entryPoint: EntryPoint
  /** Empty, or `/chat`. */
  readonly basePath: string
  /** Does the sending socket hear its own message, after the acknowledgement? */
  readonly echoToSender: boolean
  /** Milliseconds between two pings, and how long one may stay unanswered until the connection counts as lost. */
  readonly ping: { readonly interval: number; readonly timeout: number }
  /** Milliseconds that a connector may take to answer a delivery: less than the delivery is leased for. */
  readonly answerMs: number
  /** Milliseconds that somebody may take to read a file or a document to its end. */
  readonly readerMs: number
  /** Milliseconds that somebody may wait until their transcript is begun: with what a document may take, less than proxies wait. */
  readonly transcriptTurnMs: number
  /** Conversations that one socket may sit in: an agent's desk, a connector's customers. */
  readonly maxSeats: number
  readonly conversations: Conversations
  readonly hub: Hub
  readonly erasure: Erasure
  readonly outbox: Outbox
  readonly carriers: Carriers
  readonly attendance: Attendance
  readonly notifications: Notifications
  readonly transcripts: Transcripts
  readonly transcriptForms: TranscriptForms
  readonly transcriptMail: TranscriptMail
  readonly files: Files
  readonly fileDoor: FileDoor
  readonly accounts: Accounts
  readonly keys: ApiKeys
  readonly credentials: Credentials
  readonly tokens: Tokens
  readonly limiter: Limiter
  /** Rate limits and connection caps are off: for benchmarks. */
  readonly unlimited: boolean
  /** The address that a request comes from, with trusted proxies looked through. */
  readonly clientAddressOf: (request: Pick<IncomingMessage, 'socket' | 'headers'>) => string
  /** What an address is counted by: a household has many of IPv6. */
  readonly limitKeyOf: (address: string) => string
  /** Is this address in `CONNECTOR_ADDRESSES`? */
  readonly isConnectorAddress: (address: string) => boolean
  /** Hears of every conversation whose customer has come, on whatever node. Answers how to stop. */
  readonly onBegun: (listener: (place: Place) => void) => () => void
  /** Hears of every conversation that was erased, on whatever node. Answers how to stop. */
  readonly onErased: (listener: (place: Place) => void) => () => void
  /** For whoever counts. */
  readonly onSocket: (what: 'opened' | 'closed' | 'droppedAsSlow') => void
  /** On its way down: nothing new begins here. */
  readonly isDraining: () => boolean
  readonly now: () => Date
  /** For the log: a failure of ours, without anybody's words in it. */
  readonly onFault: (cause: unknown) => void
}
