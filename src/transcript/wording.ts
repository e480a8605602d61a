// The words of a document: its labels, its times in a zone, and the sentences about who came and went.
import { GatewayError } from '../model/errors'
import { ENGLISH, LABELS, type Labels } from './labels'
import type { Move, Observation } from './transcript'

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
type Unit = (typeof UNITS)[number]

export interface WordingOptions {
  /** BCP 47; what no machine knows counts as English. */
  readonly language: string
  /** IANA, such as `Asia/Karachi`. */
  readonly timeZone: string
}
const RIGHT_TO_LEFT = new Set(['ar', 'ur', 'fa', 'he', 'iw', 'ps', 'sd', 'ug', 'yi', 'ckb', 'dv'])

export class Wording {
  /** For `lang`: a canonical BCP 47 tag. */
  readonly language: string
  readonly timeZone: string
  readonly labels: Labels
  readonly direction: 'ltr' | 'rtl'
  readonly #day: Intl.DateTimeFormat
  /** Each takes as long as some hundred lines; a PDF's wording is asked for none of them in the gateway. */
  #time: Intl.DateTimeFormat | null = null
  #clock: Intl.DateTimeFormat | null = null
  /** A document may say the size of thousands of files. */
  readonly #sizes = new Map<Unit, Intl.NumberFormat>()

  /** Throws `invalidRequest` for a time zone that does not exist. */
  constructor({ language, timeZone }: WordingOptions) {
    this.language = canonical(language) ?? 'en'
    const primary = this.language.split('-')[0] ?? 'en'
    this.labels = (Object.hasOwn(LABELS, primary) ? LABELS[primary] : undefined) ?? ENGLISH
    // Words and times go together: a page that says "joined" says "January", too.
    const spoken = Object.hasOwn(LABELS, primary) ? this.language : 'en'
    this.direction = RIGHT_TO_LEFT.has(Object.hasOwn(LABELS, primary) ? primary : 'en') ? 'rtl' : 'ltr'
    try {
      this.#day = new Intl.DateTimeFormat(spoken, { timeZone, dateStyle: 'full' })
    } catch (cause) {
      throw new GatewayError('invalidRequest', 'There is no such time zone. Give one like Europe/Berlin.', {
        cause,
        details: ['timeZone'],
      })
    }
    this.timeZone = this.#day.resolvedOptions().timeZone
  }
  /** The language of the words, which is English where the dictionary has none. */
  get spoken(): string {
    return this.#day.resolvedOptions().locale
  }
  day(at: string): string {
    return this.#day.format(new Date(at))
  }
  time(at: string): string {
    this.#time ??= new Intl.DateTimeFormat(this.spoken, { timeZone: this.timeZone, timeStyle: 'short' })
    return this.#time.format(new Date(at))
  }
  /** `2030-01-31 23:59:00`, the same in every language. */
  clock(at: string): string {
    const { timeZone } = this
    this.#clock ??= new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
    return this.#clock.format(new Date(at))
  }
  /** What stands before the name and what behind it; the second is null where nobody is named. */
  sentence(entry: Move | Observation): readonly [before: string, after: string | null] {
    const [before = '', after = null] = this.labels[labelOf(entry)].split('{name}')
    return [before, after]
  }
  size(bytes: number): string {
    const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1)
    return this.#sizeIn(UNITS[step] ?? 'byte').format(bytes / 1_000 ** step)
  }
  #sizeIn(unit: Unit): Intl.NumberFormat {
    const known = this.#sizes.get(unit)
    if (known) return known
    const whole = { unitDisplay: 'long', maximumFractionDigits: 0 } as const
    const parts = { unitDisplay: 'short', maximumFractionDigits: 1 } as const
    const made = new Intl.NumberFormat(this.spoken, { style: 'unit', unit, ...(unit === 'byte' ? whole : parts) })
    this.#sizes.set(unit, made)
    return made
  }
}

function labelOf(entry: Move | Observation): keyof Labels {
  switch (entry.kind) {
    case 'joined':
    case 'observerJoined':
    case 'observerLeft':
      return entry.kind
    case 'left':
      return entry.reason
    case 'ended':
      return ENDINGS[entry.reason]
  }
}
const ENDINGS = {
  customer: 'endedByCustomer',
  agent: 'endedByAgent',
  inactivity: 'endedBySilence',
  system: 'endedBySystem',
} as const

/** For `lang`: whatever is no tag says nothing. */
export const languageTag = (text: string): string => canonical(text) ?? 'und'

function canonical(text: string): string | null {
  try {
    return Intl.getCanonicalLocales(text.slice(0, 35))[0] ?? null
  } catch {
    return null
  }
}
