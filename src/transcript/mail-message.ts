// A mail as MIME: clean fields, a text, a page, and files that cannot be anything but files.
import { randomUUID } from 'node:crypto'
import { Readable, Transform } from 'node:stream'
import MailComposer from 'nodemailer/lib/mail-composer'
import { GatewayError } from '../model/errors'
import { readMailAddress, type MailFrom } from './mail-address'
import { TOO_LARGE, tooLarge } from './mail-refusal'
import { type Mail, type MailAttachment } from './mailer'

export interface MimeMail {
  readonly from: string
  readonly to: string
  readonly messageId: string
  /** Begins the bytes of the mail; they are read once. */
  readonly bytes: () => Readable
  /** Lets go of the attachments' streams. */
  readonly release: () => void
}

const MAX_SUBJECT = 200
const MAX_FILE_NAME = 100
const MAX_ATTACHMENTS = 20
/** What ids are made of, out of RFC 5322's msg-id; a line takes 998 octets. */
const MESSAGE_ID = /^<[\w.+~=-]{1,200}@[\w.-]{1,200}>$/
const LANGUAGE = /^[a-z]{2,8}(?:-[a-z0-9]{1,8}){0,8}$/i
const MEDIA_TYPE = /^[a-z0-9][\w!#$&^.+-]{0,126}\/[a-z0-9][\w!#$&^.+-]{0,126}$/i
/** Controls, formats such as the marks that turn a line round, halves of characters, and both separators of lines. */
const UNSEEN = /[\p{C}\u2028\u2029]+/gu
const FORMATS_OF_SCRIPTS = /[\u200c\u200d]/u

/**
 * @param bounds `maxBytes`: of the whole mail as it is sent, in which a file takes a third more than it has
 * @throws GatewayError `invalidRequest` or `tooLarge`
 */
export function mimeOf(mail: Mail, from: MailFrom, bounds: { readonly maxBytes: number }): MimeMail {
  const files = mail.attachments.map(({ content }) => content).filter((content) => content instanceof Readable)
  const release = () => files.forEach((file) => file.destroy())
  try {
    const { message, ...mime } = compiled(mail, from, bounds.maxBytes)
    return { ...mime, bytes: () => bounded(message.createReadStream(), bounds.maxBytes), release }
  } catch (error) {
    release()
    throw error
  }
}

function compiled(mail: Mail, from: MailFrom, maxBytes: number) {
  const to = readMailAddress(mail.to)
  const messageId = mail.messageId ?? `<${randomUUID()}${from.address.slice(from.address.lastIndexOf('@'))}>`
  if (!MESSAGE_ID.test(messageId))
    throw new GatewayError('invalidRequest', 'A Message-ID is one word with an @ in angle brackets. Make it of an id.')
  if (mail.attachments.length > MAX_ATTACHMENTS || sizeAtHand(mail) > maxBytes) throw tooLarge()
  const message = new MailComposer({
    from: from.name === '' ? from.address : { name: from.name, address: from.address },
    to: { name: '', address: to },
    subject: asLine(mail.subject, MAX_SUBJECT),
    text: asBody(mail.text),
    html: asBody(mail.html),
    attachments: mail.attachments.map(asPart),
    messageId,
    // RFC 3834: so that no absence notice answers.
    headers: { 'Auto-Submitted': 'auto-generated', ...languageOf(mail) },
    newline: 'win',
    disableFileAccess: true,
    disableUrlAccess: true,
  }).compile()
  return { from: from.address, to, messageId, message }
}

const languageOf = ({ language }: Mail) => (LANGUAGE.test(language) ? { 'Content-Language': language } : {})

function sizeAtHand({ text, html, attachments }: Mail): number {
  const files = attachments.map(({ content }) => (Buffer.isBuffer(content) ? content.length : 0))
  return files.reduce((sum, size) => sum + size, Buffer.byteLength(text) + Buffer.byteLength(html))
}

/**
 * Quoted-printable keeps every character, but for line breaks: a CR of its own is none on the wire, and has been taken for
 * one there. Nodemailer takes an object with nothing in it for the content itself.
 */
const asBody = (text: string) => ({
  content: text === '' ? '\n' : text.replace(/\r\n?/g, '\n'),
  contentTransferEncoding: 'quoted-printable',
})

function asPart({ name, mediaType, content }: MailAttachment) {
  return {
    filename: asFileName(name),
    contentType: asFileType(mediaType),
    contentDisposition: 'attachment',
    contentTransferEncoding: 'base64',
    content,
  }
}

/** A type of one file: what is made of parts, or is a mail, would be read as a piece of ours. */
function asFileType(mediaType: string): string {
  const sound = MEDIA_TYPE.test(mediaType) && !/^(?:multipart|message)\//i.test(mediaType)
  return sound ? mediaType.toLowerCase() : 'application/octet-stream'
}

/** One line that reads as itself: `=?` would begin an encoded word, in which a reader's program finds what it likes. */
function asLine(text: string, longest: number): string {
  const line = text
    .replaceAll('=?', '= ?')
    .replace(UNSEEN, (found) => (FORMATS_OF_SCRIPTS.test(found) && found.length === 1 ? found : ' '))
    .replace(/\s+/g, ' ')
    .trim()
  return Array.from(line).slice(0, longest).join('')
}

/** One name without a folder, a hidden beginning or a mark that turns its end round. It keeps its extension. */
function asFileName(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? ''
  const clean = asLine(last.replace(/[<>:"|?*;]/g, ' '), 1_000).replace(/^[. ]+|[. ]+$/g, '')
  const dot = clean.lastIndexOf('.')
  const extension = dot > 0 && clean.length - dot <= 12 ? clean.slice(dot) : ''
  const stem = Array.from(clean.slice(0, clean.length - extension.length))
    .slice(0, MAX_FILE_NAME - extension.length)
    .join('')
  return stem === '' ? 'attachment' : stem.trimEnd() + extension
}

/** Passes the bytes on, and breaks off when there are too many, which leaves the mail unfinished and so unsent. */
function bounded(source: Readable, maxBytes: number): Readable {
  let size = 0
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length
      if (size > maxBytes) done(Object.assign(new Error('Too large'), { code: TOO_LARGE }))
      else done(null, chunk)
    },
  })
  source.on('error', (cause) => counter.destroy(new Error('A part of the mail broke off', { cause })))
  return source.pipe(counter)
}
