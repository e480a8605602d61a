// Translates between packets of SMPP 3.4 and our words, bytes in and bytes out. Pure.
import { createHash } from 'node:crypto'
import type { Fields, Pdu } from 'smpp'
import { decodeGsm7 } from './gsm7'
import type { Address } from './numbers'

/** The place of a part in a concatenated message. */
export interface Place {
  /** Reference of the message, with the width it was given in: references of two widths never meet. */
  readonly reference: string
  readonly total: number
  readonly number: number
}

/** A `deliver_sm` (or `data_sm`) in our words. */
export interface Brought {
  readonly from: Address
  readonly to: Address
  readonly kind: 'message' | 'receipt'
  readonly dataCoding: number
  readonly header: Buffer
  readonly body: Buffer
  readonly place: Place | undefined
  /** The SMSC's own id, if it tells one. */
  readonly id: string | undefined
  readonly messageState: number | undefined
  readonly networkError: Buffer | undefined
}

const HAS_HEADER = 0x40
const KIND = 0x3c
const RECEIPT = 0x04
const INTERMEDIATE = 0x20

const bytes = (value: unknown): Buffer | undefined => (Buffer.isBuffer(value) ? value : undefined)

const idOf = (pdu: Pdu): string | undefined => {
  const id = bytes(pdu.receipted_message_id)?.toString('latin1').split('\0', 1)[0]?.trim()
  return id ? id : undefined
}

/** Our words for what the SMSC brought. Fields that a peer left out count as zero and empty. */
export function readBrought(pdu: Pdu): Brought {
  const { esm_class: esmClass = 0, data_coding: dataCoding = 0 } = pdu
  const content = contentOf(pdu)
  const kind = esmClass & KIND
  const header = headerOf(esmClass, content)
  return {
    from: address(pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr),
    to: address(pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr),
    kind: kind === RECEIPT || kind === INTERMEDIATE ? 'receipt' : 'message',
    dataCoding,
    header,
    body: content.subarray(header.length),
    place: sensible(placeInHeader(header) ?? placeInParameters(pdu)),
    id: idOf(pdu),
    messageState: pdu.message_state,
    networkError: bytes(pdu.network_error_code),
  }
}

function contentOf(pdu: Pdu): Buffer {
  const short = bytes(pdu.short_message)
  return short?.length ? short : (bytes(pdu.message_payload) ?? Buffer.alloc(0))
}

/** The first byte of a header tells how many follow. */
function headerOf(esmClass: number, content: Buffer): Buffer {
  const length = (content[0] ?? 0) + 1
  return content.subarray(0, esmClass & HAS_HEADER && content.length >= length ? length : 0)
}

const address = (ton = 0, npi = 0, digits = ''): Address => ({ ton, npi, digits })

/** Elements of the header are a type, a length, and so many bytes; 0 and 8 tell the place of a part. */
function placeInHeader(header: Buffer): Place | undefined {
  for (let at = 1; at + 1 < header.length; at += 2 + (header[at + 1] ?? 0)) {
    const [type, length] = [header[at], header[at + 1] ?? 0]
    const data = header.subarray(at + 2, at + 2 + length)
    if (type === 0x00 && data.length === 3) return place(`8:${data.readUInt8(0)}`, data[1], data[2])
    if (type === 0x08 && data.length === 4) return place(`16:${data.readUInt16BE(0)}`, data[2], data[3])
  }
  return undefined
}

const placeInParameters = (pdu: Pdu): Place | undefined =>
  pdu.sar_msg_ref_num === undefined
    ? undefined
    : place(`sar:${pdu.sar_msg_ref_num}`, pdu.sar_total_segments, pdu.sar_segment_seqnum)

const place = (reference: string, total = 0, number = 0): Place => ({ reference, total, number })

/** A message of one part is no concatenated one, and part 4 of 3 is a message of its own. */
const sensible = (at: Place | undefined): Place | undefined =>
  at && at.total > 1 && at.number >= 1 && at.number <= at.total ? at : undefined

const DECODERS: ReadonlyMap<number, string> = new Map([
  [5, 'shift_jis'],
  [6, 'iso-8859-5'],
  [7, 'iso-8859-8'],
  [8, 'utf-16be'],
  [14, 'euc-kr'],
])

/** The text of a body. What is not text says what it is instead of being lost. */
export function textOf(body: Buffer, dataCoding: number): string {
  const coding = alphabetOf(dataCoding)
  if (coding === 0) return decodeGsm7(body)
  if (coding === 1) return body.toString('latin1').replace(/[\x80-\xff]/g, '\ufffd')
  if (coding === 3) return body.toString('latin1')
  const name = DECODERS.get(coding)
  return name ? new TextDecoder(name, { ignoreBOM: true }).decode(body) : `(binary message, ${body.length} bytes)`
}

/** The upper groups are those of GSM 03.38: a message class or an indication, with the alphabet in bits 2 and 3. */
function alphabetOf(dataCoding: number): number {
  if (dataCoding < 0x10) return dataCoding
  if (dataCoding >= 0xf0) return dataCoding & 0x04 ? 4 : 0
  if (dataCoding >= 0xe0) return 8
  if (dataCoding >= 0xc0) return 0
  const alphabet = (dataCoding >> 2) & 0x03
  return alphabet === 2 ? 8 : alphabet === 1 ? 4 : 0
}

/** What tells two packets apart that carry no id: who to whom, the header, and the words. */
export function digestOf({ from, to, header, body, id, place: at }: Brought): string {
  const parts = [from.digits, to.digits, id ?? '', at ? `${at.reference} ${at.number}/${at.total}` : '']
  return createHash('sha256').update(JSON.stringify(parts)).update(header).update(body).digest('hex')
}

/** One part on its way out. */
export interface Submit {
  readonly from: Address
  readonly to: Address
  readonly dataCoding: number
  /** Whether `body` begins with a user data header. */
  readonly headed: boolean
  readonly body: Buffer
  readonly registeredDelivery: number
}

/** The fields of `submit_sm`. The coding is always told: the library would call GSM-7 text ASCII. */
export const submitFields = ({ from, to, dataCoding, headed, body, registeredDelivery }: Submit): Fields => ({
  source_addr_ton: from.ton,
  source_addr_npi: from.npi,
  source_addr: from.digits,
  dest_addr_ton: to.ton,
  dest_addr_npi: to.npi,
  destination_addr: to.digits,
  esm_class: headed ? HAS_HEADER : 0,
  registered_delivery: registeredDelivery,
  data_coding: dataCoding,
  short_message: body,
})
