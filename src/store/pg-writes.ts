// What a decision writes besides events, as rows of the JSON that `commit_batch_1` takes.
import { sliceOf } from '../model/slice'
import {
  isDeliveryWrite,
  isReceiptWrite,
  type DeliveryWrite,
  type NotifiedWrite,
  type ReceiptWrite,
} from './write-groups'
import type { Write } from './writes'

/** The columns of a row, but its tenant. */
export type Cells = Readonly<Record<string, string | number | boolean | null>>
type Row = readonly [group: string, cells: Cells]

export function writtenRows(write: Write): readonly Row[] {
  if (isDeliveryWrite(write)) return [deliveryRow(write)]
  return isReceiptWrite(write) ? receiptRows(write) : [notifiedRow(write)]
}

const deliveryRow = (write: DeliveryWrite): Row =>
  write.kind === 'deliver' ? ['deliver', deliverCells(write)] : ['settle', settleCells(write)]

function receiptRows(write: ReceiptWrite): readonly Row[] {
  switch (write.kind) {
    case 'parts':
      return write.keys.map(({ channel, account, providerId }) => [
        'parts',
        { channel, account, provider_id: providerId, delivery_id: write.deliveryId },
      ])
    case 'partDelivered':
    case 'unpark':
      return [[write.kind, keyCells(write)]]
    case 'park': {
      const { state, reason } = write.receipt
      return [['park', { ...keyCells(write), state, reason, expires_at: write.expiresAt }]]
    }
    case 'receipt': {
      const { conversationId, messageId, recipient, state } = write
      return [['receipt', { conversation_id: conversationId, message_id: messageId, recipient, state }]]
    }
  }
}

function notifiedRow(write: NotifiedWrite): Row {
  switch (write.kind) {
    case 'notification': {
      const { id, keyId, to, state, reason, createdAt, expiresAt } = write.notification
      const { channel, account, refId } = to
      const cells = { id, key_id: keyId, channel, account, ref_id: refId, state, reason }
      return ['notification', { ...cells, created_at: createdAt, expires_at: expiresAt }]
    }
    case 'suppress':
    case 'unsuppress': {
      const { channel, account, refId } = write.address
      return ['suppression', { channel, account, ref_id: refId, listed: write.kind === 'suppress' }]
    }
    case 'countQuota':
      return ['quota', { key_id: write.keyId, day: write.day }]
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
    slice: sliceOf(to),
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
