// Pings: every client of protocol 4 is asked whether it is there once an interval, and is let go when it does not say so.
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'socket.io'
import { io } from 'socket.io-client'
import oldIo from 'socket.io-client-v2'
import { Pings } from '../../../src/dialects/customer-channel/pings'
import { eventually } from '../../support/eventually'
import { openGateway } from '../../support/gateway'

describe('a gateway that pings every second', () => {
  let gateway: Awaited<ReturnType<typeof openGateway>>
  const pinged = { websocket: jest.fn(), polling: jest.fn(), upgraded: jest.fn(), old: jest.fn() }
  let sockets: { readonly connected: boolean; close(): unknown }[] = []
  beforeAll(async () => {
    gateway = await openGateway({ PING_INTERVAL: '1s', PING_TIMEOUT: '1s' })
    const { origin } = new URL(gateway.url)
    const alone = { forceNew: true, reconnection: false }
    const upgraded = io(origin, alone)
    upgraded.io.once('open', () => upgraded.io.engine.once('upgrade', () => upgraded.io.on('ping', pinged.upgraded)))
    const old = oldIo(origin, { ...alone, transports: ['websocket'] })
    old.on('pong', pinged.old)
    const direct = (['websocket', 'polling'] as const).map((transport) => {
      const socket = io(origin, { ...alone, transports: [transport] })
      socket.io.on('ping', pinged[transport])
      return socket
    })
    sockets = [upgraded, old, ...direct]
  })
  afterAll(async () => {
    for (const socket of sockets) socket.close()
    await gateway.close()
  })

  it.each(['websocket', 'polling', 'upgraded'] as const)('pings a client again and again: %s', async (kind) => {
    await eventually(() => expect(pinged[kind].mock.calls.length).toBeGreaterThanOrEqual(3))
  })
  it('leaves a client of protocol 3 to ping by itself, and answers', async () => {
    await eventually(() => expect(pinged.old.mock.calls.length).toBeGreaterThanOrEqual(3))
  })
  it('keeps all that answer', () => {
    expect(sockets.map(({ connected }) => connected)).toEqual(sockets.map(() => true))
  })
  it('closes the connection of one that does not answer', async () => {
    const { hostname, port } = new URL(gateway.url)
    const socket = connectTcp(Number(port), hostname)
    const received: string[] = []
    socket.setEncoding('latin1').on('data', (text: string) => received.push(text))
    socket.write(
      [
        'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
        `Host: ${hostname}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        '\r\n',
      ].join('\r\n'),
    )
    // A ping, and at last a frame that closes.
    await eventually(() => expect(received.join('')).toMatch(/\u0081\u00012.*\u0088/s))
    socket.destroy()
  })
})

describe('the beats', () => {
  const INTERVAL = 25_000
  beforeEach(() => void jest.useFakeTimers())
  afterEach(() => void jest.useRealTimers())

  /** What of Engine.IO's connection is asked for; it notes when it was pinged. */
  function connection(protocol = 4) {
    const pings: number[] = []
    const own = setTimeout(() => pings.push(NaN), INTERVAL)
    const fake = {
      ...{ protocol, readyState: 'open', writeBuffer: [], transport: { writable: false } },
      ...{ pingIntervalTimer: own as { refresh(): unknown }, hasRefreshedPingTimeout: true },
      sendPacket: () => pings.push(performance.now()),
      resetPingTimeout: jest.fn(),
    }
    return { pings, fake, conn: fake as unknown as Socket['conn'] }
  }

  it('come never later than the interval, and at most two of them sooner', () => {
    const all = new Pings(INTERVAL)
    const crowd = Array.from({ length: 300 }, () => {
      jest.advanceTimersByTime(37)
      const one = connection()
      all.take(one.conn)
      return { ...one, since: performance.now() }
    })
    jest.advanceTimersByTime(INTERVAL)
    for (const { pings, since } of crowd) {
      expect(pings).toHaveLength(1)
      expect(pings[0]! - since).toBeLessThanOrEqual(INTERVAL)
      expect(pings[0]! - since).toBeGreaterThanOrEqual(INTERVAL * 0.98)
    }
    expect(new Set(crowd.flatMap(({ pings }) => pings)).size).toBeLessThan(60)
    for (const { conn } of crowd) all.drop(conn)
  })
  it('begin anew when a ping is answered, and wait for the answer', () => {
    const all = new Pings(INTERVAL)
    const { pings, fake, conn } = connection()
    all.take(conn)
    jest.advanceTimersByTime(INTERVAL)
    expect(fake.resetPingTimeout).toHaveBeenCalledTimes(1)
    expect(fake.hasRefreshedPingTimeout).toBe(false)
    jest.advanceTimersByTime(2 * INTERVAL)
    expect(pings).toHaveLength(1)
    fake.pingIntervalTimer.refresh()
    jest.advanceTimersByTime(INTERVAL)
    expect(pings).toHaveLength(2)
    all.drop(conn)
  })
  it('ping nobody who is gone, and stop when nobody is left', () => {
    const all = new Pings(INTERVAL)
    const { pings, conn } = connection()
    all.take(conn)
    expect(jest.getTimerCount()).toBe(1)
    all.drop(conn)
    expect(jest.getTimerCount()).toBe(0)
    jest.advanceTimersByTime(2 * INTERVAL)
    expect(pings).toEqual([])
  })
  it('catch up with what they missed while the event loop stood still', () => {
    const all = new Pings(INTERVAL)
    const crowd = [0, 0.3, 0.6].map((part) => {
      jest.advanceTimersByTime(INTERVAL * part)
      const one = connection()
      all.take(one.conn)
      return one
    })
    jest.setSystemTime(Date.now() + 5 * INTERVAL)
    const stood = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 5 * INTERVAL)
    jest.advanceTimersByTime(INTERVAL / 50)
    for (const { fake } of crowd) expect(fake.resetPingTimeout).toHaveBeenCalledTimes(1)
    stood.mockRestore()
    for (const { conn } of crowd) all.drop(conn)
  })
  it('leave the timer of an Engine.IO that keeps another, and that of protocol 3', () => {
    const all = new Pings(INTERVAL)
    const [strange, old] = [connection(), connection(3)]
    Object.assign(strange.fake, { resetPingTimeout: undefined })
    for (const { conn } of [strange, old]) all.take(conn)
    jest.advanceTimersByTime(INTERVAL)
    for (const { pings } of [strange, old]) expect(pings).toEqual([NaN])
  })
})
