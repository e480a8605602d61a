// The connection of a client: it comes back when that is welcome, with a credential that still holds.
import { connect, type ChannelClient, type ConnectOptions } from '../../src/client/channel-client'
import type { ChannelError } from '../../src/client/channel-error'
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

function open(options: Partial<ConnectOptions> = {}): ChannelClient {
  const client = connect({ url: gateway.url, ...options })
  clients.push(client)
  return client
}
const jwt = (secondsFromNow: number, name = 'token') =>
  ['{}', JSON.stringify({ exp: Math.floor(Date.now() / 1000) + secondsFromNow, name }), 'signature']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')
const TIMES = [
  'Date',
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const
/** For timers that stand still: turns of the event loop pass. */
async function untilTrue(check: () => boolean): Promise<void> {
  const end = performance.now() + 5_000
  while (!check() && performance.now() < end) await new Promise((resolve) => setImmediate(resolve))
}
const connected = (client: ChannelClient) => eventually(() => client.state === 'connected')

describe('a connection', () => {
  it('comes back by itself when the gateway sent it away without a reason', async () => {
    const client = open()
    await connected(client)
    gateway.sockets()[0]!.disconnect(true)
    await eventually(() => client.state === 'reconnecting')
    await connected(client)
    expect(gateway.tokens).toHaveLength(2)
  })

  it.each([403, 409])('stays away after %d, and says why to all who wait', async (code) => {
    const client = open()
    const errors: ChannelError[] = []
    client.on('error', (error) => errors.push(error))
    const conversation = client.join({ conversationId: CONVERSATION, id: 'handle-1' })
    await conversation.ready()
    gateway.fates.send.push('deaf')
    const sent = conversation.send('never')
    gateway.sockets()[0]!.emit('error', failure(code, 'conflict'))
    gateway.sockets()[0]!.disconnect(true)
    await expect(sent).rejects.toMatchObject({ status: code })
    expect(client.state).toBe('closed')
    expect(conversation.state).toBe('closed')
    expect(errors.map(({ status }) => status)).toEqual([code, code])
  })

  it('tries again when the gateway is too busy to take it, not sooner than asked', async () => {
    gateway.fates.handshake.push(busy(1))
    const began = performance.now()
    await connected(open())
    expect(performance.now() - began).toBeGreaterThanOrEqual(1000)
  })

  it('comes back when the gateway died within the handshake, of which Socket.IO hears nothing', async () => {
    jest.useFakeTimers({ doNotFake: TIMES.filter((name) => name !== 'setTimeout' && name !== 'clearTimeout') })
    try {
      gateway.breakNextHandshake()
      const client = open()
      await untilTrue(() => gateway.brokenHandshakes() === 1)
      // The handshake is given up, and the first pause is over.
      jest.advanceTimersByTime(10_000 + 1_700)
      await untilTrue(() => client.state === 'connected')
      expect(client.state).toBe('connected')
    } finally {
      jest.useRealTimers()
    }
  })

  it('tells members of the staff of a new conversation', async () => {
    const client = open({ token: jwt(3600) })
    const told: string[] = []
    client.on('initConversation', ({ conversationId }) => told.push(conversationId))
    await connected(client)
    gateway.sockets()[0]!.emit('initConversation', { conversation: { conversationId: 'new' } })
    await eventually(() => told.length === 1)
    expect(told).toEqual(['new'])
  })

  it('asks for a token before its first handshake when it was given none', async () => {
    await connected(open({ getToken: () => Promise.resolve('asked') }))
    expect(gateway.tokens).toEqual(['asked'])
  })

  it('asks for another token when the one in hand has expired, without showing it', async () => {
    await connected(open({ token: jwt(-60), getToken: () => Promise.resolve('asked') }))
    expect(gateway.tokens).toEqual(['asked'])
  })

  it('asks for another token when the gateway refuses the one in hand', async () => {
    gateway.fates.handshake.push(failure(401, 'unauthorized'))
    const asked: (string | undefined)[] = []
    const getToken = (refused: string | undefined) => {
      asked.push(refused)
      return Promise.resolve('second')
    }
    await connected(open({ token: 'first', getToken }))
    expect(gateway.tokens).toEqual(['first', 'second'])
    expect(asked).toEqual(['first'])
  })

  it('is closed when its token is refused and there is no other', async () => {
    gateway.fates.handshake.push(failure(401, 'unauthorized'))
    const client = open({ token: 'revoked' })
    const errors: string[] = []
    client.on('error', ({ code }) => errors.push(code))
    await eventually(() => client.state === 'closed')
    expect(errors).toEqual(['unauthorized'])
  })
})

describe('a customer’s token', () => {
  it('goes with the join, and the fresh one from its answer goes with the next', async () => {
    const conversation = open().join({ conversationId: CONVERSATION, id: 'handle-1', token: 'from-init' })
    await conversation.ready()
    gateway.breakConnections()
    await eventually(() => gateway.joins.length === 2)
    expect(gateway.joins.map(({ token }) => token)).toEqual(['from-init', 'fresh-1'])
    expect(gateway.tokens).toEqual([undefined, undefined])
  })

  it('that came with the connection is renewed for the next handshake', async () => {
    const conversation = open({ token: 'from-init' }).join({ conversationId: CONVERSATION, id: 'handle-1' })
    await conversation.ready()
    gateway.breakConnections()
    await eventually(() => gateway.joins.length === 2)
    // The seat lasts as long as the token it is taken with: a join shows it, too.
    expect(gateway.joins.map(({ token }) => token)).toEqual(['from-init', 'fresh-1'])
    expect(gateway.tokens).toEqual(['from-init', 'fresh-1'])
  })

  it('is renewed when the join refuses it', async () => {
    gateway.fates.join.push(failure(401, 'unauthorized'))
    gateway.answerPost = () => ({ token: 'renewed', expiresAt: '2026-11-21T10:15:30.000Z' })
    const conversation = open().join({ conversationId: CONVERSATION, id: 'handle-1', token: 'expired' })
    await conversation.ready()
    const body = { conversationId: CONVERSATION, id: 'handle-1', token: 'expired' }
    expect(gateway.posts).toEqual([{ path: '/api/customer/token', body }])
    expect(gateway.joins.map(({ token }) => token)).toEqual(['expired', 'renewed'])
  })

  it('is left away when it cannot be renewed, because the handle alone may do', async () => {
    gateway.fates.join.push(failure(401, 'unauthorized'))
    gateway.fates.post.push(failure(401, 'unauthorized'))
    const conversation = open().join({ conversationId: CONVERSATION, id: 'handle-1', token: 'expired' })
    await conversation.ready()
    expect(gateway.joins.map(({ token }) => token)).toEqual(['expired', undefined])
  })
})
