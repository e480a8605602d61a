// The SMS journey with real processes: an SMSC that is not ours, the connector and the gateway, each killed between any two steps.
import { connect, type ChannelClient } from '../../src/client/channel-client'
import type { Conversation } from '../../src/client/conversation'
import type { ConversationView } from '../../src/client/conversation-view'
import { listConversations } from '../../src/client/rest'
import { Cluster } from '../support/cluster'
import { eventually } from '../support/eventually'
import { newFolder, removeFolder } from '../support/gateway'
import { hire, login, request } from '../support/people'
import { connectorProcess, gatewayProcess, type Process } from '../support/process'
import { startSmsc, type Smsc } from '../support/smsc/smsc'

/** A step may wait for a killed process to come back, and for its peers to notice. */
const PATIENCE = 30_000
const CUSTOMER = { from: '+491701234567', to: '12345' }
const [FIRST, ANSWER, SECOND] = ['Where is my parcel?', 'It leaves today.', 'Thank you!']

interface Town {
  readonly smsc: Smsc
  /** Where REST is asked, and what may be killed. */
  readonly gateway: Pick<Process, 'start' | 'end'> & { readonly url: string }
  readonly connector: Process
  readonly dataDir: string
  readonly token: string
  readonly agent: ChannelClient
}

let closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
})

async function build(): Promise<Town> {
  const dataDir = await newFolder()
  closing.push(() => removeFolder(dataDir))
  const gateway = await gatewayProcess(dataDir)
  closing.push(() => gateway.end())
  await gateway.start()
  return { gateway, dataDir, ...(await people(dataDir, { ofAgent: gateway.url, ofConnector: gateway.url })) }
}

async function people(dataDir: string, { ofAgent, ofConnector }: { ofAgent: string; ofConnector: string }) {
  const smsc = await startSmsc()
  closing.push(() => smsc.stop())
  const connector = connectorProcess('sms', { url: ofConnector, dataDir, SMPP_URL: smsc.url() })
  closing.push(() => connector.end())
  await connector.start()
  const { token } = await hire(ofAgent, 'bo')
  const agent = connect({ url: ofAgent, token })
  closing.push(() => agent.close())
  return { smsc, connector, token, agent }
}

type Step = (town: Town) => unknown
interface Journey {
  readonly steps: readonly Step[]
  readonly conversation: () => Conversation
}

function journey(): Journey {
  let joined: Conversation | undefined
  const conversation = () => joined!
  const said = (text: string) => textsOf(conversation().view).filter((one) => one === text).length
  const steps: Step[] = [
    async ({ smsc }) => smsc.deliverSms({ ...CUSTOMER, text: FIRST }),
    // It opens a conversation, which the agent finds and joins.
    async ({ gateway, token, agent }) => {
      await eventually(async () => {
        const { conversations } = await listConversations(gateway.url, token)
        joined ??= conversations.map(({ id }) => agent.join({ conversationId: id }))[0]
        return joined !== undefined
      }, PATIENCE)
      await eventually(() => expect(said(FIRST)).toBe(1), PATIENCE)
    },
    async () => conversation().send(ANSWER),
    ({ smsc }) => eventually(() => expect(smsc.texts().map(({ text }) => text)).toContain(ANSWER), PATIENCE),
    () =>
      eventually(() => {
        const { view } = conversation()
        const { id = '' } = view.messages.find((one) => one.type === 'ChatMessage' && one.text === ANSWER)!
        expect(view.receiptOf(id)).toBe('delivered')
      }, PATIENCE),
    async ({ smsc }) => smsc.deliverSms({ ...CUSTOMER, text: SECOND }),
    () => eventually(() => expect(said(SECOND)).toBe(1), PATIENCE),
    () => conversation().end(),
    () => eventually(() => conversation().view.ended, PATIENCE),
  ]
  return { steps, conversation }
}
const textsOf = ({ messages }: ConversationView) =>
  messages.flatMap((one) => (one.type === 'ChatMessage' ? [one.text] : []))

