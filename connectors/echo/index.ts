// The smallest connector, a folder to copy from: whatever it is to deliver is delivered, and comes back as said by the customer.
import { type Connector, DeliveryError, type Gateway } from '../connector'

export function createEchoConnector(): Connector {
  let gateway: Gateway | undefined
  return {
    channel: 'echo',
    name: 'Echo',
    async start(to) {
      gateway = to
    },
    async deliver({ deliveryId, to, account, text }) {
      if (!gateway) throw new DeliveryError('closed', { retryable: true })
      try {
        await gateway.receive({ from: to, account, text: `echo: ${text}`, externalMessageId: deliveryId })
        await gateway.report({ providerMessageId: deliveryId, account, state: 'delivered' })
      } catch (cause) {
        throw new DeliveryError('gateway', { retryable: true, cause })
      }
      return { providerMessageIds: [deliveryId] }
    },
    async close() {
      gateway = undefined
    },
  }
}
