// A customer's seat lasts as long as the token it was taken with, where customers join by token.
import { eventually } from '../../support/eventually'
import { TestClock } from '../../support/databases'
import { openGateway } from '../../support/gateway'
import {
  agentIn,
  connect,
  init,
  joining,
  latest,
  login,
  pictureOf,
  post,
  say,
  type Someone,
} from '../../support/people'

const HOUR = 3_600_000
const UNAUTHORIZED = {
  code: 401,
  error: { code: 'unauthorized', message: expect.stringMatching(/join again/) as string },
}
let gateway: Awaited<ReturnType<typeof openGateway>>
let clock: TestClock
afterEach(() => gateway.close())

type Started = Awaited<ReturnType<typeof init>>
/** A customer and an agent in one conversation, and a newer token of the customer. */
async function chat(customerAuth: 'handle' | 'token', where: 'join' | 'handshake') {
  clock = new TestClock()
  gateway = await openGateway({ CUSTOMER_AUTH: customerAuth, IDLE_END: '0' }, { now: clock.now })
  const { url } = gateway
  const started = await init(url)
  const ann = await connect(url, where === 'handshake' ? { auth: { token: started.token } } : {})
  const join = (more: object = {}) => ann.call('joinConversation', { ...joining(started), ...more })
  expect(await join(where === 'handshake' ? { token: undefined } : {})).toMatchObject({ code: 200 })
  await pictureOf(ann)
  clock.forward(23 * HOUR)
  const fresh = await renewed(started)
  const bo = await agentIn(url, started.conversationId, await login(url))
  const { conversationId } = started
  const tell = (text: string) => bo.call('sendMessage', say(conversationId, text))
  const answer = (text: string) => ann.call('sendMessage', say(conversationId, text))
  return { ann, bo, join, fresh, tell, answer, conversationId }
}
async function renewed({ conversationId, participant, token }: Started): Promise<string> {
  const { json } = await post(gateway.url, '/api/customer/token', { conversationId, id: participant.id, token })
  return String(json['token'])
}
const errors = ({ heard }: Someone) => heard.filter(({ event }) => event === 'error').map(({ body }) => body)

describe.each(['join', 'handshake'] as const)('a seat whose token, given in the %s, has run out', (where) => {
  it('is told so once, hears nothing more however quiet it is, and refuses what is said', async () => {
    const { ann, bo, tell, answer, conversationId } = await chat('token', where)
    await tell('in time')
    await latest(ann, 'in time')
    expect(await answer('in time, too')).toMatchObject({ code: 200 })
    clock.forward(HOUR)
    for (const text of ['late', 'later']) await tell(text)
    await bo.call('sendMessage', { ...say(conversationId, ''), type: 'ActivityMessage', activityType: 'typing' })
    for (const text of ['one', 'two']) expect(await answer(text)).toMatchObject(UNAUTHORIZED)
    expect(await ann.call('endConversation', { conversationId })).toMatchObject(UNAUTHORIZED)
    expect(errors(ann)).toEqual([{ ...UNAUTHORIZED, conversationId, error: expect.any(Object) as object }])
    expect(ann.words().slice(-2)).toEqual(['participantJoined', 'in time'])
    expect(ann.socket.connected).toBe(true)
  })
  it('goes on where it was when it is taken again on the same socket with a fresh one', async () => {
    const { ann, join, fresh, tell, answer } = await chat('token', where)
    clock.forward(HOUR)
    await tell('missed')
    await eventually(() => errors(ann).length === 1)
    expect(await join()).toMatchObject({ code: 401 })
    expect(await join({ token: fresh, after: 2 })).toMatchObject({ code: 200 })
    await eventually(() => ann.heard.filter(({ body }) => body['activityType'] === 'greetings').length === 2)
    expect((await pictureOf(ann)).messages.map(({ text }) => text)).toEqual(['missed'])
    expect(await answer('here again')).toMatchObject({ code: 200, seq: 4 })
    await tell('good')
    await latest(ann, 'good')
    expect(ann.words()).not.toContain('participantLeft')
    expect(errors(ann)).toHaveLength(1)
  })
})

it('a seat lasts where customers join by their handle', async () => {
  const { ann, answer } = await chat('handle', 'join')
  clock.forward(48 * HOUR)
  expect(await answer('still here')).toMatchObject({ code: 200 })
  expect(errors(ann)).toEqual([])
})
