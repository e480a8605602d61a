// §2 registerConnector; how a connector shows its key (§4); bots and transfers (501); initConversation to agents.
import { carrier, makeKey, texter } from '../../../support/carrier'
import { eventually } from '../../../support/eventually'
import { CONNECTOR_KEY } from '../../../support/gateway'
import {
  agentIn,
  connect,
  customer,
  hire,
  joining,
  login,
  pictureOf,
  post,
  say,
  type Someone,
} from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const gateway = withGateway()
let supervisor: string
beforeAll(async () => {
  supervisor = await login(gateway.url)
})
const opened: Someone[] = []
/** Closed after its test: who serves every account takes what is meant for others. */
const byKey = async (key = CONNECTOR_KEY.sms) => {
  const someone = await connect(gateway.url, { auth: { token: key } })
  opened.push(someone)
  return someone
}
afterEach(() => {
  for (const someone of opened.splice(0)) someone.close()
})

describe('§2 registerConnector', () => {
  it('the surviving sample, word for word', async () => {
    const sms = await byKey()
    const sample = { id: 'sms', name: 'ExpertFlow SMS Connector', channel: 'sms' }
    expect(await sms.call('registerConnector', sample)).toEqual({
      code: 200,
      id: 'sms',
      channel: 'sms',
      account: '',
      instance: '',
    })
  })
  it('`id` must equal the channel name; if it does not, `channel` wins and the acknowledgement carries a warning', async () => {
    const sms = await byKey()
    const reply = await sms.call('registerConnector', { id: 'my connector', channel: 'SMS' })
    expect(reply).toMatchObject({
      code: 200,
      id: 'sms',
      channel: 'sms',
      warning: expect.stringContaining('sms') as string,
    })
    expect(await sms.call('registerConnector', { id: 'SMS' })).not.toHaveProperty('warning')
  })
  it.each([
    ['no channel at all', {}, 400],
    ['web, which no connector carries', { id: 'web', channel: 'web' }, 400],
    ['a channel that its key does not open', { id: 'echo', channel: 'echo' }, 403],
  ])('row 16: %s is refused', async (_row, body, code) => {
    expect(await (await byKey()).call('registerConnector', body)).toMatchObject({ code })
  })
  it('row 16: is idempotent, on the same socket and on the next one', async () => {
    const sms = await carrier(gateway.url, { register: { account: 'again' } })
    const again = { id: 'sms', channel: 'sms', account: 'again', acknowledges: true }
    expect(await sms.call('registerConnector', again)).toEqual(sms.registered)
    const { conversationId } = await texter(gateway.url, '+again', { account: 'again' })
    await sms.call('joinConversation', { conversationId })
    const bo = await agentIn(gateway.url, conversationId, supervisor)
    await bo.call('sendMessage', say(conversationId, 'once'))
    await eventually(() => bo.words().includes('sent'))
    expect(sms.deliveries).toHaveLength(1)
    sms.close()
    const next = await carrier(gateway.url, { register: { account: 'again' } })
    expect(next.registered).toEqual(sms.registered)
  })
  it('row 16: the newer fences the older: error 409, then the server disconnects it for good', async () => {
    const register = { account: 'fenced' }
    const older = await carrier(gateway.url, { register })
    const reason = new Promise((resolve) => older.socket.once('disconnect', resolve))
    const newer = await carrier(gateway.url, { register })
    // socket.io-client does not reconnect by itself after this reason.
    expect(await reason).toBe('io server disconnect')
    expect(older.heard.at(-1)).toMatchObject({ event: 'error', body: { code: 409, error: { code: 'conflict' } } })
    expect(newer.socket.connected).toBe(true)
  })
  it('another account or another instance is another registration', async () => {
    const all = [
      await carrier(gateway.url, { register: { account: 'a' } }),
      await carrier(gateway.url, { register: { account: 'b' } }),
      await carrier(gateway.url, { register: { account: 'b', instance: '2' } }),
    ]
    await texter(gateway.url, '+1')
    expect(all.map(({ socket }) => socket.connected)).toEqual([true, true, true])
  })
  it('`facebook` = `fb` here too', async () => {
    const { secret } = await makeKey(gateway.url, supervisor, { kind: 'connector', channel: 'fb' })
    const fb = await byKey(secret)
    expect(await fb.call('registerConnector', { id: 'Facebook', channel: 'facebook' })).toEqual({
      code: 200,
      id: 'fb',
      channel: 'fb',
      account: '',
      instance: '',
    })
  })
})

