// The proxy of docker-compose.yml in front of two gateways on Postgres and Redis: every kind of client talks across both through it.
import { eventually } from '../support/eventually'
import { newFolder, removeFolder } from '../support/gateway'
import { checkConfiguration, startProxy } from '../support/haproxy'
import { init, login, post } from '../support/people'
import { PostgresServer } from '../support/postgres'
import { fixedPort, gatewayProcess } from '../support/process'
import { RedisServer } from '../support/redis'
import { openStock, STOCK_KINDS, type StockClient, type StockKind } from '../support/stock-clients'

type Node = Awaited<ReturnType<typeof gatewayProcess>> & { readonly metricsPort: string }

const nameOf = ({ version, transport }: StockKind) => `socket.io-client ${version} over ${transport}`
const words = ({ arrived }: StockClient) => arrived.map((body) => String(body['text'] ?? body['activityType']))
const say = (conversationId: string, text: string) => ({ conversationId, type: 'ChatMessage', text })

const closing: (() => unknown)[] = []
const nodes: Node[] = []
let postgres: PostgresServer
let url: string

beforeAll(async () => {
  const dataDir = await newFolder()
  closing.push(() => removeFolder(dataDir))
  const redis = await RedisServer.start()
  closing.push(() => redis.close())
  postgres = await PostgresServer.start()
  closing.push(() => postgres.close())
  for (let made = 0; made < 2; made++) {
    const metricsPort = String(await fixedPort())
    const more = { METRICS_PORT: metricsPort, TRUSTED_PROXIES: '127.0.0.1', DATABASE_POOL: '3' }
    const node = await gatewayProcess(dataDir, { DATABASE_URL: postgres.url(), REDIS_URL: redis.url, ...more })
    nodes.push(Object.assign(node, { metricsPort }))
    closing.push(() => node.end())
  }
  await Promise.all(nodes.map((node) => node.start()))
  const [one, two] = nodes.map((node) => new URL(node.url).port)
  const proxy = await startProxy({ 'gateway-1': one!, 'gateway-2': two! })
  closing.push(proxy.close)
  url = proxy.url
  // Both, and not only the first: from then on those who come are spread.
  await bothAreKnown()
}, 120_000)
afterAll(async () => {
  for (const close of closing.reverse()) await close()
}, 60_000)

async function openSockets({ metricsPort }: Node): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  return Number(/^fairlead_sockets_open (\d+)/m.exec(text)?.[1])
}
/** Two WebSockets at once, until each stands on a node of its own. */
async function bothAreKnown(): Promise<void> {
  await eventually(async () => {
    const [one, two] = await Promise.all([openAgent(), openAgent()])
    const counts = await Promise.all(nodes.map(openSockets))
    one.close()
    two.close()
    return counts.every((count) => count > 0)
  }, 20_000)
  await eventually(async () => (await Promise.all(nodes.map(openSockets))).every((count) => count === 0))
}
const openAgent = async () =>
  openStock({ version: 4, transport: 'websocket' }, { url, path: '/socket.io', bearer: await login(url) })

describe('the proxy', () => {
  it('finds no mistake in its configuration', async () => {
    expect(await checkConfiguration()).toContain('Configuration file is valid')
  })

  it.each(STOCK_KINDS.map((kind) => [nameOf(kind), kind] as const))(
    'lets %s talk with agents on both nodes',
    async (name, kind) => {
      const { conversationId, participant, token } = await init(url, { refId: name })
      const agents = [await openAgent(), await openAgent()]
      expect(await Promise.all(nodes.map(openSockets))).toEqual([1, 1])
      const ann = await openStock(kind, { url: `${url}/?token=${token}`, path: '/socket.io' })
      const joined = await ann.call('joinConversation', { conversationId, id: participant.id, token })
      expect(joined).toMatchObject({ code: 200, role: 'customer' })
      for (const agent of agents)
        expect(await agent.call('joinConversation', { conversationId })).toMatchObject({ code: 200 })

      expect(await ann.call('sendMessage', say(conversationId, 'hello'))).toMatchObject({ code: 200 })
      await eventually(() => agents.every((agent) => words(agent).includes('hello')))
      for (const [index, agent] of agents.entries()) {
        expect(await agent.call('sendMessage', say(conversationId, `answer ${index}`))).toMatchObject({ code: 200 })
        await eventually(() => words(ann).includes(`answer ${index}`))
      }
      for (const client of [ann, ...agents]) client.close()
      await eventually(async () => (await Promise.all(nodes.map(openSockets))).every((count) => count === 0))
    },
  )

  it('leaves out a node that goes, and a client finds the other', async () => {
    const { conversationId, participant, token } = await init(url, { refId: 'restart' })
    await nodes[0]!.end('SIGTERM')
    const open = () => openStock({ version: 4, transport: 'websocket' }, { url, path: '/socket.io' })
    const ann = await open()
    expect(await ann.call('joinConversation', { conversationId, id: participant.id, token })).toMatchObject({
      code: 200,
    })
    expect(await ann.call('sendMessage', say(conversationId, 'still here'))).toMatchObject({ code: 200 })
    ann.close()
  })

  it('lets the gateways refuse themselves, in words, when none is ready', async () => {
    await postgres.kill()
    await eventually(async () => {
      const { status, json } = await post(url, '/api/customer/init', { channel: 'web', refId: 'late' })
      expect([status, json]).toMatchObject([503, { error: { code: 'unavailable', retryable: true } }])
    })
  })
})
