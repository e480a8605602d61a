// What stands above a conversation in every document: where it took place, when, and who took part.
import { onOneLine } from './plain'
import type { Transcript } from './transcript'
import type { Wording } from './wording'

export interface Fact {
  readonly label: string
  readonly value: string
  /** In a document that has lists, each of these is an item. */
  readonly items?: readonly string[]
}

export function factsOf(transcript: Transcript, wording: Wording): Fact[] {
  const { labels, timeZone } = wording
  const { channel, account, subject, startedAt, endedAt, people } = transcript
  const names = people.map(({ name, role }) => `${onOneLine(name)} (${labels[role]})`)
  const facts: Fact[] = [
    { label: labels.subject, value: onOneLine(subject) },
    { label: labels.channel, value: onOneLine(channel) },
    { label: labels.account, value: onOneLine(account) },
    { label: labels.started, value: `${wording.clock(startedAt)} (${timeZone})` },
    { label: labels.finished, value: endedAt === null ? labels.running : `${wording.clock(endedAt)} (${timeZone})` },
    { label: labels.people, value: names.join(', '), items: names },
  ]
  return facts.filter(({ value }) => value !== '')
}
