// What every vault must agree on: which keys there are, so that none leads out of the vault.
import { GatewayError } from '../model/errors'

const KEY = /^[A-Za-z0-9_-]{22,64}(\.[a-z0-9]{1,8})?$/

/** @throws GatewayError `invalidRequest` */
export function checkKey(key: string): void {
  if (!KEY.test(key)) throw new GatewayError('invalidRequest', 'There can be no file under such a name.')
}

export const closedVault = (): GatewayError =>
  new GatewayError('unavailable', 'The gateway is stopping. Send the file again.', { retryAfter: 1 })
