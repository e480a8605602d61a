// The SMSC simulator of docker-compose.yml: what a phone sends reaches an agent, and the agent's answer the phone.
import { listConversations } from '../../../src/client/rest'
import { eventually } from '../../support/eventually'
import { newFolder, removeFolder } from '../../support/gateway'
import { agentIn, hire, say } from '../../support/people'
import { connectorProcess, fixedPort, Process } from '../../support/process'
import { withGateway } from '../../support/with-gateway'

const PHONE = '+491701234567'
/** Three parts, in UCS-2 for its euro sign's neighbour. */
const LONG = 'Wo ist mein Päckchen? ☺ '.repeat(8).trim()

describe('the SMSC simulator', () => {
  const gateway = withGateway()
  let simulator: Process
  let connector: Process
  let dataDir: string
  let phones: string
  beforeAll(async () => {
    dataDir = await newFolder()
    const [smpp, http] = [await fixedPort(), await fixedPort()]
    phones = `http://127.0.0.1:${http}`
    const command = ['dist/connectors/sms/simulator.js', String(smpp), String(http)]
    simulator = new Process({ command, settings: {}, ready: 'No message reaches a real phone.' })
    await simulator.start()
    const SMPP_URL = `smpp://fairlead:trying@127.0.0.1:${smpp}?account=12345`
    connector = connectorProcess('sms', { url: gateway.url, dataDir, SMPP_URL })
    await connector.start()
  })
  afterAll(async () => {
    await connector.end()
    await simulator.end()
    await removeFolder(dataDir)
  })
  const send = (body: string) => fetch(`${phones}/${PHONE}`, { method: 'POST', body })
  const received = async () =>
    ((await (await fetch(`${phones}/${PHONE}`)).json()) as { received: { from: string; text: string }[] }).received

  it('carries a text in parts to an agent, an answer back to the phone, and the receipt', async () => {
    const { token } = await hire(gateway.url, 'bo')
    await eventually(async () => (await send(LONG)).status === 200)
    const find = async () => (await listConversations(gateway.url, token)).conversations[0]?.id
    await eventually(async () => (await find()) !== undefined)
    const conversationId = (await find())!
    const bo = await agentIn(gateway.url, conversationId, token)
    await eventually(() => bo.words().includes(LONG))
    await bo.call('sendMessage', say(conversationId, 'It leaves today.'))
    await eventually(async () => expect(await received()).toEqual([{ from: '12345', text: 'It leaves today.' }]))
    await eventually(() => expect(JSON.stringify(bo.heard)).toContain('"delivered"'))
    bo.close()
  })
  it('says in a sentence what it does not take', async () => {
    const sentence = async (answer: Response) => [answer.status, ((await answer.json()) as { error: string }).error]
    expect(await sentence(await fetch(`${phones}/nowhere%20at%20all`))).toEqual([404, expect.stringContaining('+49')])
    expect(await sentence(await send('x'.repeat(2_001)))).toEqual([400, expect.stringContaining('2000 bytes')])
    expect(await sentence(await send(''))).toEqual([400, expect.stringContaining('2000 bytes')])
  })
})
