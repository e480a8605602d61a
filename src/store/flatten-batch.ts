// Lays a batch out as flat lists of cells, in the order in which the worker's statements want them.
import type { Conversation } from '../model/conversation'
import type { Batch, ConversationRow } from './engine'
import type { Cell, FlatBatch } from './sqlite-protocol'
import { writePicture } from './stored-json'

interface ConversationCells {
  readonly opened: Cell[]
  readonly named: Cell[]
  readonly changed: Cell[]
  readonly freed: Cell[]
  readonly taken: Cell[]
}

export function flattenBatch(batch: Batch): FlatBatch {
  const cells: ConversationCells = { opened: [], named: [], changed: [], freed: [], taken: [] }
  for (const row of batch.conversations) addConversation(cells, row)
  const events: Cell[] = []
  for (const { tenant, conversationId, position, publicPosition, body } of batch.events)
    events.push(tenant, conversationId, position, publicPosition, body)
  const once: Cell[] = []
  for (const { tenant, scope, key, conversationId, position, note, expiresAt } of batch.once)
    once.push(tenant, scope, key, conversationId, position, note, expiresAt)
  return { now: batch.now, ...cells, events, once, writes: batch.writes }
}

function addConversation(cells: ConversationCells, { conversation, expected, snapshotDue }: ConversationRow): void {
  const { tenant, id, status, position, publicPosition, activeAt, endedAt, opening } = conversation
  const idleWarned = conversation.idleWarned ? 1 : 0
  if (expected === null) {
    const picture = writePicture(conversation)
    cells.opened.push(tenant, id, status, position, publicPosition, activeAt, idleWarned, endedAt, picture)
    const { channel, account, refId } = opening.address
    cells.named.push(tenant, id, channel, account, refId, endedAt)
    if (opening.carried && status === 'open') addAddress(cells.taken, conversation)
  } else if (snapshotDue) {
    const picture = writePicture(conversation)
    cells.changed.push(status, position, publicPosition, activeAt, idleWarned, endedAt, picture, tenant, id)
    if (opening.carried && status === 'ended') addAddress(cells.freed, conversation)
  }
}

function addAddress(list: Cell[], { tenant, id, opening: { address } }: Conversation): void {
  list.push(tenant, address.channel, address.account, address.refId, id)
}
