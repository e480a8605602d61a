// What the SMSC's command status means for a message: whether to pause, to try again, or to give up. Pure.
import * as smpp from 'smpp'

export const OK = 0
/** Our answer to what we cannot take now: the SMSC tries again later. */
export const TRY_AGAIN = 0x64
export const UNKNOWN_COMMAND = 0x03

const names: ReadonlyMap<number, string> = new Map(Object.entries(smpp.errors).map(([name, code]) => [code, name]))

/** `ESME_RINVDSTADR` and so on; a vendor's own as a number. */
export const nameOfStatus = (status: number): string =>
  names.get(status) ?? `0x${status.toString(16).padStart(8, '0').toUpperCase()}`

/** Too many at once, or its queue is full: the whole link pauses. */
export const asksForPause = (status: number): boolean => status === 0x58 || status === 0x14

/** The same message will be refused for ever: wrong length, sender, recipient, fields or coding, or rejected for good. */
const PERMANENT: ReadonlySet<number> = new Set([
  0x01, 0x02, 0x06, 0x07, 0x0a, 0x0b, 0x15, 0x33, 0x34, 0x40, 0x42, 0x43, 0x44, 0x48, 0x49, 0x50, 0x51, 0x53, 0x54,
  0x61, 0x62, 0x63, 0x65, 0x66, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xfe, 0x100, 0x101, 0x103, 0x104, 0x105, 0x106,
])

export const isPermanent = (status: number): boolean => PERMANENT.has(status)
