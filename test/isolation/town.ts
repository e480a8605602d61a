// A gateway with conversations of others in it, and all that can be told about them: what strangers must not reach.
import type { Database } from '../../src/store/database'
import { DEFAULT_TENANT, type ConversationId } from '../../src/model/ids'
import { openMemory } from '../../src/store/open-database'
import { eventually } from '../support/eventually'
import { CONNECTOR_KEY, openGateway } from '../support/gateway'
import { agentIn, connect, customer, hire, login, post, request, say, type Someone } from '../support/people'

type Body = Record<string, unknown>
export type CustomerAuth = 'handle' | 'token'
/** Ours of two numbers on the channel, and a customer's. */
export const ACCOUNT = 'A'
export const PHONE = '+4915112345678'
export const UNKNOWN_PHONE = '+4915187654321'
/** The connector refuses what goes there. */
const DEAD_PHONE = '+4915100000000'

export type Town = Awaited<ReturnType<typeof openTown>>

export async function openTown(customerAuth: CustomerAuth) {
  const database = await openMemory()
  const gateway = await openGateway({ CUSTOMER_AUTH: customerAuth }, { database })
  const { url } = gateway
  const admin = await login(url)
  const bo = await hire(url, 'bo')
  const cy = await hire(url, 'cy')
  const zoe = await hire(url, 'zoe')
  const keys = await makeKeys(url, admin)
  const connector = await openConnector(url, keys.sms.secret)
  const web = await openWeb(url, [bo.token, cy.token])
  const sms = await openSms(url, connector, [bo.token, cy.token])
  const ended = { web: await endedWeb(url, bo.token), sms: await endedSms(url, connector, bo.token) }
  const ids = { ...(await openLeftovers(url, { connector, keys, agent: bo.token })), agent: bo.id, key: keys.sms.id }
  const victims = { web, sms }
  return {
    url,
    customerAuth,
    admin,
    agents: { bo, cy, zoe },
    keys,
    victims,
    ended,
    ids,
    /** All that could be changed: logs, members, accounts, keys, dead letters, the notification. */
    state: () => stateOf({ url, admin, database, keys, ids }, { victims, ended }),
    /** Says something in each live conversation; passes when it is exactly what everybody hears next. */
    sentinel: (text: string) => sentinel({ web, sms, connector }, text),
    close: async () => {
      for (const one of [connector, web.ann, web.bo, web.cy, sms.bo, sms.cy]) one.close()
      await gateway.close()
    },
  }
}

async function makeKeys(url: string, admin: string) {
  const make = async (kind: string, channel: string, account: string) => {
    const { json, text } = await post(url, '/api/admin/keys', { name: kind, kind, channel, account }, admin)
    const key = json['key'] as { id: string; secret: string } | undefined
    if (!key) throw new Error(text)
    return key
  }
  return {
    sms: await make('connector', 'sms', ACCOUNT),
    smsOfAnother: await make('connector', 'sms', 'B'),
    echo: { secret: CONNECTOR_KEY.echo },
    campaign: await make('thirdParty', 'sms', ACCOUNT),
    campaignOfAnother: await make('thirdParty', 'sms', 'B'),
    campaignElsewhere: await make('thirdParty', 'echo', ''),
    bot: await make('bot', 'web', ''),
  }
}

async function openConnector(url: string, token: string): Promise<Someone> {
  const connector = await connect(url, { auth: { token } })
  connector.socket.on('messageArrived', ({ refId }: Body, answer?: (reply: object) => void) => {
    if (refId === DEAD_PHONE) answer?.({ code: 400, retryable: false, reason: 'no such number' })
    else answer?.({ code: 200 })
  })
  const wish = { id: 'sms', channel: 'sms', account: ACCOUNT, acknowledges: true }
  const registered = await connector.call('registerConnector', wish)
  if (registered.code !== 200) throw new Error(JSON.stringify(registered))
  return connector
}

async function openWeb(url: string, [bo = '', cy = '']: readonly string[]) {
  const ann = await customer(url, { refId: PHONE, phone: PHONE, email: 'ann@example.org' })
  const { conversationId } = ann
  const [b, c] = [await agentIn(url, conversationId, bo), await agentIn(url, conversationId, cy)]
  await ann.call('sendMessage', say(conversationId, 'a word of Ann’s'))
  const hello = await b.call('sendMessage', say(conversationId, 'a word of Bo’s'))
  await b.call('sendMessage', say(conversationId, 'a whisper of Bo’s', { tag: 'whisper' }))
  const people = peopleOf(b)
  return { conversationId, ann, bo: b, cy: c, messageId: String(hello['id']), handle: ann.participant.id, ...people }
}
async function openSms(url: string, connector: Someone, [bo = '', cy = '']: readonly string[]) {
  const { conversationId } = await textIn(connector, PHONE, 'a text of Ann’s')
  const [b, c] = [await agentIn(url, conversationId, bo), await agentIn(url, conversationId, cy)]
  const hello = await b.call('sendMessage', say(conversationId, 'a text of Bo’s'))
  await eventually(() => c.words().includes('sent'))
  return { conversationId, bo: b, cy: c, messageId: String(hello['id']), handle: '', ...peopleOf(b) }
}
async function textIn(connector: Someone, refId: string, text: string) {
  const wish = { type: 'ChatMessage', channel: 'sms', refId, text, externalMessageId: `x ${refId} ${text}` }
  const reply = await connector.call('sendMessage', wish)
  if (reply.code !== 200) throw new Error(JSON.stringify(reply))
  return { conversationId: String(reply['conversationId']) }
}
/** Public ids, as the members see them. */
function peopleOf(agent: Someone) {
  const info = agent.heard.find(({ event }) => event === 'conversationInfo')
  const people = (info?.body['participants'] ?? []) as { id: string; type: string }[]
  const of = (type: string) => people.find((person) => person.type === type)?.id ?? ''
  return { customerId: of('Customer'), agentId: of('Agent') }
}

