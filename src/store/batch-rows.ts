// Turns what was decided into the rows that an engine writes.
import type { Conversation } from '../model/conversation'
import type { ConversationEvent } from '../model/events'
import type { Decision, Needs } from './conversation-store'
import type { Batch, ConversationRow, EventRow, OnceRow, WriteRow } from './engine'
import type { Write } from './writes'

/** Events after which a snapshot is written at the latest. */
const SNAPSHOT_EVERY = 64
/** Characters of an ISO 8601 time up to its minute. */
const MINUTES = 16

/** The rows of one call. */
export interface Rows {
  readonly events: readonly EventRow[]
  readonly once: readonly OnceRow[]
  readonly writes: readonly WriteRow[]
}
/** A conversation that a batch looks at: as it was read, and as it stands now. */
export interface Picture {
  conversation: Conversation
  readonly before: Conversation | null
}
interface Decided {
  readonly needs: Needs
  readonly decision: Decision
  readonly conversation: Conversation | null
  readonly events: readonly ConversationEvent[]
}

/** Made when the call is decided and not with the batch, so that what cannot be written as JSON fails this call alone. */
export function toRows({ needs, decision, conversation, events }: Decided): Rows {
  const { tenant } = needs
  return {
    events: events.map(toEventRow),
    once: toOnceRows(needs, decision, {
      conversationId: conversation?.id ?? '',
      position: events[decision.once?.event ?? 0]?.position ?? 0,
    }),
    writes: (decision.writes ?? []).map((write) => ({ tenant, write: named(write, events[0]) })),
  }
}

export function toBatch(rows: readonly Rows[], pictures: Iterable<Picture>, now: string): Batch {
  const conversations: ConversationRow[] = []
  for (const { conversation, before } of pictures) {
    if (before === conversation) continue
    const expected = before?.position ?? null
    conversations.push({ conversation, expected, snapshotDue: !before || isSnapshotDue(before, conversation) })
  }
  return {
    now,
    conversations,
    events: rows.flatMap(({ events }) => events),
    once: rows.flatMap(({ once }) => once),
    writes: rows.flatMap(({ writes }) => writes),
  }
}

export const isEmpty = (batch: Batch): boolean =>
  batch.conversations.length + batch.events.length + batch.once.length + batch.writes.length === 0

/** When more than messages came, and now and then: so that a replay stays short, and silence is found by the minute. */
function isSnapshotDue(before: Conversation, after: Conversation): boolean {
  return (
    before.status !== after.status ||
    before.memberships !== after.memberships ||
    before.idleWarned !== after.idleWarned ||
    Math.floor(before.position / SNAPSHOT_EVERY) !== Math.floor(after.position / SNAPSHOT_EVERY) ||
    !after.activeAt.startsWith(before.activeAt.slice(0, MINUTES))
  )
}

function toEventRow(event: ConversationEvent): EventRow {
  const { tenant, conversationId, position, publicPosition } = event
  return { tenant, conversationId, position, publicPosition, body: JSON.stringify(event) }
}

function toOnceRows(
  needs: Needs,
  { once }: Decision,
  bound: Pick<OnceRow, 'conversationId' | 'position'>,
): readonly OnceRow[] {
  if (!once || !needs.once) return []
  const { scope, key } = needs.once
  return [{ tenant: needs.tenant, scope, key, note: once.note, expiresAt: once.expiresAt, ...bound }]
}

/** `'first'` is the id of the decision's first event, known only now. */
function named(write: Write, first: ConversationEvent | undefined): Write {
  const isFirst =
    (write.kind === 'receipt' && write.messageId === 'first') ||
    (write.kind === 'deliver' && write.delivery.messageId === 'first')
  if (!isFirst) return write
  if (!first) throw new Error(`A write '${write.kind}' names the first event of a decision that has none`)
  if (write.kind === 'receipt') return { ...write, messageId: first.id }
  return { ...write, delivery: { ...write.delivery, messageId: first.id } }
}
