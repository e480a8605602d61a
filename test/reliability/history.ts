// What senders said and what they were told, in the order in which it happened, written as Jepsen does.
import { writeFile } from 'node:fs/promises'

/**
 * `invoke`: it was said; `ok`: it was acknowledged; `fail`: it was refused for good. `info`: nobody knows, for the connection
 * was lost, or it was refused for now; it is said again under the same key.
 */
export type Outcome = 'invoke' | 'ok' | 'fail' | 'info'
export interface Entry {
  readonly outcome: Outcome
  /** Milliseconds since the start. */
  readonly at: number
  readonly conversation: string
  readonly sender: string
  /** Through which door. */
  readonly node: string
  readonly messageId: string
  /** The sender's own count of its messages. */
  readonly number: number
  /** Of an acknowledgement, by the count of the sender's audience. */
  readonly seq?: number
  /** Of a refusal; absent when the connection was lost. */
  readonly code?: number
}

export class History {
  readonly entries: Entry[] = []

  note(entry: Omit<Entry, 'at'>): void {
    this.entries.push({ ...entry, at: Math.round(performance.now() * 10) / 10 })
  }
  of(conversation: string): Entry[] {
    return this.entries.filter((entry) => entry.conversation === conversation)
  }
  /** One entry a line. */
  async save(path: string): Promise<void> {
    await writeFile(path, this.entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
  }
}
