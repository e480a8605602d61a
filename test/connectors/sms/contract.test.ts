// The SMS connector keeps the contract against an SMSC that is not ours.
import { createSmsConnector } from '../../../connectors/sms/index'
import { connectorContract } from '../../contracts/connector.contract'
import { eventually } from '../../support/eventually'
import { startSmsc } from '../../support/smsc/smsc'

connectorContract('sms', async () => {
  const smsc = await startSmsc()
  let stopped = false
  return {
    connector: createSmsConnector({ url: smsc.url() }),
    async bring(text) {
      const [delivery = 0] = await smsc.deliverSms({ from: '+491701234567', to: '12345', text })
      await eventually(() => stopped || smsc.answers(delivery).length > 0)
      return smsc.answers(delivery)[0] === 0
    },
    close: () => {
      stopped = true
      return smsc.stop()
    },
  }
})
