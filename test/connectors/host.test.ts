// A hosted connector: registered whenever it is connected, asked again without sending again, and gone when sent away.
import { DeliveryError, type Accepted, type Connector, type Gateway, type Outgoing } from '../../connectors/connector'
import { hostConnector, type Host, type HostOptions } from '../../connectors/host'
import { createConnector } from '../../connectors/catalog'
import { busy, failure, startFakeGateway, type FakeGateway } from '../client/fake-gateway'
import { eventually } from '../support/eventually'

class FakeConnector implements Connector {
  readonly channel = 'pigeon'
  readonly name = 'Pigeon post'
  readonly sent: Outgoing[] = []
  closes = 0
  gateway!: Gateway
  deliver = async (message: Outgoing): Promise<Accepted> => {
    this.sent.push(message)
    return { providerMessageIds: [`p-${this.sent.length}`] }
  }
  async start(gateway: Gateway) {
    this.gateway = gateway
  }
  async close() {
    this.closes += 1
  }
}

let gateway: FakeGateway
let connector: FakeConnector
let hosts: Host[]
beforeEach(async () => {
  gateway = await startFakeGateway()
  connector = new FakeConnector()
  hosts = []
})
afterEach(async () => {
  for (const host of hosts) await host.close()
  await gateway.close()
})

async function host(options: Partial<HostOptions> = {}): Promise<Host> {
  const started = await hostConnector({ url: gateway.url, key: 'flk_key', connector, ...options })
  hosts.push(started)
  return started
}
const delivery = (deliveryId: string, more: object = {}) => ({
  type: 'ChatMessage',
  deliveryId,
  conversationId: 'any',
  refId: '+491701234567',
  account: '4711',
  text: 'Hello',
  attachments: [],
  ...more,
})
const deliver = (message: object): Promise<unknown> =>
  gateway.sockets()[0]!.timeout(5000).emitWithAck('messageArrived', message)
/** Each delivery waits until the test lets it arrive. */
function holdDeliveries(): ((accepted: Accepted) => void)[] {
  const arrivals: ((accepted: Accepted) => void)[] = []
  connector.deliver = () => new Promise((resolve) => arrivals.push(resolve))
  return arrivals
}
const incoming = (externalMessageId: string, from = '+491701234567') => ({
  ...{ from, account: '4711', text: externalMessageId, externalMessageId },
})
const ids = () => gateway.sends.map(({ externalMessageId }) => externalMessageId)

describe('registration', () => {
  it('is made with the key, and again after every reconnect', async () => {
    await host({ instance: 'b' })
    gateway.breakConnections()
    await eventually(() => gateway.registrations.length === 2)
    const registration = { id: 'pigeon', name: 'Pigeon post', channel: 'pigeon', instance: 'b', acknowledges: true }
    expect(gateway.registrations).toEqual([registration, registration])
    expect(gateway.tokens).toEqual(['flk_key', 'flk_key'])
  })

  it('is tried again while the gateway is busy', async () => {
    gateway.fates.register.push(busy(), busy())
    await host()
    expect(gateway.registrations).toHaveLength(3)
  })

  it('that is refused for good fails the start and closes the connector', async () => {
    gateway.fates.register.push(failure(403, 'forbidden'))
    await expect(host()).rejects.toMatchObject({ code: 'forbidden' })
    expect(connector.closes).toBe(1)
  })

  it('with a key that is void fails the start', async () => {
    gateway.fates.handshake.push(failure(401, 'unauthorized'))
    await expect(host()).rejects.toMatchObject({ code: 'unauthorized' })
  })

  it('can be given up while the gateway is not there', async () => {
    const stop = new AbortController()
    const starting = hostConnector({ url: 'http://127.0.0.1:9', connector, signal: stop.signal })
    stop.abort()
    await expect(starting).rejects.toMatchObject({ code: 'closed' })
    expect(connector.closes).toBe(1)
  })

  it('that a newer one fences ends it: it takes leave of its provider and stays away', async () => {
    let fencedBy = 0
    await host({ onFenced: ({ status }) => (fencedBy = status) })
    const [socket] = gateway.sockets()
    socket!.emit('error', failure(409, 'conflict'))
    socket!.disconnect(true)
    await eventually(() => fencedBy === 409)
    expect(connector.closes).toBe(1)
    await expect(connector.gateway.receive(incoming('late'))).rejects.toMatchObject({ code: 'closed' })
    expect(gateway.tokens).toHaveLength(1)
  })
})

