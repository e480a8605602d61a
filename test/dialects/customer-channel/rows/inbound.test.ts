// §2 inbound: the documented way, and the one step with `externalMessageId`.
import { carrier, inbound, makeKey, texter } from '../../../support/carrier'
import { TestClock } from '../../../support/databases'
import { CONNECTOR_KEY } from '../../../support/gateway'
import { eventually } from '../../../support/eventually'
import { agentIn, connect, customer, joining, login, pictureOf, post, say } from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const clock = new TestClock()
const gateway = withGateway({}, { now: clock.now })
const supervisor = () => login(gateway.url)

describe('§2 the documented way: init and join per customer, then sendMessage', () => {
  it('with the handle, and with the key alone', async () => {
    const sms = await carrier(gateway.url)
    const started = await texter(gateway.url, '+1', { firstName: 'Tex' })
    const { conversationId } = started
    expect(await sms.call('joinConversation', joining(started))).toMatchObject({ code: 200, role: 'connector' })
    expect(await sms.call('sendMessage', say(conversationId, 'hi', { refId: '+1' }))).toMatchObject({
      code: 200,
      seq: 2,
    })
    const bo = await agentIn(gateway.url, conversationId, await supervisor())
    const { messages } = await pictureOf(bo)
    expect(messages[1]).toMatchObject({
      text: 'hi',
      refId: '+1',
      from: { type: 'Customer', name: 'Tex' },
      channel: 'sms',
    })
  })
  it('from a connector a whisper is 403', async () => {
    const sms = await carrier(gateway.url)
    const { conversationId } = await texter(gateway.url, '+1')
    await sms.call('joinConversation', { conversationId })
    expect(await sms.call('sendMessage', say(conversationId, 'psst', { tag: 'WHISPER' }))).toMatchObject({ code: 403 })
    expect(await sms.call('sendMessage', inbound('+1', 'psst', { tag: 'whisper' }))).toMatchObject({ code: 403 })
  })
})

