// Whom nobody may send notifications to: opt-out words put an address on the list, opt-in words take it off.
import { hashedAddress } from '../model/hashed-address'
import { channelName, type Address } from '../model/participant'
import type { Write } from '../store/writes'

/** Words of one channel and language; `*` for any. */
export interface Words {
  readonly channel: string
  readonly language: string
  readonly words: readonly string[]
}

export class Suppression {
  readonly #optOut: readonly Words[]
  readonly #optIn: readonly Words[]

  constructor(deps: { optOut: readonly Words[]; optIn: readonly Words[] }) {
    this.#optOut = deps.optOut
    this.#optIn = deps.optIn
  }

  /** What a customer's message means for the list, if the whole of it is such a word. Live replies are not concerned. */
  writesFor({ channel, refId }: Address, language: string, text: string): Write[] {
    // Who opts out on one of our numbers has opted out on all of them.
    const address = suppressedAs(channel, refId)
    const word = text.trim().toUpperCase()
    if (word === '' || word.length > 64) return []
    if (says(this.#optOut, channel, { language, word })) return [{ kind: 'suppress', address }]
    if (says(this.#optIn, channel, { language, word })) return optIn(address)
    return []
  }
}

/** Also for who was erased since they opted out. */
const optIn = (address: Address): Write[] => [
  { kind: 'unsuppress', address },
  { kind: 'unsuppress', address: hashedAddress(address) },
]

/** How an address stands on the list: without our own account. */
export const suppressedAs = (channel: string, refId: string): Address => ({ channel, account: '', refId })

function says(
  lists: readonly Words[],
  channel: string,
  { language, word }: { language: string; word: string },
): boolean {
  return lists.some(
    (list) =>
      (list.channel === '*' || channelName(list.channel) === channel) &&
      (list.language === '*' || language.toLowerCase().startsWith(list.language.toLowerCase())) &&
      list.words.some((known) => known.toUpperCase() === word),
  )
}