/** What stands at the end, whatever was killed on the way. */
async function check({ gateway, smsc, token, connector }: Town, { view, id }: Conversation): Promise<void> {
  expect(view.messages.map(({ seq }) => seq)).toEqual(view.messages.map((_, index) => index + 1))
  expect(textsOf(view)).toEqual([FIRST, ANSWER, SECOND])
  expect(view.messages.filter((one) => 'activityType' in one && one.activityType === 'delivered')).toHaveLength(1)
  expect(view.messages.some((one) => 'activityType' in one && one.activityType === 'failed')).toBe(false)
  for (const state of ['active', 'ended'] as const) {
    const { conversations } = await listConversations(gateway.url, token, { state })
    expect(conversations.map((one) => one.id)).toEqual(state === 'ended' ? [id] : [])
  }
  const { json, status } = await request(gateway.url, `/api/customer/transcript/${id}/json`, {}, token)
  expect(status).toBe(200)
  expect((json['lines'] as { text: string }[]).map(({ text }) => text)).toEqual([FIRST, ANSWER, SECOND])
  // One answer, one delivery: what the SMSC saw twice was the same delivery, given to the connector twice.
  const taken = deliveriesOf(connector)
  const submits = smsc.submitted()
  expect(new Set(taken).size).toBe(1)
  expect(new Set(submits.map(({ text }) => text))).toEqual(new Set([ANSWER]))
  expect(submits.length).toBeLessThanOrEqual(taken.length)
}

/** The deliveries that a connector took on, in order, as often as it did. */
function deliveriesOf(connector: Process): string[] {
  const lines = connector.output.split('\n').filter((line) => line.includes('"Delivering"'))
  return lines.map((line) => (JSON.parse(line) as { deliveryId: string }).deliveryId)
}

it('an SMS opens a conversation, the answer leaves once and is delivered, and every line is in the transcript once', async () => {
  const town = await build()
  const { steps, conversation } = journey()
  for (const step of steps) await step(town)
  await check(town, conversation())
  expect(town.smsc.submitted()).toHaveLength(1)
  expect(deliveriesOf(town.connector)).toHaveLength(1)
}, 60_000)

it.each(['connector', 'gateway'] as const)(
  'the same journey with the %s killed between each two steps loses nothing, and doubles only the same delivery',
  async (victim) => {
    const town = await build()
    const { steps, conversation } = journey()
    let kills = 0
    let restarted = Promise.resolve()
    for (const step of steps) {
      // The step begins while the victim is still down.
      await step(town)
      await restarted
      await town[victim].end('SIGKILL')
      kills += 1
      restarted = town[victim].start()
    }
    await restarted
    await eventually(() => town.agent.state === 'connected', PATIENCE)
    await check(town, conversation())
    const { length } = town.smsc.submitted()
    console.log(
      `${victim}: ${kills} kills, ${length} submit_sm for one answer, ${deliveriesOf(town.connector).length} taken`,
    )
  },
  180_000,
)

it('the same journey with agent, connector and a silent supervisor on three nodes, and Redis killed under each step', async () => {
  const [dataDir, cluster] = [await newFolder(), await Cluster.start()]
  closing.push(
    () => removeFolder(dataDir),
    () => cluster.close(),
  )
  const [here, there, elsewhere] = cluster.nodes.map(({ process, url }) => Object.assign(process, { url }))
  const town = {
    gateway: elsewhere!,
    dataDir,
    ...(await people(dataDir, { ofAgent: here!.url, ofConnector: there!.url })),
  }
  const supervisor = connect({ url: elsewhere!.url, token: await login(elsewhere!.url) })
  closing.push(() => supervisor.close())
  const { steps, conversation } = journey()
  let watched: Conversation | undefined
  let kills = 0
  for (const step of steps) {
    await cluster.redis.signal('SIGKILL')
    kills += 1
    // Every other step ends while Redis is still away; the others find it empty.
    if (kills % 2 === 0) await cluster.redis.start()
    await step(town)
    if (kills % 2 === 1) await cluster.redis.start()
    if (kills === 2) watched = supervisor.join({ conversationId: conversation().id, silent: true })
  }
  await eventually(() => watched?.view.ended === true, PATIENCE)
  await check(town, conversation())
  expect(town.smsc.submitted()).toHaveLength(1)
  expect(textsOf(watched!.view)).toEqual([FIRST, ANSWER, SECOND])
  // Each node says a few times for each outage what is wrong, and not at every attempt.
  expect(cluster.errors.length).toBeLessThanOrEqual(kills * cluster.nodes.length * 4)
  console.log(`three nodes: Redis killed ${kills} times, ${cluster.errors.length} lines about it`)
}, 180_000)
