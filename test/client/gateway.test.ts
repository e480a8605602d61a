// The client and the connectors' host against the real gateway, through a restart of it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hostConnector } from '../../connectors/host'
import { createEchoConnector } from '../../connectors/echo/index'
import { connect, type ChannelClient } from '../../src/client/channel-client'
import type { Conversation } from '../../src/client/conversation'
import { init, listConversations, login, renewToken } from '../../src/client/rest'
import { readConfig } from '../../src/config'
import { startGateway, type Gateway } from '../../src/gateway'
import { eventually } from '../support/eventually'

const KEY = 'a-key-of-the-echo-connector'
const ada = { username: 'ada', password: 'correct horse battery' }
let folder: string
let gateway: Gateway
let clients: ChannelClient[]

/** How far the gateway's clock goes ahead, in milliseconds. */
let ahead = 0
async function start(port = 0): Promise<void> {
  const place = { DATA_DIR: folder, PORT: String(port), METRICS_PORT: '0', BASE_PATH: '/chat', LOG_LEVEL: 'error' }
  const admin = { ADMIN_USER: ada.username, ADMIN_PASSWORD: ada.password, CONNECTOR_KEYS: `echo:${KEY}` }
  const config = readConfig({ ...place, ...admin, RATE_LIMITS: 'off', CUSTOMER_AUTH: 'token', IDLE_END: '0' })
  gateway = await startGateway(config, { now: () => new Date(Date.now() + ahead) })
}
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fairlead-client-'))
  clients = []
  ahead = 0
  await start()
})
afterEach(async () => {
  for (const client of clients) client.close()
  await gateway.close()
  await rm(folder, { recursive: true })
})

function open(token?: string): ChannelClient {
  const client = connect({ url: gateway.url, ...(token === undefined ? {} : { token }) })
  clients.push(client)
  return client
}
async function enterAsCustomer(): Promise<Conversation> {
  const { conversationId, participant, token } = await init(gateway.url, { channel: 'web', email: 'nadia@example.com' })
  const conversation = open().join({ conversationId, ...participant, token })
  await conversation.ready()
  return conversation
}
const texts = ({ view }: Conversation) =>
  view.messages.flatMap((message) => (message.type === 'ChatMessage' ? [message.text] : []))

it('lets both sides talk in one order, tells staff of a new conversation, and keeps a whisper among them', async () => {
  const { token } = await login(gateway.url, ada)
  const desk = open(token)
  const begun: string[] = []
  desk.on('initConversation', ({ conversationId }) => begun.push(conversationId))
  await eventually(() => desk.state === 'connected')
  const customer = await enterAsCustomer()
  await eventually(() => begun.includes(customer.id))
  const listed = await listConversations(gateway.url, token, { state: 'active' })
  expect(listed.conversations.map(({ conversationId }) => conversationId)).toEqual([customer.id])
  const agent = desk.join({ conversationId: customer.id })
  await agent.ready()
  await customer.send('one')
  const { id } = await agent.send('two')
  await agent.send({ text: 'hidden', tag: 'whisper' })
  await customer.send('three')
  await customer.receipt('read', id!)
  await eventually(() => agent.view.receiptOf(id!) === 'read')
  expect(texts(agent)).toEqual(['one', 'two', 'hidden', 'three'])
  expect(texts(customer)).toEqual(['one', 'two', 'three'])
  for (const { view } of [agent, customer])
    expect(view.messages.map(({ seq }) => seq)).toEqual(view.messages.map((_message, index) => index + 1))
  let ended = 0
  customer.on('ended', () => (ended += 1))
  await agent.end()
  await eventually(() => ended === 1)
  await expect(customer.send('too late')).rejects.toMatchObject({ code: 'conversationEnded', status: 410 })
})

it('loses nothing and says nothing twice while the gateway restarts', async () => {
  const customer = await enterAsCustomer()
  const heard: string[] = []
  customer.on('message', ({ text }) => heard.push(text))
  await customer.send('before')
  const port = Number(new URL(gateway.url).port)
  await gateway.close()
  const sends = Promise.all(['during one', 'during two'].map((text) => customer.send(text)))
  await start(port)
  const replies = await sends
  expect(heard).toEqual(['before', 'during one', 'during two'])
  expect(new Set(replies.map(({ id }) => id)).size).toBe(2)
  const { token } = await login(gateway.url, ada)
  const agent = open(token).join({ conversationId: customer.id })
  await agent.ready()
  await eventually(() => texts(agent).length === 3)
  expect(texts(agent)).toEqual(heard)
}, 60_000)

it('renews a customer’s token, without which the handle opens nothing', async () => {
  const { conversationId, participant, token } = await init(gateway.url, { channel: 'web', email: 'kim@example.com' })
  const renewed = await renewToken(gateway.url, { conversationId, id: participant.id, token })
  const conversation = open().join({ conversationId, id: participant.id, token: renewed.token })
  await conversation.ready()
  const stranger = open().join({ conversationId, id: participant.id })
  await expect(stranger.ready()).rejects.toMatchObject({ code: 'unauthorized' })
})

it('hosts a connector that brings, delivers and reports, also after a restart', async () => {
  const echo = createEchoConnector()
  let bring: (text: string) => Promise<void> = () => Promise.reject(new Error('not started'))
  const start1 = echo.start.bind(echo)
  echo.start = (to) => {
    bring = (text) => to.receive({ from: '+491701234567', account: '', text, externalMessageId: text })
    return start1(to)
  }
  const host = await hostConnector({ url: gateway.url, key: KEY, connector: echo })
  try {
    await bring('first')
    const { token } = await login(gateway.url, ada)
    const { conversations } = await listConversations(gateway.url, token)
    const agent = open(token).join({ conversationId: conversations[0]!.conversationId })
    await agent.ready()
    await agent.send('hello')
    await eventually(() => texts(agent).includes('echo: hello'))
    const port = Number(new URL(gateway.url).port)
    await gateway.close()
    const second = agent.send('again')
    await start(port)
    await second
    await eventually(() => texts(agent).includes('echo: again'), 20_000)
    expect(texts(agent)).toEqual(['first', 'hello', 'echo: hello', 'again', 'echo: again'])
    const [, hello] = agent.view.messages.filter(({ type }) => type === 'ChatMessage')
    await eventually(() => agent.view.receiptOf(hello!.id!) === 'delivered')
  } finally {
    await host.close()
  }
}, 60_000)

it.each(['join', 'connection'])('outlives the token of its seat, given with the %s: nothing is lost', async (where) => {
  const { conversationId, participant, token } = await init(gateway.url, { channel: 'web', email: 'n@example.com' })
  ahead = 20 * 3_600_000
  // Joined with an old token, it is given a fresh one.
  const client = open(where === 'connection' ? token : undefined)
  const customer = client.join({ conversationId, ...participant, ...(where === 'join' && { token }) })
  await customer.ready()
  const errors: unknown[] = []
  client.on('error', (error) => errors.push(error))
  customer.on('error', (error) => errors.push(error))
  ahead = 25 * 3_600_000
  const agent = open((await login(gateway.url, ada)).token).join({ conversationId })
  await agent.ready()
  await agent.send('heard by whom it tells that the seat has ended')
  await eventually(() => texts(customer).length === 1)
  // Taken again with a token that is over at 44 h, when there is one already that is over at 49 h.
  ahead = 45 * 3_600_000
  expect(await customer.send('said into a seat that has ended')).toMatchObject({ code: 200 })
  expect(texts(customer)).toHaveLength(2)
  expect([customer.state, errors]).toEqual(['connected', []])
})
