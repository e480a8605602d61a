// A conversation on the client: it resumes, repeats itself without being heard twice, and keeps its order.
import { connect, type ChannelClient, type ConnectOptions } from '../../src/client/channel-client'
import type { Conversation } from '../../src/client/conversation'
import { eventually } from '../support/eventually'
import { busy, CONVERSATION, failure, startFakeGateway, type FakeGateway } from './fake-gateway'

let gateway: FakeGateway
let clients: ChannelClient[]
beforeEach(async () => {
  gateway = await startFakeGateway()
  clients = []
})
afterEach(async () => {
  for (const client of clients) client.close()
  await gateway.close()
})

function enter(options: Partial<ConnectOptions> = {}): Conversation {
  const client = connect({ url: gateway.url, ...options })
  clients.push(client)
  return client.join({ conversationId: CONVERSATION, id: 'handle-1', name: 'Nadia' })
}
const texts = (conversation: Conversation) =>
  conversation.view.messages.map((message) => ('text' in message ? message.text : message.activityType))
const written = () => gateway.log.map((message) => ('text' in message ? message.text : ''))

describe('joining', () => {
  it('hears what was said before, then what is live, and its own messages in their place', async () => {
    gateway.say('before')
    const conversation = enter()
    const heard: string[] = []
    conversation.on('message', ({ text }) => heard.push(text))
    await conversation.ready()
    await conversation.send('mine')
    gateway.say('after')
    await eventually(() => heard.length === 3)
    expect(heard).toEqual(['before', 'mine', 'after'])
    expect(conversation.view.messages[1]).toMatchObject({ seq: 2, from: { id: 'handle-1', name: 'Nadia' } })
  })

  it('resumes after a reconnect from where it stopped, and hears nothing twice', async () => {
    const conversation = enter()
    const heard: string[] = []
    const states: string[] = []
    conversation.on('message', ({ text }) => heard.push(text))
    conversation.on('state', (state) => states.push(state))
    await conversation.ready()
    gateway.say('one')
    await eventually(() => heard.length === 1)
    gateway.breakConnections()
    await eventually(() => conversation.state === 'reconnecting')
    gateway.say('two')
    await eventually(() => heard.length === 2)
    expect(heard).toEqual(['one', 'two'])
    expect(gateway.joins.map(({ after }) => after)).toEqual([undefined, 1])
    expect(states).toEqual(['connected', 'reconnecting', 'connected'])
  })

  it('drops what it has heard, and lets through what has no place in the log', async () => {
    const conversation = enter()
    const heard: string[] = []
    const activities: string[] = []
    conversation.on('message', ({ text }) => heard.push(text))
    conversation.on('activity', ({ activityType }) => activities.push(activityType))
    await conversation.ready()
    const message = gateway.say('once')
    const [socket] = gateway.sockets()
    socket!.emit('messageArrived', message)
    const typing = { ...message, seq: undefined, type: 'ActivityMessage', activityType: 'typing', info: {} }
    socket!.emit('messageArrived', typing)
    socket!.emit('messageArrived', typing)
    await eventually(() => activities.length === 3)
    expect(heard).toEqual(['once'])
    expect(activities).toEqual(['greetings', 'typing', 'typing'])
    expect(texts(conversation)).toEqual(['once'])
  })

  it('joins again while the gateway is busy or does not answer', async () => {
    gateway.fates.join.push('lost', busy())
    const conversation = enter({ ackTimeout: 100 })
    await conversation.ready()
    expect(gateway.joins).toHaveLength(3)
  })

  it('is refused with the error of the gateway, and then takes nothing more', async () => {
    gateway.fates.join.push(failure(404, 'notFound'))
    const conversation = enter()
    const early = conversation.send('early')
    await expect(conversation.ready()).rejects.toMatchObject({ code: 'notFound', status: 404 })
    await expect(early).rejects.toMatchObject({ code: 'notFound' })
    await expect(conversation.send('late')).rejects.toMatchObject({ code: 'notFound' })
    await expect(conversation.ready()).rejects.toMatchObject({ code: 'notFound' })
    expect(gateway.sends).toEqual([])
  })

  it('gives the same conversation to whoever joins it again', async () => {
    const conversation = enter()
    expect(clients[0]!.join({ conversationId: CONVERSATION })).toBe(conversation)
    await conversation.ready()
    conversation.leave()
    expect(conversation.state).toBe('closed')
    expect(clients[0]!.join({ conversationId: CONVERSATION })).not.toBe(conversation)
  })

  it('tells the end once, live and on every later visit', async () => {
    const conversation = enter()
    let ends = 0
    conversation.on('ended', () => (ends += 1))
    await conversation.ready()
    await conversation.end()
    await eventually(() => ends === 1)
    gateway.breakConnections()
    await eventually(() => gateway.joins.length === 2 && conversation.state === 'connected')
    expect(ends).toBe(1)
    const visit = connect({ url: gateway.url })
    clients.push(visit)
    const later = visit.join({ conversationId: CONVERSATION, id: 'handle-1', after: conversation.view.cursor })
    let laterEnds = 0
    later.on('ended', () => (laterEnds += 1))
    await eventually(() => laterEnds === 1)
  })
})

