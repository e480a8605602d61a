// Attendance in memory, for one process.
import type { Tenant } from '../model/ids'
import type { AttendanceStore, Attendee } from './attendance-store'
import { keyOfAttendee } from './attendees'

interface Entry {
  readonly attendee: Attendee
  readonly node: string
  /** Milliseconds since 1970; null while here. */
  awayAt: number | null
  claimedUntil: number
}

export class MemoryAttendanceStore implements AttendanceStore {
  readonly #now: () => Date
  readonly #entries = new Map<string, Entry>()
  readonly #nodes = new Map<string, number>()

  constructor(deps: { now: () => Date }) {
    this.#now = deps.now
  }

  async beat(node: string, { aliveMs, graceMs }: { aliveMs: number; graceMs: number }): Promise<boolean> {
    const isKnown = this.#nodes.has(node)
    this.#nodes.set(node, this.#ms + aliveMs)
    for (const [other, until] of this.#nodes) if (until <= this.#ms) await this.close(other, graceMs)
    return isKnown
  }
  async close(node: string, graceMs: number): Promise<void> {
    this.#nodes.delete(node)
    for (const entry of this.#entries.values())
      if (entry.node === node && entry.awayAt === null) entry.awayAt = this.#ms + graceMs
  }

  async arrive(node: string, attendees: readonly Attendee[]): Promise<void> {
    for (const attendee of attendees) this.#put(attendee, node, null)
  }
  async depart(node: string, attendees: readonly Attendee[], graceMs: number): Promise<void> {
    for (const attendee of attendees) this.#put(attendee, node, this.#ms + graceMs)
  }
  #put(attendee: Attendee, node: string, awayAt: number | null): void {
    this.#entries.set(`${keyOfAttendee(attendee)}\n${node}`, { attendee, node, awayAt, claimedUntil: 0 })
  }

  async claimGone(tenant: Tenant, { limit, claimMs }: { limit: number; claimMs: number }): Promise<Attendee[]> {
    const due = this.#away(tenant).filter(({ awayAt, claimedUntil }) => awayAt <= this.#ms && claimedUntil <= this.#ms)
    await this.forget(due.flatMap(({ entry: { attendee } }) => (this.#isHere(attendee) ? [attendee] : [])))
    const gone = due.filter(({ entry: { attendee } }) => !this.#isHere(attendee))
    const claimed = gone.sort((a, b) => a.awayAt - b.awayAt).slice(0, limit)
    for (const { entry } of claimed) entry.claimedUntil = this.#ms + claimMs
    return [...new Map(claimed.map(({ entry }) => [keyOfAttendee(entry.attendee), entry.attendee])).values()]
  }
  async forget(attendees: readonly Attendee[]): Promise<void> {
    const keys = new Set(attendees.map(keyOfAttendee))
    for (const [name, { attendee, awayAt }] of this.#entries)
      if (keys.has(keyOfAttendee(attendee)) && awayAt !== null && awayAt <= this.#ms) this.#entries.delete(name)
  }
  async nextGoneIn(tenant: Tenant): Promise<number | null> {
    const ends = this.#away(tenant).map(({ awayAt }) => awayAt)
    return ends.length > 0 ? Math.max(0, Math.min(...ends) - this.#ms) : null
  }

  get #ms(): number {
    return this.#now().getTime()
  }
  #away(tenant: Tenant) {
    return [...this.#entries.values()].flatMap((entry) => {
      const { awayAt, claimedUntil, attendee } = entry
      return awayAt !== null && attendee.tenant === tenant ? [{ entry, awayAt, claimedUntil }] : []
    })
  }
  #isHere(attendee: Attendee): boolean {
    const key = keyOfAttendee(attendee)
    return [...this.#entries.values()].some(
      (entry) => keyOfAttendee(entry.attendee) === key && (entry.awayAt === null || entry.awayAt > this.#ms),
    )
  }
}