async function endedWeb(url: string, token: string): Promise<string> {
  const dan = await customer(url, { refId: 'dan', email: 'dan@example.org' })
  const { conversationId } = dan
  const agent = await agentIn(url, conversationId, token)
  await agent.call('sendMessage', say(conversationId, 'a word to Dan'))
  await dan.call('endConversation', { conversationId })
  agent.close()
  dan.close()
  return conversationId
}
async function endedSms(url: string, connector: Someone, token: string): Promise<string> {
  const { conversationId } = await textIn(connector, '+4915199999999', 'a text of Dan’s')
  const agent = await agentIn(url, conversationId, token)
  await agent.call('endConversation', { conversationId })
  agent.close()
  return conversationId
}

/** A dead letter, and a notification of the campaign. */
async function openLeftovers(
  url: string,
  { connector, keys, agent }: { connector: Someone; keys: Awaited<ReturnType<typeof makeKeys>>; agent: string },
) {
  const { conversationId } = await textIn(connector, DEAD_PHONE, 'a text from nowhere')
  const bo = await agentIn(url, conversationId, agent)
  await bo.call('sendMessage', say(conversationId, 'a text to nowhere'))
  await eventually(() => bo.words().includes('failed'))
  bo.close()
  const letters = await request(url, '/api/admin/dead-letters', {}, await login(url))
  const [letter] = letters.json['deadLetters'] as { id: string }[]
  const wish = { to: PHONE, account: ACCOUNT, text: 'a campaign of theirs' }
  const sent = await post(url, '/api/channels/sms/messages', wish, keys.campaign.secret)
  const notification = String(sent.json['id'])
  const find = () => request(url, `/api/channels/sms/messages/${notification}`, {}, keys.campaign.secret)
  await eventually(async () => (await find()).json['state'] === 'sent')
  return { deadLetter: letter?.id ?? '', notification }
}

interface Known {
  readonly url: string
  readonly admin: string
  readonly database: Database
  readonly keys: Awaited<ReturnType<typeof makeKeys>>
  readonly ids: { readonly notification: string }
}
async function stateOf(
  { url, admin, database, keys, ids }: Known,
  { victims, ended }: { victims: object; ended: Readonly<Record<string, string>> },
) {
  const live = Object.values(victims).map(({ conversationId }: { conversationId: string }) => conversationId)
  const all = [...live, ...Object.values(ended)] as ConversationId[]
  const conversations = await Promise.all(all.map((id) => database.conversations.find(DEFAULT_TENANT, id)))
  const told = ['/api/admin/agents', '/api/admin/keys', '/api/admin/dead-letters']
  const lists = await Promise.all(told.map(async (path) => (await request(url, path, {}, admin)).json))
  const found = await request(url, `/api/channels/sms/messages/${ids.notification}`, {}, keys.campaign.secret)
  return { conversations, lists, notification: found.json }
}

type Web = Awaited<ReturnType<typeof openWeb>>
type Sms = Awaited<ReturnType<typeof openSms>>
async function sentinel({ web, sms, connector }: { web: Web; sms: Sms; connector: Someone }, text: string) {
  const listeners: [Someone, string[]][] = [
    [web.ann, [text]],
    [web.bo, []],
    [web.cy, [text]],
    [sms.bo, ['sent']],
    [sms.cy, [text, 'sent']],
    [connector, [text]],
  ]
  const marks = listeners.map(([someone]) => heardOf(someone).length)
  for (const { bo, conversationId } of [web, sms]) {
    const said = await bo.call('sendMessage', say(conversationId, text))
    expect(said).toMatchObject({ code: 200 })
  }
  await eventually(() => {
    listeners.forEach(([someone, words], i) => expect(heardOf(someone).slice(marks[i])).toEqual(words))
  })
}
/** What came by itself, as words: answers to own calls are left out. */
const heardOf = ({ heard }: Someone): string[] =>
  heard
    .filter(({ event }) => event !== 'ack')
    .map(({ event, body: { text = '', activityType = event } }) => (text === '' ? activityType : text) as string)
