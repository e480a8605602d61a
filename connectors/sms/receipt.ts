// Reads a delivery receipt: from its optional parameters where they are there, else from the customary text. Pure.
import type { ProviderReceipt } from '../connector'

export interface Receipt {
  /** The id as the SMSC wrote it here, which may be another form than it gave at first; undefined when there is none. */
  readonly id: string | undefined
  /** Whether the id came in its own parameter, where the specification wants the form of the first answer. */
  readonly exact: boolean
  /** Undefined when the SMSC does not know, or says nothing we know. */
  readonly state: ProviderReceipt['state'] | undefined
  /** Status and error of the SMSC, such as `EXPIRED 001`; only of a failure. */
  readonly reason: string | undefined
}

/** What of a packet can tell about a receipt. */
export interface ReceiptFields {
  readonly text: string
  readonly receiptedId: string | undefined
  readonly messageState: number | undefined
  readonly networkError: Buffer | undefined
}

/** The states of the parameter `message_state`, by number. */
const STATES = [undefined, 'ENROUTE', 'DELIVRD', 'EXPIRED', 'DELETED', 'UNDELIV', 'ACCEPTD', 'UNKNOWN', 'REJECTD']

/** By the first letters, because DELIVRD is also written DELIVERED and so on. */
const MEANING: ReadonlyMap<string, ProviderReceipt['state']> = new Map([
  ['ACCEP', 'sent'],
  ['ENROU', 'sent'],
  ['DELIV', 'delivered'],
  ['EXPIR', 'failed'],
  ['UNDEL', 'failed'],
  ['REJEC', 'failed'],
  ['DELET', 'failed'],
  ['FAILE', 'failed'],
])

export function readReceipt({ text, receiptedId, messageState, networkError }: ReceiptFields): Receipt {
  const head = text.slice(0, 1_000).split(/\btext:/i, 1)[0] ?? '' // behind it stand the customer's own words
  const word = (name: string) => new RegExp(`\\b${name}:\\s*([\\w.-]{1,65})`, 'i').exec(head)?.[1]
  const status = (nameOf(messageState) ?? word('stat') ?? '').toUpperCase().slice(0, 20)
  const state = MEANING.get(status.slice(0, 5))
  const error = word('err')?.slice(0, 20) ?? codeOf(networkError)
  return {
    id: receiptedId ?? word('id'),
    exact: receiptedId !== undefined,
    state,
    reason: state === 'failed' ? [status, error].filter(Boolean).join(' ') : undefined,
  }
}

/** Zero, and what is above the table, say nothing. */
const nameOf = (state: number | undefined): string | undefined => STATES[state ?? 0]

/** Three bytes: the kind of network, and its code. */
const codeOf = (error: Buffer | undefined): string | undefined =>
  error?.length === 3 ? String(error.readUInt16BE(1)).padStart(3, '0') : undefined