describe('§2 in one step, with `channel`, `account`, `refId` and `externalMessageId` and no `conversationId`', () => {
  it('opens the conversation; `firstName`, `subject` … may come along', async () => {
    const sms = await carrier(gateway.url)
    const facts = { firstName: 'Tex', lastName: 'Ter', subject: 'support', language: 'de', account: 'a' }
    const reply = await sms.call('sendMessage', inbound('+2', 'hi', facts))
    expect(reply).toMatchObject({ code: 200, seq: 2, conversationId: expect.any(String) as string })
    const bo = await agentIn(gateway.url, reply['conversationId'] as string, await supervisor())
    const { conversation, messages } = await pictureOf(bo)
    expect(conversation).toMatchObject({
      channel: 'sms',
      account: 'a',
      refId: '+2',
      subject: 'support',
      language: 'de',
      customer: { name: 'Tex Ter', verified: true },
    })
    expect(messages.map(({ activityType, text }) => text ?? activityType)).toEqual([
      'participantJoined',
      'hi',
      'participantJoined',
    ])
  })
  it('finds the live one, also that of init; and after the end opens another', async () => {
    const sms = await carrier(gateway.url)
    const { conversationId } = await texter(gateway.url, '+3')
    const reply = await sms.call('sendMessage', inbound('+3', 'one'))
    expect(reply).toMatchObject({ conversationId })
    await sms.call('endConversation', { conversationId })
    const next = await sms.call('sendMessage', inbound('+3', 'two'))
    expect(next).toMatchObject({ code: 200 })
    expect(next['conversationId']).not.toBe(conversationId)
  })
  it('many that race open one, and are all said', async () => {
    const sms = await carrier(gateway.url)
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => sms.call('sendMessage', inbound('+4', `${i}`))))
    expect(new Set(all.map(({ conversationId }) => conversationId)).size).toBe(1)
    expect(all.map(({ seq }) => seq as number).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 2),
    )
  })
  it('a repeat answers the first acknowledgement, even after the end, for 7 days; with another body it is 409', async () => {
    const sms = await carrier(gateway.url)
    const first = await sms.call('sendMessage', inbound('+5', 'hi'))
    expect(await sms.call('sendMessage', inbound('+5', 'hi'))).toEqual(first)
    await sms.call('endConversation', { conversationId: first['conversationId'] })
    clock.forward(6 * 24 * 3_600_000)
    expect(await sms.call('sendMessage', inbound('+5', 'hi'))).toEqual(first)
    expect(await sms.call('sendMessage', { ...inbound('+5', 'hi'), text: 'other' })).toMatchObject({ code: 409 })
    clock.forward(2 * 24 * 3_600_000)
    const anew = await sms.call('sendMessage', inbound('+5', 'hi'))
    expect(anew).toMatchObject({ code: 200 })
    expect(anew['id']).not.toBe(first['id'])
  })
  it('`externalMessageId` is unique per (channel, account)', async () => {
    const sms = await carrier(gateway.url)
    const one = await sms.call('sendMessage', inbound('+6', 'a', { externalMessageId: 'x', account: '1' }))
    const two = await sms.call('sendMessage', inbound('+6', 'b', { externalMessageId: 'x', account: '2' }))
    expect([one.code, two.code]).toEqual([200, 200])
    expect(one['conversationId']).not.toBe(two['conversationId'])
  })
  it.each([
    ['no refId', { refId: undefined }],
    ['an empty refId', { refId: '' }],
    ['no externalMessageId', { externalMessageId: undefined }],
    ['nothing said', { text: '' }],
  ])('%s: 400', async (_row, more) => {
    const sms = await carrier(gateway.url)
    expect(await sms.call('sendMessage', { ...inbound('+7', 'hi'), ...more })).toMatchObject({ code: 400 })
  })
  it('numbers in `refId` become text', async () => {
    const sms = await carrier(gateway.url)
    const { conversationId } = await texter(gateway.url, '4917')
    expect(await sms.call('sendMessage', { ...inbound('', 'hi'), refId: 4917 })).toMatchObject({ conversationId })
  })
  it('only for connectors of that channel and account: others 400, 403', async () => {
    expect(await (await connect(gateway.url)).call('sendMessage', inbound('+8', 'hi'))).toMatchObject({ code: 400 })
    const { secret } = await makeKey(gateway.url, await supervisor(), { kind: 'connector', account: 'mine' })
    const sms = await connect(gateway.url, { auth: { token: secret } })
    expect(await sms.call('sendMessage', inbound('+8', 'hi', { account: 'theirs' }))).toMatchObject({ code: 403 })
    expect(await sms.call('sendMessage', inbound('+8', 'hi', { channel: 'echo' }))).toMatchObject({ code: 403 })
    expect(await sms.call('sendMessage', inbound('+8', 'hi'))).toMatchObject({ code: 200 })
  })
  it('agents are told of it as of any new conversation', async () => {
    const bo = await connect(gateway.url, { auth: { token: await supervisor() } })
    const sms = await carrier(gateway.url)
    const { conversationId } = await sms.call('sendMessage', inbound('+9', 'hi'))
    await eventually(() =>
      expect(bo.heard).toMatchObject([
        { event: 'initConversation', body: { conversation: { conversationId, refId: '+9' } } },
      ]),
    )
  })
})

