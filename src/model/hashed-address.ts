// An address that is only ever compared: how the suppression list knows a customer who was erased.
import { createHash } from 'node:crypto'
import type { Address } from './participant'

/**
 * The same place on the list, with a hash where the refId stood. Whoever holds the list can try a number on it, which is
 * what the list is for, and cannot read one from it.
 */
export function hashedAddress({ channel, account, refId }: Address): Address {
  const hash = createHash('sha256')
    .update(JSON.stringify(['suppressed', channel, refId]))
    .digest('base64url')
  return { channel, account, refId: `sha256:${hash}` }
}