describe('a delivery', () => {
  it('reaches the connector and is answered with the provider’s ids', async () => {
    await host()
    expect(await deliver(delivery('d1'))).toEqual({ code: 200, providerMessageIds: ['p-1'] })
    expect(connector.sent).toEqual([
      { deliveryId: 'd1', to: '+491701234567', account: '4711', text: 'Hello', attachments: [] },
    ])
  })

  it('that comes again is answered alike, and sent once', async () => {
    await host()
    const first = await deliver(delivery('d1'))
    gateway.breakConnections()
    await eventually(() => gateway.registrations.length === 2)
    expect(await deliver(delivery('d1'))).toEqual(first)
    expect(connector.sent).toHaveLength(1)
  })

  it('that comes again while it is on its way joins the one on its way', async () => {
    const arrivals = holdDeliveries()
    await host()
    const both = [deliver(delivery('d1')), deliver(delivery('d1'))]
    // Messages come in order: when the third is under way, both before it were heard.
    const third = deliver(delivery('d2'))
    await eventually(() => arrivals.length === 2)
    for (const [index, arrive] of arrivals.entries()) arrive({ providerMessageIds: [`p-${index}`] })
    const reply = { code: 200, providerMessageIds: ['p-0'] }
    expect(await Promise.all(both)).toEqual([reply, reply])
    expect(await third).toEqual({ code: 200, providerMessageIds: ['p-1'] })
  })

  it.each([
    [new DeliveryError('throttled', { retryable: true, retryAfter: 7 }), 503, true, 7],
    [new DeliveryError('unknown number', { retryable: false }), 422, false, undefined],
    [new Error('a secret'), 503, true, undefined],
  ])('that fails with %p is answered with %d', async (error, code, retryable, retryAfter) => {
    connector.deliver = () => Promise.reject(error)
    await host()
    const reason = error instanceof DeliveryError ? error.reason : 'error'
    expect(await deliver(delivery('d1'))).toEqual({
      ...{ code, retryable, reason },
      ...(retryAfter === undefined ? {} : { retryAfter }),
    })
  })

  it('that failed is tried again when it comes again', async () => {
    const { deliver: well } = connector
    connector.deliver = () => Promise.reject(new DeliveryError('down', { retryable: true }))
    await host()
    expect(await deliver(delivery('d1'))).toMatchObject({ code: 503 })
    connector.deliver = well
    expect(await deliver(delivery('d1'))).toMatchObject({ code: 200 })
  })

  it('of an earlier connection is never answered on a later one, where its number means another message', async () => {
    const arrivals = holdDeliveries()
    await host()
    gateway.sockets()[0]!.emit('messageArrived', delivery('d1'), () => undefined)
    await eventually(() => arrivals.length === 1)
    gateway.breakConnections()
    await eventually(() => gateway.registrations.length === 2)
    const packets: unknown[] = []
    gateway.sockets()[0]!.conn.on('packet', ({ data }) => packets.push(data))
    arrivals[0]!({ providerMessageIds: ['old'] })
    const again = deliver(delivery('d1'))
    expect(await again).toEqual({ code: 200, providerMessageIds: ['old'] })
    expect(packets.filter((data) => String(data).startsWith('3'))).toHaveLength(1)
  })

  it('on its way is waited for when the host closes, and a new one is put off', async () => {
    const arrivals = holdDeliveries()
    const started = await host()
    const underway = deliver(delivery('d1'))
    const joined = deliver(delivery('d1'))
    await eventually(() => arrivals.length === 1)
    const closed = started.close()
    expect(await deliver(delivery('d2'))).toMatchObject({ code: 503, retryable: true })
    expect(connector.closes).toBe(0)
    arrivals[0]!({ providerMessageIds: ['p'] })
    expect(await underway).toMatchObject({ code: 200 })
    expect(await joined).toMatchObject({ code: 200 })
    await closed
    expect(connector.closes).toBe(1)
    await eventually(() => gateway.sockets().length === 0)
  })
})

describe('what the provider brings', () => {
  it('is durable at the gateway when the call resolves', async () => {
    await host()
    await connector.gateway.receive(incoming('e1'))
    expect(gateway.sends).toEqual([
      {
        ...{ type: 'ChatMessage', channel: 'pigeon', account: '4711', refId: '+491701234567' },
        ...{ externalMessageId: 'e1', text: 'e1', attachments: [] },
      },
    ])
  })

  it('is repeated with the same id until it is taken, in order per customer', async () => {
    gateway.fates.send.push(busy(), busy())
    await host()
    await Promise.all(['e1', 'e2', 'e3'].map((id) => connector.gateway.receive(incoming(id))))
    expect(ids()).toEqual(['e1', 'e1', 'e1', 'e2', 'e3'])
  })

  it('does not wait for another customer’s trouble', async () => {
    gateway.fates.send.push('deaf')
    const started = await host()
    const stuck = connector.gateway.receive(incoming('stuck', '+1'))
    await connector.gateway.receive(incoming('through', '+2'))
    await started.close()
    await expect(stuck).rejects.toMatchObject({ code: 'closed' })
  })

  it('waits for the gateway to come back', async () => {
    gateway.fates.send.push('lost')
    await host()
    const received = connector.gateway.receive(incoming('e1'))
    await eventually(() => gateway.sends.length === 1)
    gateway.breakConnections()
    await received
    expect(ids()).toEqual(['e1', 'e1'])
  })

  it('is refused with the gateway’s word when that is final', async () => {
    gateway.fates.send.push(failure(413, 'tooLarge'))
    await host()
    await expect(connector.gateway.receive(incoming('e1'))).rejects.toMatchObject({ code: 'tooLarge' })
  })

  it('may be a receipt', async () => {
    await host()
    const receipt = { providerMessageId: 'p1', account: '4711', state: 'delivered', reason: 'DELIVRD' } as const
    await connector.gateway.report(receipt)
    expect(gateway.sends).toEqual([
      {
        ...{ type: 'ActivityMessage', activityType: 'delivered', channel: 'pigeon', account: '4711' },
        ...{ providerMessageId: 'p1', info: { providerMessageId: 'p1', reason: 'DELIVRD' } },
      },
    ])
  })
})

describe('the catalog', () => {
  const log = { info: () => undefined, warn: () => undefined }
  it('makes connectors by name, and says what is missing', () => {
    expect(createConnector('echo', { smppUrl: null, log }).channel).toBe('echo')
    expect(createConnector('sms', { smppUrl: 'smpp://id:secret@localhost', log }).channel).toBe('sms')
    expect(() => createConnector('sms', { smppUrl: null, log })).toThrow('SMPP_URL')
    expect(() => createConnector('constructor', { smppUrl: null, log })).toThrow('echo, sms')
  })
})
