// A connector brings what its customer sent, with its bytes, and gets links to what it carries, through the host and a real gateway.
import type { Connector, Gateway, Outgoing } from '../../connectors/connector'
import { hostConnector, type Host } from '../../connectors/host'
import { eventually } from '../support/eventually'
import { CONNECTOR_KEY } from '../support/gateway'
import { agentIn, latest, login, say } from '../support/people'
import { bytesOf, png, upload } from '../support/uploading'
import { withGateway } from '../support/with-gateway'

const gateway = withGateway()
const carried: Outgoing[] = []
let provider: Gateway
let host: Host
const connector: Connector = {
  channel: 'sms',
  name: 'SMS',
  start: async (to) => void (provider = to),
  deliver: async (message) => {
    carried.push(message)
    return { providerMessageIds: [message.deliveryId] }
  },
  close: async () => undefined,
}
beforeAll(async () => {
  host = await hostConnector({ url: gateway.url, key: CONNECTOR_KEY.sms, connector })
})
afterAll(() => host.close())

describe('a connector', () => {
  it('uploads what its customer sent, and says it with their words', async () => {
    const from = '+4917012345'
    const content = await png()
    const picture = await provider.upload({ from, account: '', name: 'mms.png', content })
    expect(picture).toMatchObject({ type: 'image/png', name: 'mms.png' })
    await provider.receive({ from, account: '', text: 'look', attachments: [picture], externalMessageId: 'p1' })
    const { conversationId } = await conversationOf(from)
    const bo = await agentIn(gateway.url, conversationId, await login(gateway.url))
    const [seen] = (await latest(bo, 'look'))['attachments'] as { contentUrl: string; size: number }[]
    expect(seen!.size).toBe(content.length)
    expect((await fetch(seen!.contentUrl)).status).toBe(200)

    const file = { bytes: bytesOf('Kettle, 20'), name: 'prices.txt' }
    const { json } = await upload(gateway.url, conversationId, await login(gateway.url), file)
    await bo.call('sendMessage', say(conversationId, 'prices', { attachments: [json] }))
    await eventually(() => carried.length === 1)
    const answer = await fetch(carried[0]!.attachments[0]!.contentUrl)
    expect(await answer.text()).toBe('Kettle, 20')
  })
  it('is told when the gateway does not take it', async () => {
    const content = bytesOf('<html><script>x()</script>')
    const page = { from: '+49170', account: '', name: 'page.png', content }
    await expect(provider.upload(page)).rejects.toMatchObject({ code: 'unsupportedMediaType', retryable: false })
  })
})

async function conversationOf(refId: string): Promise<{ conversationId: string }> {
  const answer = await fetch(`${gateway.url}/api/agent/conversations?state=active`, {
    headers: { authorization: `Bearer ${await login(gateway.url)}` },
  })
  const { conversations } = (await answer.json()) as { conversations: { conversationId: string; refId: string }[] }
  return conversations.find((one) => one.refId === refId)!
}
