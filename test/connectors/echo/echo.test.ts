// The smallest connector keeps the contract and answers like an echo.
import { createEchoConnector } from '../../../connectors/echo/index'
import { connectorContract, outgoing, RecordingGateway } from '../../contracts/connector.contract'

connectorContract('echo', async () => {
  const connector = createEchoConnector()
  const bring = (text: string) =>
    connector.deliver(outgoing({ text })).then(
      () => true,
      () => false,
    )
  return { connector, bring, close: () => Promise.resolve() }
})

it('says back what it was to deliver', async () => {
  const connector = createEchoConnector()
  const gateway = new RecordingGateway()
  await connector.start(gateway)
  const message = outgoing({ text: 'good morning' })
  await connector.deliver(message)
  expect(gateway.received).toEqual([
    { from: message.to, account: '12345', text: 'echo: good morning', externalMessageId: message.deliveryId },
  ])
})
