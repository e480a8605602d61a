// How long what ended is kept, by channel.
import { channelName } from '../model/participant'

const DAY_MS = 24 * 3_600_000

export interface Keeping {
  /** A channel's name, or `*` for those that are not named. */
  readonly channel: string
  /** Days from the end of a conversation; more than 0. */
  readonly days: number
}

export class Retention {
  readonly #days: ReadonlyMap<string, number>

  /** @param rules the last one counts where a channel is named twice; none: everything is kept */
  constructor(readonly rules: readonly Keeping[]) {
    this.#days = new Map(rules.map(({ channel, days }) => [channelName(channel), days]))
  }

  /** What ended before this time (ISO 8601) is due; null: it is kept until somebody has it erased. */
  endedBefore(channel: string, now: Date): string | null {
    const days = this.#days.get(channel) ?? this.#days.get('*')
    return days === undefined ? null : new Date(now.getTime() - days * DAY_MS).toISOString()
  }
}
