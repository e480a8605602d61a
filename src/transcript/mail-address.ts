// Mailboxes: the one that a mail goes to, and the one that all mails come from.
import { domainToASCII } from 'node:url'
import { GatewayError } from '../model/errors'

/** Who mails come from. */
export interface MailFrom {
  /** Empty: the address alone. */
  readonly name: string
  readonly address: string
}

/** Octets. RFC 5321 §4.5.3.1 gives a path 256 with its angle brackets, and the part before the `@` 64. */
const MAX_ADDRESS = 254
const MAX_LOCAL = 64
const MAX_LABEL = 63
const MAX_NAME = 100
/**
 * RFC 5321's Dot-string with RFC 6531's letters, without what nobody's mailbox has and some mail server reads as another
 * address: quoted strings, the `!` and `%` of old routes, and the `=?` of encoded words.
 */
const LOCAL = /^(?!.*=\?)[\p{L}\p{M}\p{Nd}#$&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{M}\p{Nd}#$&'*+/=?^_`{|}~-]+)*$/u
/** What a domain may be written with, before IDNA; no percent signs, which the URL standard would decode. */
const DOMAIN = /^[\p{L}\p{M}\p{Nd}.-]+$/u
const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/

/**
 * One mailbox, `local@domain`, with its domain in ASCII. No name, no list, no quoted string, no address literal; the
 * domain has at least two labels.
 * @throws GatewayError `invalidRequest` with a sentence that does not repeat the text
 */
export function readMailAddress(text: string): string {
  const address = mailbox(text)
  if (address !== null) return address
  throw new GatewayError('invalidRequest', 'This is not a mailbox. Give one address such as ann@example.org, alone.')
}

/** Such a mailbox is reached through servers that offer SMTPUTF8 (RFC 6531) only. */
export const needsSmtpUtf8 = (address: string): boolean => !isAscii(address)

/**
 * Reads `MAIL_FROM`: `help@example.org`, or `Example Help <help@example.org>`; the name may stand in double quotes.
 * @throws a sentence without the text
 */
export function readMailFrom(text: string): MailFrom {
  const parts = /^(?:"([^"\\]*)"\s*|([^"\\<>@,;:]*))<([^<>]*)>$/.exec(text.trim())
  const address = mailbox(parts ? (parts[3] ?? '') : text.trim())
  const name = parts ? (parts[1] ?? parts[2] ?? '').trim() : ''
  if (address === null || !isAscii(address) || name.length > MAX_NAME || /\p{C}|[\u2028\u2029]/u.test(name))
    throw new Error(
      'MAIL_FROM must be one address in ASCII, such as help@example.org or Example Help <help@example.org>.',
    )
  return { name, address }
}

function mailbox(text: string): string | null {
  if (text.length > MAX_ADDRESS) return null // before anything looks at every character
  const at = text.lastIndexOf('@')
  const local = text.slice(0, at).normalize('NFC')
  if (at < 1 || Buffer.byteLength(local) > MAX_LOCAL || !LOCAL.test(local)) return null
  const domain = domainInAscii(text.slice(at + 1))
  if (domain === null || Buffer.byteLength(local) + 1 + domain.length > MAX_ADDRESS) return null
  return `${local}@${domain}`
}

function domainInAscii(text: string): string | null {
  if (!DOMAIN.test(text)) return null
  const domain = domainToASCII(text)
  const labels = domain.split('.')
  const last = labels.at(-1) ?? ''
  // Numbers are IPv4 to the URL standard, in whatever spelling; no domain of mail ends with one.
  if (labels.length < 2 || /^\d+$/.test(last)) return null
  return labels.every((label) => label.length <= MAX_LABEL && LABEL.test(label)) ? domain : null
}

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text)
