// Why a mail was not sent, in one sentence: with the codes of the mail server and none of its words, which may name people.
import { type NodemailerError } from 'nodemailer/lib/errors'
import { GatewayError } from '../model/errors'

/** Seconds after which another attempt at a mail server makes sense. */
const RETRY_AFTER = 30

/** How a stream says that the mail grew beyond its limit: nodemailer keeps an error's code, and nothing else of ours. */
export const TOO_LARGE = 'tooLarge'
export const tooLarge = (): GatewayError =>
  new GatewayError('tooLarge', 'The mail is too large to be sent. Leave attachments out, or send links to them.')

/** The mail server, or the way to it, is not well now. */
export const unavailable = (sentence: string, cause?: Error): GatewayError =>
  new GatewayError('unavailable', `${sentence} Try again later.`, { retryAfter: RETRY_AFTER, ...(cause && { cause }) })

/** It will not take this mail, however often it is asked. */
export const refusedForGood = (sentence: string, cause?: Error): GatewayError =>
  new GatewayError('unavailable', sentence, { permanent: true, ...(cause && { cause }) })

/** Whatever was thrown on the way of a mail, as what its sender can do about it. */
export function asRefusal(error: NodemailerError): GatewayError {
  if (error.originalCode === TOO_LARGE) return tooLarge()
  const cause = inCodes(error)
  const codes = smtpCodes(error)
  if (codes === '') return unavailable(withoutAnswer(error), cause)
  const who = whatIsRefused(error)
  if (error.permanent) return refusedForGood(`The mail server refuses ${who.name} (${codes}). ${who.advice}`, cause)
  return unavailable(`The mail server does not take ${who.name} now (${codes}).`, cause)
}

function withoutAnswer({ code }: NodemailerError): string {
  if (code === 'ESTREAM') return 'A part of the mail could not be read.'
  if (code === 'ETLS') return 'The connection to the mail server cannot be secured: see its certificate.'
  if (code === 'ETIMEDOUT') return 'The mail server does not answer in time.'
  return 'The mail server cannot be reached, or dropped the connection.'
}

function whatIsRefused({ command, code }: NodemailerError): { readonly name: string; readonly advice: string } {
  if (code === 'EAUTH') return { name: 'our login', advice: 'Check the user and the password of SMTP_URL.' }
  if (command === 'MAIL FROM') return { name: 'the sender', advice: 'Check MAIL_FROM.' }
  if (command === 'RCPT TO') return { name: 'the recipient', advice: 'Check the address.' }
  if (command === 'DATA') return { name: 'the mail', advice: 'Its log says why.' }
  return { name: 'the connection', advice: 'Check SMTP_URL.' }
}

/** `550 5.1.1`: the reply's code and its enhanced one (RFC 3463); empty without a reply. */
function smtpCodes({ response }: NodemailerError): string {
  return /^[2-5]\d\d(?:[ -][245]\.\d{1,3}\.\d{1,3})?/.exec(response ?? '')?.[0].replace('-', ' ') ?? ''
}

/** For the log: no reply of a server, which may repeat an address or what it was told. */
function inCodes(error: NodemailerError): Error {
  const words = [error.code, error.originalCode, error.command, smtpCodes(error)]
  const codes = words.filter((word) => word !== undefined && /^[\w .-]{1,40}$/.test(word))
  return new Error(`SMTP: ${codes.join(', ')}`)
}