describe('sending', () => {
  it('repeats a message whose acknowledgement was lost with the same id, and it is said once', async () => {
    gateway.fates.send.push('lost', 'lost')
    const conversation = enter({ ackTimeout: 100 })
    const reply = await conversation.send('hello')
    expect(new Set(gateway.sends.map(({ messageId }) => messageId)).size).toBe(1)
    expect(gateway.sends).toHaveLength(3)
    expect(reply).toMatchObject({ code: 200, seq: 1, messageId: gateway.sends[0]?.messageId })
    expect(written()).toEqual(['hello'])
    expect(texts(conversation)).toEqual(['hello'])
  })

  it('never lets a later message overtake one that was refused for a moment', async () => {
    gateway.fates.send.push(busy(), 'deaf', busy())
    const conversation = enter({ ackTimeout: 100 })
    const said = ['one', 'two', 'three', 'four']
    await Promise.all(said.map((text) => conversation.send(text)))
    expect(written()).toEqual(said)
    expect(texts(conversation)).toEqual(said)
  })

  it('keeps order and says nothing twice over a connection that breaks between the message and its answer', async () => {
    gateway.fates.send.push('lost')
    const conversation = enter()
    const sends = Promise.all(['one', 'two'].map((text) => conversation.send(text)))
    await eventually(() => gateway.sends.length === 1)
    gateway.breakConnections()
    gateway.say('between')
    await sends
    expect(written()).toEqual(['one', 'between', 'two'])
    expect(texts(conversation)).toEqual(['one', 'between', 'two'])
  })

  it('waits at least as long as the gateway asked for', async () => {
    gateway.fates.send.push(busy(1))
    const conversation = enter()
    await conversation.ready()
    const began = performance.now()
    await conversation.send('patient')
    expect(performance.now() - began).toBeGreaterThanOrEqual(1000)
  })

  it('gives one up with the final error of the gateway, and goes on with the next', async () => {
    gateway.fates.send.push(failure(413, 'tooLarge'))
    const conversation = enter()
    const first = conversation.send('too much')
    const second = conversation.send('fine')
    await expect(first).rejects.toMatchObject({ code: 'tooLarge', status: 413, retryable: false })
    await expect(second).resolves.toMatchObject({ code: 200 })
    expect(written()).toEqual(['fine'])
  })

  it('gives one up that finds no answer in its time, and says that it may have been written', async () => {
    gateway.fates.send.push('deaf')
    const conversation = enter({ giveUpAfter: 300 })
    await conversation.ready()
    const lost = conversation.send('lost')
    await expect(lost).rejects.toMatchObject({ code: 'noAnswer', retryable: true })
    await expect(conversation.send('next')).resolves.toMatchObject({ code: 200 })
  })

  it('refuses more than may wait', async () => {
    gateway.fates.join.push('lost')
    const conversation = enter({ queueLimit: 2, ackTimeout: 100 })
    const taken = [conversation.send('one'), conversation.send('two')]
    await expect(conversation.send('three')).rejects.toMatchObject({ code: 'queueFull' })
    await Promise.all(taken)
    expect(written()).toEqual(['one', 'two'])
  })

  it('gives up what waits when it is closed', async () => {
    gateway.fates.send.push('deaf')
    const conversation = enter()
    const sent = conversation.send('never')
    clients[0]!.close()
    await expect(sent).rejects.toMatchObject({ code: 'closed' })
    await expect(conversation.send('later')).rejects.toMatchObject({ code: 'closed' })
  })

  it('takes a receipt as part of the conversation, and typing as none', async () => {
    const conversation = enter()
    await conversation.ready()
    conversation.typing(true)
    conversation.typing(true)
    conversation.typing(false)
    conversation.typing(false)
    const { id } = gateway.say('read me')
    await eventually(() => conversation.view.cursor === 1)
    await conversation.receipt('read', id!)
    expect(conversation.view.receiptOf(id!)).toBe('read')
    expect(conversation.view.cursor).toBe(2)
    const told = gateway.sends.map(({ activityType, info }) => [activityType, info])
    expect(told).toEqual([
      ['typing', { state: 'started' }],
      ['typing', { state: 'stopped' }],
      ['read', { messageId: id }],
    ])
  })
})
