// A gateway on its way down, as its clients see it: what it still answers, what it sends elsewhere, and how it lets go.
import { drain } from '../../../src/dialects/customer-channel/drain'
import { openMemory } from '../../../src/store/open-database'
import { eventually } from '../../support/eventually'
import { openGateway } from '../../support/gateway'
import { connect, customer, init, login, post, request, say, type Reply } from '../../support/people'

const CROWD = 12

describe('a gateway that stops', () => {
  it('is not ready, begins nothing new, and answers what goes on until each connection is closed', async () => {
    const gateway = await openGateway({ DRAIN: '3s' })
    const { url } = gateway
    const { conversationId, participant } = await init(url)
    const crowd = await Promise.all(
      Array.from({ length: CROWD }, (_, i) => connect(url, i % 4 === 0 ? { transports: ['polling'] } : {})),
    )
    const reasons: string[] = []
    for (const { socket } of crowd) socket.on('disconnect', (reason) => reasons.push(reason))
    const ann = await customer(url, { refId: 'ann' })
    const token = await login(url)
    const closed = gateway.close()

    const ready = await request(url, '/health/ready')
    expect(ready).toMatchObject({ status: 503, json: { reasons: ['The gateway is shutting down.'] } })
    expect((await request(url, '/health/live')).status).toBe(200)
    const refused = await post(url, '/api/customer/init', { channel: 'web', refId: 'late' })
    expect(refused).toMatchObject({ status: 503, json: { error: { code: 'unavailable', retryable: true } } })
    expect([refused.headers.get('retry-after'), refused.headers.get('connection')]).toEqual(['1', 'close'])
    expect((await request(url, '/api/agent/conversations', {}, token)).status).toBe(200)
    await expect(connect(url)).rejects.toThrow()
    const joining = { conversationId, id: participant.id }
    const join = Promise.any(crowd.map(({ call }) => call('joinConversation', joining)))
    expect(await join).toMatchObject({ code: 503, error: { code: 'unavailable', retryable: true, retryAfter: 1 } })
    if (ann.socket.connected)
      await ann.call('sendMessage', say(ann.conversationId, 'still here')).catch(() => undefined)

    await closed
    await eventually(() => reasons.length === CROWD)
    // After this reason, and not after one of ours, Socket.IO's clients come back by themselves.
    expect(new Set(reasons)).toEqual(new Set(['transport close']))
    ann.close()
  })

  it('gives the acknowledgements under way before it closes a connection', async () => {
    const database = await openMemory()
    const { conversations } = database
    let go: (() => void) | null = null
    let isHeld = false
    const update: typeof conversations.update = async (needs, decide) => {
      if (isHeld) await new Promise<void>((resolve) => (go = resolve))
      return conversations.update(needs, decide)
    }
    const held = new Proxy(conversations, {
      get: (target, name) => {
        if (name === 'update') return update
        const own: unknown = Reflect.get(target, name)
        return typeof own === 'function' ? own.bind(target) : own
      },
    })
    const gateway = await openGateway({}, { database: { ...database, conversations: held } })
    const letGo = () => go?.()
    const ann = await customer(gateway.url, { refId: 'ann' })
    isHeld = true
    const sent: Promise<Reply> = ann.call('sendMessage', say(ann.conversationId, 'last words'))
    await eventually(() => go !== null)
    const closed = gateway.close()
    await new Promise(setImmediate)
    expect(ann.socket.connected).toBe(true)
    letGo()
    expect(await sent).toMatchObject({ code: 200 })
    await closed
    await eventually(() => !ann.socket.connected)
  })
})

describe('connections that are drained', () => {
  it('are closed in any order, each after its answers, and one that closed by itself is left alone', async () => {
    const closed: number[] = []
    const answered: number[] = []
    const connections = [0, 1, 2, 3].map((number) => ({
      number,
      readyState: number === 3 ? 'closed' : 'open',
      close: () => void closed.push(number),
    }))
    const moments = [2, 0, 1, 3].map((n) => n / 40)
    await drain({
      ms: 400,
      connections,
      random: () => moments.shift()!,
      retire: async ({ number }) => {
        expect(closed).not.toContain(number)
        answered.push(number)
      },
    })
    expect(answered).toEqual([1, 2, 0, 3])
    expect(closed).toEqual([1, 2, 0])
  })
})
