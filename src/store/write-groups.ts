// Sorts writes by the tables that they touch, so that no engine needs one switch over all of them.
import type { Write } from './writes'

export type DeliveryWrite = Extract<Write, { kind: 'deliver' | 'settle' }>
export type ReceiptWrite = Extract<Write, { kind: 'parts' | 'partDelivered' | 'park' | 'unpark' | 'receipt' }>
export type NotifiedWrite = Exclude<Write, DeliveryWrite | ReceiptWrite>

const DELIVERY: Readonly<Record<DeliveryWrite['kind'], true>> = { deliver: true, settle: true }
const RECEIPT: Readonly<Record<ReceiptWrite['kind'], true>> = {
  parts: true,
  partDelivered: true,
  park: true,
  unpark: true,
  receipt: true,
}

export const isDeliveryWrite = (write: Write): write is DeliveryWrite => Object.hasOwn(DELIVERY, write.kind)
export const isReceiptWrite = (write: Write): write is ReceiptWrite => Object.hasOwn(RECEIPT, write.kind)
