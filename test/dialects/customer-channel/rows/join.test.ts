// §2 joinConversation and conversationInfo.
import { carrier, texter } from '../../../support/carrier'
import { eventually } from '../../../support/eventually'
import { CONNECTOR_KEY } from '../../../support/gateway'
import {
  agentIn,
  connect,
  customer,
  hire,
  init,
  joining,
  latest,
  login,
  pictureOf,
  post,
  say,
} from '../../../support/people'
import { withGateway } from '../../../support/with-gateway'

const gateway = withGateway({ RECONNECT_GRACE: '1' })
let supervisor: string
beforeAll(async () => {
  supervisor = await login(gateway.url)
})
const talk = async (someone: Awaited<ReturnType<typeof customer>>, ...texts: string[]) => {
  for (const text of texts) await someone.call('sendMessage', say(someone.conversationId, text))
}

describe('§2 joinConversation: spellings', () => {
  it.each([
    ['joinConversation with conversationId', 'joinConversation', 'conversationId'],
    ['`sessionId` is accepted for `conversationId`', 'joinConversation', 'sessionId'],
    ['the event name `joinConveration`, too', 'joinConveration', 'conversationId'],
  ])('%s', async (_row, event, key) => {
    const { conversationId, participant } = await init(gateway.url)
    const someone = await connect(gateway.url)
    const reply = await someone.call(event, { [key]: conversationId, id: participant.id })
    expect(reply).toMatchObject({ code: 200, conversationId })
  })
})

describe('§2 the joiner gets, in this order', () => {
  it('the acknowledgement, `conversationInfo`, and `messageArrived` with greetings', async () => {
    const ann = await customer(gateway.url)
    await pictureOf(ann)
    expect(ann.heard.map(({ event }) => event)).toEqual(['ack', 'conversationInfo', 'messageArrived'])
  })
  it('at most 500 in `conversationInfo`, the rest as `messageArrived`, in order, then what is live; nothing twice', async () => {
    const ann = await customer(gateway.url)
    for (let at = 0; at < 600; at += 50)
      await Promise.all(
        Array.from({ length: 50 }, (_, i) => ann.call('sendMessage', say(ann.conversationId, `${at + i}`))),
      )
    const bo = await connect(gateway.url, { auth: { token: supervisor } })
    const joined = bo.call('joinConversation', { conversationId: ann.conversationId })
    await Promise.all([joined, talk(ann, 'live 1', 'live 2', 'live 3')])
    await eventually(() => bo.words().includes('live 3'))
    expect((await pictureOf(bo)).messages).toHaveLength(500)
    const seqs = bo
      .arrived()
      .filter(({ activityType }) => activityType !== 'greetings')
      .map(({ seq }) => seq)
    expect(seqs).toEqual(Array.from({ length: 605 }, (_, i) => i + 1))
  })
  it('greetings on every accepted join: not stored, no `seq`, to the joining socket only', async () => {
    const ann = await customer(gateway.url)
    const greetings = () => ann.arrived().filter(({ activityType }) => activityType === 'greetings')
    await pictureOf(ann)
    await ann.call('joinConversation', joining(ann))
    await eventually(() => greetings().length === 2)
    const bo = await agentIn(gateway.url, ann.conversationId, supervisor)
    expect((await pictureOf(bo)).messages.map(({ activityType }) => activityType)).toEqual([
      'participantJoined',
      'participantJoined',
    ])
    await talk(ann, 'done')
    expect(greetings()).toHaveLength(2)
    for (const greeting of greetings()) {
      expect(greeting).toMatchObject({ from: { type: 'System' }, to: [{ id: ann.participant.id }], info: {} })
      expect(greeting).not.toHaveProperty('seq')
    }
  })
})

