// Three nodes over one Postgres and one Redis: one is killed, stopped, restarted or paused, and nobody who talks through them notices more than a pause.
import { chanceOf } from '../malformed/chance'
import { carrier, inbound } from '../support/carrier'
import { Cluster } from '../support/cluster'
import { eventually } from '../support/eventually'
import { CONNECTOR_KEY } from '../support/gateway'
import { agentIn, connect, init, joining, login, say, type Reply } from '../support/people'
import { long } from './long'
import { accept, provider } from './provider'
import { Rooms } from './rooms'

const KILLS = long(6, 50)
const LONGEST_LIFE = 700
const GOES_ON_WITHIN = 15_000

let cluster: Cluster
beforeAll(async () => {
  cluster = await Cluster.start()
}, 60_000)
afterAll(() => cluster.close())

let closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.reverse()) close()
  closing = []
})
const kept = <T extends { close(): void }>(opened: T): T => {
  closing.push(() => opened.close())
  return opened
}
const rooms = async () => kept(await Rooms.open(cluster.doors, 3))
async function judged(opened: Rooms, row: string): Promise<void> {
  await opened.hush(GOES_ON_WITHIN)
  const { findings, line } = await opened.check()
  console.log(`${row}: ${line}`)
  expect(findings).toEqual([])
}

it('row 1: a node that is killed at any moment takes nothing acknowledged with it, and its people go on elsewhere', async () => {
  const chance = chanceOf(2, 0)
  const opened = await rooms()
  opened.speak()
  for (let kill = 0; kill < KILLS; kill++) {
    await new Promise((resolve) => setTimeout(resolve, chance.below(LONGEST_LIFE)))
    const { process } = chance.pick(cluster.nodes)
    await process.end('SIGKILL')
    if (kill % 2 === 0) await opened.goesOn(GOES_ON_WITHIN)
    await process.start()
  }
  await judged(opened, 'row 1')
}, 600_000)

it('row 2: a rolling restart shows no error to anybody who comes back', async () => {
  const opened = await rooms()
  opened.speak()
  for (const { process } of cluster.nodes) {
    expect(await process.end('SIGTERM')).toBe(0)
    await opened.goesOn(GOES_ON_WITHIN)
    await process.start()
  }
  await judged(opened, 'row 2')
  expect(opened.talkers.map(({ refusals }) => refusals)).toEqual(opened.talkers.map(() => 0))
}, 120_000)

it('row 3: a node that is paused beyond its lease and wakes up settles nothing that another has settled', async () => {
  const [first, second] = [cluster.nodes[0]!, cluster.nodes[1]!]
  const token = await login(second.url)
  const slow = kept(await provider(first.url, { instance: 'a' }))
  const herald = kept(await connect(second.url, { auth: { token: CONNECTOR_KEY.sms } }))
  const { conversationId } = await herald.call('sendMessage', inbound('+1', 'hello'))
  const bo = kept(await agentIn(second.url, String(conversationId), token))
  const { id } = await bo.call('sendMessage', say(String(conversationId), 'hi'))
  await eventually(() => slow.inHand.length === 1)
  first.process.signal('SIGSTOP')
  const quick = kept(await carrier(second.url, { register: { instance: 'b' } }))
  await eventually(() => expect(bo.words().at(-1)).toBe('sent'), GOES_ON_WITHIN)
  expect(quick.deliveries).toMatchObject([{ id, deliveryId: slow.inHand[0]!.deliveryId }])
  // The answer waits in the paused node's socket: it is the first thing that it reads.
  accept(slow.inHand[0]!)
  first.process.signal('SIGCONT')
  await cluster.isWell()
  const report = (state: string, providerMessageId: string) =>
    quick.call('sendMessage', { activityType: state, info: { providerMessageId } })
  await report('failed', `p ${slow.inHand[0]!.deliveryId}`)
  await report('delivered', `p ${String(id)}`)
  await eventually(() => expect(bo.words().slice(-2)).toEqual(['sent', 'delivered']))
}, 60_000)