describe('§4 a connector gives its key', () => {
  it('row 16: as `key` in registerConnector, for clients that can do nothing else; and that socket is the connector then', async () => {
    const sms = await connect(gateway.url)
    expect(await sms.call('registerConnector', { id: 'sms', account: 'k' })).toMatchObject({ code: 401 })
    expect(await sms.call('registerConnector', { id: 'sms', account: 'k', key: 'wrong' })).toMatchObject({ code: 401 })
    const reply = await sms.call('registerConnector', { id: 'sms', account: 'k', key: CONNECTOR_KEY.sms })
    expect(reply).toMatchObject({ code: 200 })
    expect(JSON.stringify(reply)).not.toContain(CONNECTOR_KEY.sms)
    const { conversationId } = await texter(gateway.url, '+key', { account: 'k' })
    expect(await sms.call('joinConversation', { conversationId })).toMatchObject({ code: 200, role: 'connector' })
  })
  it('row 16: not as somebody else: staff and customers are refused', async () => {
    const bo = await connect(gateway.url, { auth: { token: supervisor } })
    expect(await bo.call('registerConnector', { id: 'sms' })).toMatchObject({ code: 403 })
  })

  describe('CONNECTOR_ADDRESSES', () => {
    const trusting = withGateway({ CONNECTOR_ADDRESSES: '127.0.0.0/8' })
    it('for connectors that can send nothing at all: the whole way without a key', async () => {
      const started = await post(trusting.url, '/api/customer/init', { channel: 'sms', refId: '+1' })
      expect(started.status).toBe(200)
      const sms = await connect(trusting.url)
      expect(await sms.call('registerConnector', { id: 'sms', channel: 'sms' })).toMatchObject({ code: 200 })
      const conversationId = started.json['conversationId'] as string
      const joined = await sms.call('joinConversation', {
        conversationId,
        id: (started.json['participant'] as { id: string }).id,
      })
      expect(joined).toMatchObject({ code: 200, role: 'connector' })
    })
  })
})

describe('§2 until routing is there', () => {
  it('`initConversation` tells every signed-in agent of a new conversation, once, and nobody else', async () => {
    const agents = [
      await connect(gateway.url, { auth: { token: supervisor } }),
      await connect(gateway.url, { auth: { token: (await hire(gateway.url, 'cy')).token } }),
    ]
    const others = [await connect(gateway.url), await byKey()]
    const ann = await customer(gateway.url, { phone: '+7', plan: 'gold' })
    const told = ({ heard }: (typeof agents)[0]) =>
      heard.filter(
        ({ event, body }) => event === 'initConversation' && JSON.stringify(body).includes(ann.conversationId),
      )
    await eventually(() => agents.every((agent) => told(agent).length === 1))
    expect(told(agents[0]!)[0]!.body).toMatchObject({
      conversation: {
        conversationId: ann.conversationId,
        channel: 'web',
        customer: { phone: '+7' },
        channelData: { plan: 'gold' },
      },
    })
    await ann.call('leaveConversation', { conversationId: ann.conversationId })
    await ann.call('joinConversation', joining(ann))
    const next = await customer(gateway.url)
    await eventually(() => JSON.stringify(agents[0]!.heard).includes(next.conversationId))
    expect(agents.map((agent) => told(agent).length)).toEqual([1, 1])
    for (const { heard } of others) expect(heard).toEqual([])
  })
  it('any agent may join a live one', async () => {
    const { conversationId } = await customer(gateway.url)
    const dee = await agentIn(gateway.url, conversationId, (await hire(gateway.url, 'dee')).token)
    expect((await pictureOf(dee)).role).toBe('agent')
  })
  it('registerBot and requestAgentTransfer answer 501', async () => {
    const ann = await customer(gateway.url)
    const { secret } = await makeKey(gateway.url, supervisor, { kind: 'bot', channel: 'web' })
    const bot = await byKey(secret)
    const answers = [
      await bot.call('registerBot', { id: 'b', name: 'Bot', queues: ['sales'] }),
      await bot.call('requestAgentTransfer', { conversationId: ann.conversationId }),
      await ann.call('requestAgentTransfer', { conversationId: ann.conversationId }),
    ]
    for (const answer of answers) expect(answer).toMatchObject({ code: 501, error: { retryable: false } })
    expect(await bot.call('joinConversation', { conversationId: ann.conversationId })).toMatchObject({ code: 404 })
  })
})
