// Lays a batch out as the parameters of `commit_batch_1` and `commit_batch_2`: a column each, and what is rarer as JSON.
import type { Conversation } from '../model/conversation'
import type { Batch, ConversationRow } from './engine'
import { intArray, textArray } from './pg-array'
import type { Parameter, Statement } from './pg-pool'
import { toStoredJson } from './pg-text'
import { writtenRows, type Cells } from './pg-writes'
import { writePicture } from './stored-json'

const PARAMETERS = Array.from({ length: 25 }, (_, i) => `$${i + 1}`).join(', ')
const COMMIT: Statement = { name: 'commit', text: `select commit_batch_1(${PARAMETERS})` }
/** Enters besides where the customers of new conversations are reached. */
const COMMIT_OPENING: Statement = { name: 'commit-opening', text: `select commit_batch_2(${PARAMETERS})` }

export const commitStatement = ({ conversations }: Batch): Statement =>
  conversations.some(({ expected }) => expected === null) ? COMMIT_OPENING : COMMIT

/** @param now replaces the database's clock; null: it counts */
export function commitParameters(batch: Batch, now: string | null): Parameter[] {
  return [now, batch.now, ...conversationColumns(batch), ...eventColumns(batch), ...onceColumns(batch), rest(batch)]
}

function conversationColumns({ conversations }: Batch): Buffer[] {
  const text = (cell: (row: ConversationRow) => string | null) => textArray(conversations.map(cell))
  const int = (cell: (row: ConversationRow) => number | null) => intArray(conversations.map(cell))
  return [
    text(({ conversation }) => conversation.tenant),
    text(({ conversation }) => conversation.id),
    int(({ expected }) => expected),
    text(({ conversation }) => conversation.status),
    int(({ conversation }) => conversation.position),
    int(({ conversation }) => conversation.publicPosition),
    text(({ conversation }) => conversation.activeAt),
    int(({ conversation }) => (conversation.idleWarned ? 1 : 0)),
    text(({ conversation }) => conversation.endedAt),
    text(({ conversation, snapshotDue }) => (snapshotDue ? writePicture(conversation) : null)),
  ]
}
function eventColumns({ events }: Batch): Buffer[] {
  return [
    textArray(events.map(({ tenant }) => tenant)),
    textArray(events.map(({ conversationId }) => conversationId)),
    intArray(events.map(({ position }) => position)),
    intArray(events.map(({ publicPosition }) => publicPosition)),
    textArray(events.map(({ body }) => body)),
  ]
}
function onceColumns({ once }: Batch): Buffer[] {
  return [
    textArray(once.map(({ tenant }) => tenant)),
    textArray(once.map(({ scope }) => scope)),
    textArray(once.map(({ key }) => key)),
    textArray(once.map(({ conversationId }) => conversationId)),
    intArray(once.map(({ position }) => position)),
    textArray(once.map(({ note }) => note)),
    textArray(once.map(({ expiresAt }) => expiresAt)),
  ]
}

/** Everything else, by the name that the function knows it under; null where there is nothing. */
function rest({ conversations, writes }: Batch): string | null {
  const groups: Record<string, Cells[]> = {}
  const add = (name: string, cells: Cells): void => {
    const group = (groups[name] ??= [])
    // The order of arrival, where it matters.
    group.push({ n: group.length, ...cells })
  }
  for (const row of conversations) {
    const name = addressGroup(row)
    if (name) add(name, addressCells(row.conversation))
    if (row.expected === null) add('named', { ...addressCells(row.conversation), ended_at: row.conversation.endedAt })
  }
  for (const { tenant, write } of writes)
    for (const [name, cells] of writtenRows(write)) add(name, { tenant, ...cells })
  if (Object.keys(groups).length === 0) return null
  return JSON.stringify(groups, (_name, value: unknown) => (typeof value === 'string' ? toStoredJson(value) : value))
}

function addressGroup({ conversation, expected, snapshotDue }: ConversationRow): 'taken' | 'freed' | null {
  const { status, opening } = conversation
  if (!opening.carried) return null
  if (expected === null) return status === 'open' ? 'taken' : null
  return snapshotDue && status === 'ended' ? 'freed' : null
}
const addressCells = ({ tenant, id, opening: { address } }: Conversation): Cells => {
  const { channel, account, refId } = address
  return { tenant, channel, account, ref_id: refId, conversation_id: id }
}
