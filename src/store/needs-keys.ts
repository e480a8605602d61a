// What a call lays its hands on, as keys: two calls with a key in common must not be decided on the same reading.
import type { Needs } from './conversation-store'
import type { Loaded } from './engine'

/** Known before anything is read: what the call names itself. */
export function namedKeys(needs: Needs): string[] {
  const { tenant, once, address, eventId, recipient, deliveryId, providerKeys = [], notificationId, quota } = needs
  const keys: string[] = []
  if (once) keys.push(`${tenant}\nonce\n${once.scope}\n${once.key}`)
  if (address) keys.push(`${tenant}\naddress\n${address.channel}\n${address.account}\n${address.refId}`)
  if (eventId && recipient) keys.push(`${tenant}\nreceipt\n${eventId}`)
  if (deliveryId) keys.push(`${tenant}\ndelivery\n${deliveryId}`)
  for (const { channel, account, providerId } of providerKeys)
    keys.push(`${tenant}\nprovider\n${channel}\n${account}\n${providerId}`)
  if (notificationId) keys.push(`${tenant}\nnotification\n${notificationId}`)
  if (quota) keys.push(`${tenant}\nquota\n${quota.keyId}`)
  return keys
}

/** Known only when it has been read: two provider ids may be parts of one delivery, and both raise one receipt. */
export function foundKeys(needs: Needs, loaded: Loaded): string[] {
  const { tenant } = needs
  const { delivery, event, notification } = loaded
  const keys: string[] = []
  const recipient = needs.recipient ?? delivery?.recipient
  const message = event?.id ?? needs.eventId
  if (recipient && message) keys.push(`${tenant}\nreceipt\n${message}\n${recipient}`)
  if (delivery) keys.push(`${tenant}\ndelivery\n${delivery.id}`)
  if (notification) keys.push(`${tenant}\nnotification\n${notification.id}`)
  return keys
}

/** Does it ask for more than the conversation and an idempotency key, which is assumed to be new until the commit says otherwise? */
export function isPrying(needs: Needs): boolean {
  const { address, eventId, recipient, deliveryId, carriedTo, providerKeys, notificationId, suppressed, quota } = needs
  const others = [address, eventId, recipient, deliveryId, carriedTo, providerKeys, notificationId, suppressed, quota]
  return others.some((need) => need !== undefined)
}

/**
 * Is it decided on rows that no conversation's position guards? Where others write to the same database, those must be
 * held: a delivery with its parts and its lease, a quota that is nearly used up.
 */
export const isUnguarded = ({ deliveryId, carriedTo, providerKeys = [], notificationId, quota }: Needs): boolean =>
  [deliveryId, carriedTo, notificationId, quota].some((need) => need !== undefined) || providerKeys.length > 0
