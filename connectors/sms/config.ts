// Reads what an operator wrote in SMPP_URL; each mistake is told in a sentence that never repeats the password.
import { getCountries, isSupportedCountry, type CountryCode } from 'libphonenumber-js/max'
import { z } from 'zod'

/**
 * `smpp://system_id:password@host:port?…`, or `ssmpp://` for TLS. Times are in seconds and may have a fraction.
 */
const settings = z.strictObject({
  /** What the SMSC wants to hear in `system_type`; up to 12 characters. */
  system_type: z.string().max(12, 'system_type has at most 12 characters').default(''),
  /** How many submitted parts may wait for their answer at once: 1 to 1000. */
  window: whole('window', 1, 1_000).default(10),
  /** The sender of messages that name no account: a number, a short code or a word of up to 11 characters. */
  source: z.string().max(21, 'source has at most 21 characters').default(''),
  /** Type of number and plan of the sender, where the SMSC wants others than the ones we see in it: 0 to 255. */
  source_ton: whole('source_ton', 0, 255).optional(),
  source_npi: whole('source_npi', 0, 255).optional(),
  /** The same for the recipient. */
  dest_ton: whole('dest_ton', 0, 255).optional(),
  dest_npi: whole('dest_npi', 0, 255).optional(),
  /** 1: a receipt for each end; 2: for failures only; 0: none; 17: also on the way. 0 to 255. */
  registered_delivery: whole('registered_delivery', 0, 255).default(1),
  /** Time between two `enquire_link`: 0.01 to 3600. */
  enquire_link: seconds('enquire_link').default(30),
  /** How long an answer may take before the request counts as lost: 0.01 to 3600. */
  response_timeout: seconds('response_timeout').default(10),
  /** Range of our numbers that this session wants to receive for; rarely needed. */
  address_range: z.string().max(40, 'address_range has at most 40 characters').default(''),
  /** The number this connector alone serves; it is the default of `source` as well. */
  account: z.string().max(21, 'account has at most 21 characters').default(''),
  /** The country whose national numbers arrive, in two letters; without it they stay as they came. */
  country: z
    .string()
    .transform((code) => code.toUpperCase())
    .refine((code) => isSupportedCountry(code), { error: 'country is two letters such as DE' })
    .transform((code) => getCountries().find((known) => known === code))
    .optional(),
  /** 1: typographic quotes and dashes are sent as plain ones, which keeps more texts in GSM-7. */
  smart: z.enum(['0', '1'], 'smart is 0 or 1').default('0'),
  /** TLS only: a file with the certificates to trust instead of the system's. */
  ca_file: z.string().optional(),
})

function whole(name: string, least: number, most: number) {
  const sentence = `${name} is a whole number from ${least} to ${most}`
  return z
    .string()
    .regex(/^\d{1,6}$/, sentence)
    .transform(Number)
    .pipe(z.number().min(least, sentence).max(most, sentence))
}

function seconds(name: string) {
  const sentence = `${name} is a number of seconds from 0.01 to 3600`
  return z.coerce.number(sentence).min(0.01, sentence).max(3_600, sentence)
}

type Settings = Omit<z.output<typeof settings>, 'smart' | 'country'>

export interface SmppConfig extends Settings {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly systemId: string
  readonly password: string
  readonly smart: boolean
  readonly country?: CountryCode | undefined
}

export function readSmppUrl(text: string): SmppConfig {
  const url = parse(text)
  const [systemId, password] = [plain(url.username), plain(url.password)]
  if (!systemId) throw new Error('SMPP_URL names no system_id: write it before the @.')
  if (systemId.length > 15) throw new Error('SMPP_URL: system_id has at most 15 characters.')
  const read = settings.safeParse(Object.fromEntries(url.searchParams))
  if (!read.success) throw new Error(`SMPP_URL: ${read.error.issues.map(sentenceOf).join('; ')}.`)
  const tls = url.protocol === 'ssmpp:'
  const { smart, ...rest } = read.data
  return {
    ...rest,
    source: rest.source || rest.account,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (tls ? 3550 : 2775),
    tls,
    systemId,
    password,
    smart: smart === '1',
  }
}

function parse(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.hostname && ['smpp:', 'ssmpp:'].includes(url.protocol)) return url
  throw new Error('SMPP_URL reads smpp://system_id:password@host:port, or ssmpp:// for TLS.')
}

function plain(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new Error('SMPP_URL: write % as %25 in the system_id and the password.')
  }
}

const sentenceOf = (issue: z.core.$ZodIssue): string =>
  issue.code === 'unrecognized_keys' ? `${issue.keys.join(', ')} is no setting of it` : issue.message
