// Telephone numbers as the gateway names them (E.164 with a plus, short codes, words) and as SMPP addresses them. Pure.
import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max'

/** A number on the wire: its type (1 international, 2 national, 3 network's own, 5 alphanumeric), its plan, its digits. */
export interface Address {
  readonly ton: number
  readonly npi: number
  readonly digits: string
}

/** Networks number short codes with up to so many digits; above it is somebody's telephone. */
const LONGEST_SHORT_CODE = 8
/** An alphanumeric sender has at most eleven characters; the field itself ends at twenty. */
const LONGEST_WORD = 11
const LONGEST_NUMBER = 20

/** The address of a name of ours or of a customer's; undefined when it fits no address. */
export function addressOf(name: string): Address | undefined {
  const compact = name.replace(/[\s().\-/]/g, '')
  if (/^\+\d+$/.test(compact)) return fits(1, 1, compact.slice(1))
  if (/^\d+$/.test(compact)) {
    return compact.length <= LONGEST_SHORT_CODE ? fits(3, 0, compact) : fits(0, 1, compact)
  }
  const word = name.trim()
  return /^[\x20-\x7e]+$/.test(word) && word.length <= LONGEST_WORD ? fits(5, 0, word) : undefined
}

const fits = (ton: number, npi: number, digits: string): Address | undefined =>
  digits.length <= LONGEST_NUMBER ? { ton, npi, digits } : undefined

/**
 * The name of an address: E.164 where it is a telephone number, as it came where it is not.
 * `country` (ISO 3166, two letters) tells whose national numbers are meant.
 */
export function nameOf(address: Address, country?: CountryCode): string {
  const raw = address.digits.trim()
  const digits = raw.replace(/^\+|^00/, '')
  if (address.ton === 5 || !/^\d+$/.test(digits)) return raw
  if (address.ton === 1) return parsePhoneNumberFromString(`+${digits}`)?.number ?? `+${digits}`
  if (address.ton === 3 || digits.length <= LONGEST_SHORT_CODE) return raw
  return national(raw, digits, country) ?? raw
}

/** Many SMSCs do not say what kind of number it is: only what is surely one is taken for one. */
function national(raw: string, digits: string, country?: CountryCode): string | undefined {
  const inCountry = country && parsePhoneNumberFromString(raw, country)
  if (inCountry?.isValid()) return inCountry.number
  const abroad = parsePhoneNumberFromString(`+${digits}`)
  return abroad?.isValid() ? abroad.number : undefined
}

/** Whether two spellings may be the same subscriber: the last digits agree, however much of the front is left out. */
export function sameNumber(one: string, other: string): boolean {
  const [a, b] = [one.replace(/\D/g, ''), other.replace(/\D/g, '')]
  if (a.length < 6 || b.length < 6) return one.toLowerCase() === other.toLowerCase()
  const length = Math.min(a.length, b.length, 8)
  return a.slice(-length) === b.slice(-length)
}