it('row 3: a pause under load is a pause: whoever talked through that node resumes, and nothing is out of order', async () => {
  const opened = await rooms()
  opened.speak()
  await opened.goesOn()
  const { process } = cluster.nodes[0]!
  process.signal('SIGSTOP')
  // Longer than a lease, and than a client waits for a ping.
  await eventually(() => opened.behind(0).every(({ isSeated }) => !isSeated), GOES_ON_WITHIN)
  process.signal('SIGCONT')
  await opened.goesOn(GOES_ON_WITHIN)
  await judged(opened, 'row 3')
}, 60_000)

describe('row 13: of what is said ten times with one key on three nodes at once', () => {
  it('one is kept, and every answer is the same', async () => {
    const started = await init(cluster.nodes[0]!.url)
    const { conversationId } = started
    const tabs = await Promise.all(
      cluster.nodes.map(async ({ url }) => {
        const tab = kept(await connect(url))
        expect(await tab.call('joinConversation', joining(started))).toMatchObject({ code: 200 })
        return tab
      }),
    )
    for (let round = 0; round < 10; round++) {
      const body = say(conversationId, `round ${round}`, { messageId: `m${round}` })
      const calls = tabs.flatMap((tab) => Array.from({ length: 10 }, () => tab.call('sendMessage', body)))
      const replies = await Promise.all(calls)
      expect(replies[0]).toMatchObject({ code: 200, messageId: `m${round}` })
      for (const reply of replies) expect(reply).toEqual(replies[0])
    }
    expect(await linesOf(started)).toEqual(Array.from({ length: 10 }, (_, round) => `round ${round}`))
  })

  it('one is brought by a connector, and one conversation is opened', async () => {
    const heralds = await Promise.all(
      cluster.nodes.map(async ({ url }) => kept(await connect(url, { auth: { token: CONNECTOR_KEY.sms } }))),
    )
    const calls = heralds.flatMap((one) =>
      Array.from({ length: 10 }, () => one.call('sendMessage', inbound('+4913', 'hello'))),
    )
    const replies = await Promise.all(calls)
    expect(replies[0]).toMatchObject({ code: 200 })
    for (const reply of replies) expect(reply).toEqual(replies[0])
  })
})
/** What was said, as a newcomer on another node reads it. */
async function linesOf({ conversationId }: Awaited<ReturnType<typeof init>>): Promise<string[]> {
  const { url } = cluster.nodes[1]!
  const reader = kept(await agentIn(url, conversationId, await login(url)))
  return reader.arrived().flatMap(({ type, text }) => (type === 'ChatMessage' ? [String(text)] : []))
}

it('row 14: what a client said before it died, and says again on another node, is there once', async () => {
  const started = await init(cluster.nodes[0]!.url)
  const { conversationId } = started
  const keys = Array.from({ length: 12 }, (_, i) => `m${i}`)
  for (const [i, messageId] of keys.entries()) {
    const body = say(conversationId, messageId, { messageId })
    const dying = await connect(cluster.nodes[i % 3]!.url)
    dying.socket.emit('joinConversation', joining(started))
    dying.socket.emit('sendMessage', body)
    // Sometimes at once, sometimes when the node has had it for a moment; never after an answer.
    if (i % 2 === 0) await new Promise<void>((resolve) => dying.socket.io.engine.once('drain', () => resolve()))
    dying.socket.io.engine.close()
    const again = kept(await connect(cluster.nodes[(i + 1) % 3]!.url))
    await again.call('joinConversation', joining(started))
    const first: Reply = await again.call('sendMessage', body)
    expect(first).toMatchObject({ code: 200, messageId })
    expect(await again.call('sendMessage', body)).toEqual(first)
  }
  expect(await linesOf(started)).toEqual(keys)
})