describe('§2 joining', () => {
  it('other members get `participantJoined` when this join added a member; joining again is idempotent', async () => {
    const ann = await customer(gateway.url)
    const bo = await agentIn(gateway.url, ann.conversationId, supervisor)
    await bo.call('joinConversation', { conversationId: ann.conversationId })
    const other = await agentIn(gateway.url, ann.conversationId, supervisor)
    await pictureOf(other)
    await eventually(() => expect(ann.words()).toEqual(['participantJoined', 'participantJoined']))
    expect((await pictureOf(other)).participants).toHaveLength(2)
  })
  it('a customer’s first join may set the name; a later one does not change it', async () => {
    const started = await init(gateway.url, { firstName: undefined })
    const first = await connect(gateway.url)
    await first.call('joinConversation', { ...joining(started), name: 'Nadia' })
    expect((await pictureOf(first)).participants).toMatchObject([{ name: 'Nadia' }])
    const again = await connect(gateway.url)
    await again.call('joinConversation', { ...joining(started), name: 'Somebody' })
    expect((await pictureOf(again)).participants).toMatchObject([{ name: 'Nadia' }])
  })
  it('staff names come from their account, and `id` is ignored for them', async () => {
    const { conversationId } = await customer(gateway.url)
    const bo = await connect(gateway.url, { auth: { token: (await hire(gateway.url, 'bo')).token } })
    const reply = await bo.call('joinConversation', { conversationId, name: 'The King', id: 'somebody' })
    expect(reply).toMatchObject({ code: 200, role: 'agent' })
    expect(reply).not.toHaveProperty('token')
    expect((await pictureOf(bo)).participants.map(({ name }) => name)).toEqual(['Ann', 'bo'])
  })
  it('`after` is the resume cursor in the reader’s own count', async () => {
    const ann = await customer(gateway.url)
    const bo = await agentIn(gateway.url, ann.conversationId, supervisor)
    await bo.call('sendMessage', say(ann.conversationId, 'psst', { tag: 'whisper' }))
    await talk(ann, 'one', 'two')
    const resumed = async (someone: typeof bo, more: object) => {
      await someone.call('joinConversation', { conversationId: ann.conversationId, ...more })
      return (await pictureOf(someone)).messages.map(({ seq, text }) => [seq, text])
    }
    expect(await resumed(await connect(gateway.url), { id: ann.participant.id, after: 2 })).toEqual([
      [3, 'one'],
      [4, 'two'],
    ])
    expect(await resumed(await connect(gateway.url), { id: ann.participant.id, after: '3' })).toEqual([[4, 'two']])
    const staff = await connect(gateway.url, { auth: { token: supervisor } })
    expect(await resumed(staff, { after: 2 })).toEqual([
      [3, 'psst'],
      [4, 'one'],
      [5, 'two'],
    ])
    expect(await resumed(await connect(gateway.url), { id: ann.participant.id, after: 1_000_000 })).toEqual([])
  })
  it('a socket that is gone for RECONNECT_GRACE leaves; one that comes back in time does not', async () => {
    const ann = await customer(gateway.url)
    const bo = await agentIn(gateway.url, ann.conversationId, supervisor)
    ann.close()
    const back = await connect(gateway.url)
    await back.call('joinConversation', joining(ann))
    await pictureOf(back)
    expect(bo.words()).not.toContain('participantLeft')
    back.close()
    const left = await latest(bo, 'participantLeft')
    const info = { participant: { name: 'Ann', type: 'Customer' }, reason: 'disconnected' }
    expect(left).toMatchObject({ from: { type: 'System' }, info })
    expect(bo.words().filter((word) => word === 'participantJoined')).toHaveLength(2)
  })
  it('`leaveConversation` leaves at once', async () => {
    const ann = await customer(gateway.url)
    const bo = await agentIn(gateway.url, ann.conversationId, supervisor)
    expect(await ann.call('leaveConversation', { conversationId: ann.conversationId })).toMatchObject({ code: 200 })
    expect(await latest(bo, 'participantLeft')).toMatchObject({ from: { name: 'Ann' }, info: { reason: 'left' } })
    expect(await ann.call('sendMessage', say(ann.conversationId, 'hi'))).toMatchObject({ code: 404 })
  })
  it('joining an ended conversation as its member answers 200 with state `ended` and the log', async () => {
    const ann = await customer(gateway.url)
    await talk(ann, 'hi')
    await ann.call('endConversation', { conversationId: ann.conversationId })
    const back = await connect(gateway.url)
    expect(await back.call('joinConversation', joining(ann))).toMatchObject({ code: 200 })
    const { conversation, messages } = await pictureOf(back)
    expect(conversation).toMatchObject({ state: 'ended', seq: 3 })
    expect(messages.map(({ text, activityType }) => text ?? activityType)).toEqual([
      'participantJoined',
      'hi',
      'endOfConversation',
    ])
    const stranger = await connect(gateway.url, { auth: { token: supervisor } })
    expect(await stranger.call('joinConversation', { conversationId: ann.conversationId })).toMatchObject({ code: 404 })
  })
  it('the acknowledgement carries `role` and a fresh token; `POST /api/customer/token` renews it too', async () => {
    const started = await init(gateway.url)
    const someone = await connect(gateway.url)
    const joined = await someone.call('joinConversation', joining(started))
    expect(joined).toMatchObject({ code: 200, role: 'customer' })
    const renewed = await post(gateway.url, '/api/customer/token', {
      conversationId: started.conversationId,
      id: started.participant.id,
    })
    expect(renewed.status).toBe(200)
    expect(Date.parse(renewed.json['expiresAt'] as string)).toBeGreaterThan(Date.now() + 23 * 3_600_000)
    expect(new Set([started.token, joined['token'], renewed.json['token']]).size).toBe(3)
    for (const token of [joined['token'], renewed.json['token']]) {
      const other = await connect(gateway.url, { auth: { token } })
      expect(await other.call('joinConversation', { ...joining(started), token: undefined })).toMatchObject({
        code: 200,
      })
    }
  })
})