describe('§2 `externalMessageId` beside a `conversationId`: the same guarantee, whichever way a message comes', () => {
  /** A customer of the channel in a conversation, and the same words brought in either way. */
  const brought = async (refId: string, more: object = {}) => {
    const sms = await carrier(gateway.url)
    const started = await texter(gateway.url, refId)
    const { conversationId } = started
    await sms.call('joinConversation', joining(started))
    const direct = inbound(refId, 'hi', { messageId: 'm', ...more })
    return { sms, conversationId, direct, named: { ...direct, conversationId } }
  }
  const textsIn = async (conversationId: string) => {
    const bo = await agentIn(gateway.url, conversationId, await supervisor())
    const { messages } = await pictureOf(bo)
    return messages.flatMap(({ text }) => (text === undefined ? [] : [text]))
  }

  it.each(['named', 'direct'] as const)('%s first: every repeat answers the first acknowledgement', async (way) => {
    const { sms, conversationId, ...ways } = await brought(`+2${way}`)
    const first = await sms.call('sendMessage', ways[way])
    expect(first).toMatchObject({ code: 200, conversationId, seq: 2, messageId: 'm' })
    const unjoined = await carrier(gateway.url, { register: { instance: 'two' } })
    for (const by of [sms, unjoined])
      for (const body of [ways.named, ways.direct]) expect(await by.call('sendMessage', body)).toEqual(first)
    expect(await textsIn(conversationId)).toEqual(['hi'])
  })
  it('of many that race, either way, one is said, and all get one acknowledgement', async () => {
    const { sms, conversationId, named, direct } = await brought('+21')
    const unjoined = await carrier(gateway.url, { register: { instance: 'two' } })
    const replies = await Promise.all(
      Array.from({ length: 24 }, (_, i) => (i % 3 ? sms : unjoined).call('sendMessage', i % 2 ? named : direct)),
    )
    for (const reply of replies) expect(reply).toEqual(replies[0])
    expect(replies[0]).toMatchObject({ code: 200, seq: 2 })
    expect(await textsIn(conversationId)).toEqual(['hi'])
  })
  it('after the end, and from the next conversation of the address, for 7 days', async () => {
    const { sms, conversationId, named, direct } = await brought('+22')
    const first = await sms.call('sendMessage', named)
    await sms.call('endConversation', { conversationId })
    expect(await sms.call('sendMessage', named)).toEqual(first)
    expect(await sms.call('sendMessage', { ...named, externalMessageId: 'new' })).toMatchObject({ code: 410 })
    const next = await texter(gateway.url, '+22')
    await sms.call('joinConversation', joining(next))
    const inNext = { ...direct, conversationId: next.conversationId }
    expect(next.conversationId).not.toBe(conversationId)
    expect(await sms.call('sendMessage', inNext)).toEqual(first)
    clock.forward(8 * 24 * 3_600_000)
    expect(await sms.call('sendMessage', inNext)).toMatchObject({ code: 200, conversationId: next.conversationId })
  })
  it('another body, or another customer, is 409', async () => {
    const { sms, named, direct } = await brought('+23')
    await sms.call('sendMessage', named)
    const other = await texter(gateway.url, '+24')
    await sms.call('joinConversation', joining(other))
    const { conversationId } = other
    const conflict = { code: 409, error: { code: 'conflict', retryable: false } }
    expect(await sms.call('sendMessage', { ...named, text: 'other' })).toMatchObject(conflict)
    expect(await sms.call('sendMessage', { ...direct, text: 'other' })).toMatchObject(conflict)
    expect(await sms.call('sendMessage', { ...named, conversationId })).toMatchObject(conflict)
  })
  it('the facts that may come along with a first message do not make it another', async () => {
    const { sms, named, direct } = await brought('+25')
    const first = await sms.call('sendMessage', { ...named, firstName: 'Tex', subject: 'support' })
    expect(await sms.call('sendMessage', direct)).toEqual(first)
    expect(await sms.call('sendMessage', { ...direct, subject: 'sales' })).toEqual(first)
    expect(await sms.call('sendMessage', { ...direct, buttons: [] })).toMatchObject({ code: 409 })
  })
  it('keeps the order, opts out once, and stays behind the walls of channel and account', async () => {
    const { sms, conversationId } = await brought('+26')
    const texts = Array.from({ length: 20 }, (_, i) => `${i}`)
    const ids = await Promise.all(
      texts.map((text) => sms.call('sendMessage', { ...inbound('+26', text), conversationId })),
    )
    expect(ids.map(({ seq }) => seq)).toEqual(texts.map((_, i) => i + 2))
    expect(await textsIn(conversationId)).toEqual(texts)
    const echo = await carrier(gateway.url, { key: CONNECTOR_KEY.echo, register: { id: 'echo', channel: 'echo' } })
    expect(await echo.call('sendMessage', { ...inbound('+26', '0'), channel: 'echo', conversationId })).toMatchObject({
      code: 404,
    })
    const { secret } = await makeKey(gateway.url, await supervisor(), { kind: 'thirdParty' })
    const notify = async () =>
      (await post(gateway.url, '/api/channels/sms/messages', { to: '+26', text: 'news' }, secret)).status
    const bring = (text: string, id: string) =>
      sms.call('sendMessage', { ...inbound('+26', text), conversationId, externalMessageId: id })
    const stop = await bring('STOP', 'stop')
    expect(await notify()).toBe(403)
    await bring('START', 'start')
    expect(await notify()).toBe(202)
    expect(await bring('STOP', 'stop')).toEqual(stop)
    expect(await notify()).toBe(202)
  })
  it('it is nothing to who is no connector: theirs is `messageId`', async () => {
    const ann = await customer(gateway.url)
    const say1 = say(ann.conversationId, 'one', { externalMessageId: 'x' })
    expect(await ann.call('sendMessage', say1)).toMatchObject({ code: 200, seq: 2 })
    expect(await ann.call('sendMessage', say1)).toMatchObject({ code: 200, seq: 3 })
  })
})
