// Every fault of the proxy is what it says, so that the tests that use it prove something.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { eventually } from './eventually'
import { FaultProxy } from './fault-proxy'

/** An end of a connection, and what came to it. */
class End {
  readonly pieces: string[] = []
  fate: 'open' | 'ended' | 'reset' = 'open'
  constructor(readonly socket: Socket) {
    socket.on('data', (bytes) => this.pieces.push(bytes.toString()))
    socket.on('end', () => (this.fate = 'ended'))
    socket.on('error', () => (this.fate = 'reset'))
  }
  get text(): string {
    return this.pieces.join('')
  }
}

let server: Server
let proxy: FaultProxy
let served: End[]
let clients: End[]
beforeEach(async () => {
  served = []
  clients = []
  server = createServer({ allowHalfOpen: true }, (socket) => served.push(new End(socket)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy = await FaultProxy.start(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
afterEach(async () => {
  for (const { socket } of [...clients, ...served]) socket.destroy()
  await proxy.close()
  server.close()
})
/** A client and its server's end, which know of each other. */
async function pair(): Promise<[End, End]> {
  const socket = connect({ port: Number(new URL(proxy.url).port), host: '127.0.0.1', allowHalfOpen: true })
  const client = new End(socket)
  clients.push(client)
  const { length } = served
  await eventually(() => served.length > length)
  return [client, served.at(-1)!]
}
const LONG = 'abcdefghij'.repeat(2_000)

it('carries both ways, whole, and the end of each side by itself', async () => {
  const [client, server] = await pair()
  client.socket.end(LONG)
  await eventually(() => server.text === LONG && server.fate === 'ended')
  server.socket.end('bye')
  await eventually(() => client.text === 'bye' && client.fate === 'ended')
})

it('is late by its latency, in one direction or both, and keeps the order', async () => {
  const [client, server] = await pair()
  proxy.set({ latency: 200 }, 'up')
  const began = performance.now()
  client.socket.write('one ')
  server.socket.write('at once')
  await eventually(() => client.text === 'at once')
  expect(server.text).toBe('')
  client.socket.write('two')
  await eventually(() => server.text === 'one two')
  expect(performance.now() - began).toBeGreaterThanOrEqual(190)
})

it('lets so many bytes a second through', async () => {
  const [client, server] = await pair()
  proxy.set({ bytesPerSecond: 40_000 })
  const began = performance.now()
  client.socket.write(LONG)
  await eventually(() => server.text === LONG)
  expect(performance.now() - began).toBeGreaterThan(LONG.length / 80)
})

it('gives out byte by byte', async () => {
  const [client, server] = await pair()
  proxy.set({ slice: 1 })
  client.socket.write(LONG)
  await eventually(() => server.text === LONG)
  expect(server.pieces.length).toBeGreaterThan(100)
})

it('holds up what is said in a partition, ends included, and brings all of it when it is healed', async () => {
  const [client, server] = await pair()
  proxy.stall('up')
  client.socket.end(LONG)
  server.socket.write('still heard')
  await eventually(() => client.text === 'still heard')
  expect([server.text, server.fate]).toEqual(['', 'open'])
  proxy.stall('down')
  proxy.heal()
  await eventually(() => server.text === LONG && server.fate === 'ended')
})

it('strands who is connected: neither a byte nor an end comes, and a new connection is free', async () => {
  const [client, server] = await pair()
  proxy.strand()
  client.socket.write('lost')
  client.socket.destroy()
  const [next, other] = await pair()
  next.socket.write('hello')
  await eventually(() => other.text === 'hello')
  proxy.heal()
  expect([server.text, server.fate]).toEqual(['', 'open'])
})

it('strands one direction only', async () => {
  const [client, server] = await pair()
  proxy.strand('up')
  client.socket.write('lost')
  server.socket.write('heard')
  await eventually(() => client.text === 'heard')
  expect(server.text).toBe('')
})

it('resets in the middle of a frame', async () => {
  const [client, server] = await pair()
  proxy.resetMidFrame('up')
  client.socket.write('short')
  await eventually(() => server.text === 'short')
  client.socket.write(LONG)
  await eventually(() => server.fate === 'reset' && client.fate === 'reset')
  expect(server.text.length).toBeLessThan(LONG.length)
})

it('resets, cuts and refuses, and goes on when it is healed', async () => {
  const [first, firstServed] = await pair()
  proxy.reset()
  await eventually(() => first.fate === 'reset' && firstServed.fate === 'reset')
  const [second] = await pair()
  proxy.cut()
  await eventually(() => second.fate === 'ended')
  proxy.refuse()
  const refused = new End(connect(Number(new URL(proxy.url).port), '127.0.0.1'))
  await eventually(() => refused.fate === 'reset')
  proxy.heal()
  const [third, thirdServed] = await pair()
  third.socket.write('hello')
  await eventually(() => thirdServed.text === 'hello')
})

it('goes to the next target when the first takes no connection', async () => {
  const gone = createServer()
  gone.listen(0, '127.0.0.1')
  await once(gone, 'listening')
  const { port } = gone.address() as AddressInfo
  gone.close()
  await proxy.close()
  proxy = await FaultProxy.start(`tcp://127.0.0.1:${port}`, `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const [client, other] = await pair()
  client.socket.write('hello')
  await eventually(() => other.text === 'hello')
})
