// Lays a batch out as the parameters of `commit_batch_1`: a column each, and what is rarer as JSON.
import type { Conversation } from '../model/conversation'
import type { Batch, ConversationRow, WriteRow } from './engine'
import { intArray, textArray } from './pg-array'
import type { Parameter, Statement } from './pg-pool'
import { toStoredJson } from './pg-text'
import { writePicture } from './stored-json'
import type { NotifiedWrite } from './write-groups'
import type { Write } from './writes'

const PARAMETERS = 25
export const COMMIT: Statement = {
  name: 'commit',
  text: `select commit_batch_1(${Array.from({ length: PARAMETERS }, (_, i) => `$${i + 1}`).join(', ')})`,
}

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

type Cells = Readonly<Record<string, string | number | boolean | null>>
type Groups = Record<string, Cells[]>

/** Everything else, by the name that the function knows it under; null where there is nothing. */
function rest({ conversations, writes }: Batch): string | null {
  const groups: Groups = {}
  for (const row of conversations) addAddress(groups, row)
  for (const row of writes) addWrite(groups, row)
  if (Object.keys(groups).length === 0) return null
  return JSON.stringify(groups, (_name, value: unknown) => (typeof value === 'string' ? toStoredJson(value) : value))
}

function add(groups: Groups, name: string, cells: Cells): void {
  const group = (groups[name] ??= [])
  // The order of arrival, where it matters.
  group.push({ n: group.length, ...cells })
}
function addAddress(groups: Groups, { conversation, expected, snapshotDue }: ConversationRow): void {
  const { status, opening } = conversation
  if (!opening.carried) return
  if (expected === null && status === 'open') add(groups, 'taken', addressCells(conversation))
  if (expected !== null && snapshotDue && status === 'ended') add(groups, 'freed', addressCells(conversation))
}
const addressCells = ({ tenant, id, opening: { address } }: Conversation): Cells => {
  const { channel, account, refId } = address
  return { tenant, channel, account, ref_id: refId, conversation_id: id }
}

function addWrite(groups: Groups, { tenant, write }: WriteRow): void {
  switch (write.kind) {
    case 'deliver':
      return add(groups, 'deliver', { tenant, ...deliverCells(write) })
    case 'settle':
      return add(groups, 'settle', { tenant, ...settleCells(write) })
    case 'parts':
      for (const { channel, account, providerId } of write.keys)
        add(groups, 'parts', { tenant, channel, account, provider_id: providerId, delivery_id: write.deliveryId })
      return
    case 'partDelivered':
    case 'unpark':
      return add(groups, write.kind, { tenant, ...keyCells(write) })
    case 'park': {
      const { state, reason } = write.receipt
      return add(groups, 'park', { tenant, ...keyCells(write), state, reason, expires_at: write.expiresAt })
    }
    case 'receipt': {
      const { conversationId, messageId, recipient, state } = write
      return add(groups, 'receipt', {
        tenant,
        conversation_id: conversationId,
        message_id: messageId,
        recipient,
        state,
      })
    }
    default:
      addNotified(groups, tenant, write)
  }
}
function addNotified(groups: Groups, tenant: string, write: NotifiedWrite): void {
  switch (write.kind) {
    case 'notification': {
      const { id, keyId, to, state, reason, createdAt, expiresAt } = write.notification
      const { channel, account, refId } = to
      const cells = { tenant, id, key_id: keyId, channel, account, ref_id: refId, state, reason }
      return add(groups, 'notification', { ...cells, created_at: createdAt, expires_at: expiresAt })
    }
    case 'suppress':
    case 'unsuppress': {
      const { channel, account, refId } = write.address
      const listed = write.kind === 'suppress'
      return add(groups, 'suppression', { tenant, channel, account, ref_id: refId, listed })
    }
    case 'countQuota':
      return add(groups, 'quota', { tenant, key_id: write.keyId, day: write.day })
  }
}

function deliverCells({ delivery }: Extract<Write, { kind: 'deliver' }>): Cells {
  const { id, to, conversationId, messageId, recipient, notificationId, body, expiresAt } = delivery
  return {
    id,
    channel: to.channel,
    account: to.account,
    ref_id: to.refId,
    conversation_id: conversationId,
    message_id: messageId === 'first' ? null : messageId,
    recipient,
    notification_id: notificationId,
    body,
    expires_at: expiresAt,
  }
}
function settleCells({ deliveryId, lease, outcome }: Extract<Write, { kind: 'settle' }>): Cells {
  const due = outcome.state === 'due' ? outcome.at : null
  const reason = outcome.state === 'done' ? '' : outcome.reason
  return { id: deliveryId, lease, state: outcome.state, due_at: due, reason }
}
const keyCells = ({ key }: Extract<Write, { kind: 'partDelivered' | 'park' | 'unpark' }>): Cells => {
  const { channel, account, providerId } = key
  return { channel, account, provider_id: providerId }
}