describe('§2 authority', () => {
  it('without a credential a socket may join only as the customer whose handle it holds', async () => {
    const [ann, eve] = [await init(gateway.url), await init(gateway.url)]
    const someone = await connect(gateway.url)
    const { conversationId } = ann
    for (const id of [eve.participant.id, conversationId, '', 'x', undefined])
      expect([400, 404]).toContain((await someone.call('joinConversation', { conversationId, id })).code)
    const foreign = { conversationId, id: ann.participant.id, token: eve.token }
    expect(await someone.call('joinConversation', foreign)).toMatchObject({ code: 404 })
  })
  it('connectors join by their own credential, for customers of their own channel only', async () => {
    const sms = await carrier(gateway.url)
    const [theirs, web] = [await texter(gateway.url, '+1'), await init(gateway.url)]
    expect(await sms.call('joinConversation', { conversationId: theirs.conversationId })).toMatchObject({
      code: 200,
      role: 'connector',
    })
    expect(await sms.call('joinConversation', joining(web))).toMatchObject({ code: 404 })
    const echo = await connect(gateway.url, { auth: { token: CONNECTOR_KEY.echo } })
    expect(await echo.call('joinConversation', { conversationId: theirs.conversationId })).toMatchObject({ code: 404 })
  })

  describe('CUSTOMER_AUTH=token', () => {
    const strict = withGateway({ CUSTOMER_AUTH: 'token' })
    it('demands `token` besides the handle', async () => {
      const started = await init(strict.url)
      const { conversationId, participant, token } = started
      const someone = await connect(strict.url)
      const join = (more: object) => someone.call('joinConversation', { conversationId, ...more })
      expect(await join({ id: participant.id })).toMatchObject({ code: 401 })
      expect(await join({ token })).toMatchObject({ code: 404 })
      expect(await join({ id: participant.id, token: (await init(strict.url)).token })).toMatchObject({ code: 404 })
      expect(await join({ id: participant.id, token })).toMatchObject({ code: 200 })
      const renew = (more: object) =>
        post(strict.url, '/api/customer/token', { conversationId, id: participant.id, ...more })
      expect((await renew({})).status).toBe(401)
      expect((await renew({ token })).status).toBe(200)
    })
  })
})

describe('§2 conversationInfo', () => {
  const facts = {
    email: 'a@b.example',
    phone: '+1',
    lastName: 'Khan',
    url: 'https://shop.example/',
    comment: 'urgent',
    plan: 'gold',
  }
  it('holds what the sample shows, and `participant` repeats `participants`', async () => {
    const ann = await customer(gateway.url, { ...facts, subject: 'support', account: 'shop' })
    const { conversation, participants, participant, role } = await pictureOf(ann)
    expect(conversation).toEqual({
      id: ann.conversationId,
      conversationId: ann.conversationId,
      channel: 'web',
      account: 'shop',
      language: 'en',
      refId: 'r1',
      subject: 'support',
      state: 'active',
      createdAt: expect.stringMatching(/Z$/) as string,
      seq: 1,
    })
    expect(participant).toEqual(participants)
    expect(role).toBe('customer')
  })
  it('staff see also `customer`, `url`, `comment` and `channelData`; `seq` is the reader’s own count', async () => {
    const ann = await customer(gateway.url, facts)
    const bo = await agentIn(gateway.url, ann.conversationId, supervisor)
    await bo.call('sendMessage', say(ann.conversationId, 'psst', { tag: 'whisper' }))
    const again = await agentIn(gateway.url, ann.conversationId, supervisor)
    const { conversation, role } = await pictureOf(again)
    expect(role).toBe('supervisor')
    expect(conversation).toMatchObject({
      customer: {
        name: 'Ann Khan',
        firstName: 'Ann',
        lastName: 'Khan',
        email: 'a@b.example',
        phone: '+1',
        verified: false,
      },
      url: 'https://shop.example/',
      comment: 'urgent',
      channelData: { plan: 'gold' },
      seq: 3,
    })
    const tab = await connect(gateway.url)
    await tab.call('joinConversation', joining(ann))
    expect((await pictureOf(tab)).conversation['seq']).toBe(2)
  })
})
