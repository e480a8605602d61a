// The short way in: what takes it, what does not, that neither overtakes the other, and that it leaves the libraries as they were.
import { frame, RawSocket } from '../../malformed/raw-socket'
import { eventually } from '../../support/eventually'
import { InletServer, inTurn, type Options } from './inlet-server'

let server: InletServer
let client: RawSocket
let packets: string[]
async function open(options: Options = {}, engine: 3 | 4 = 4): Promise<void> {
  server = await InletServer.open(options)
  client = await RawSocket.open(server.url, { engine })
  packets = []
  client.heard = (packet) => packets.push(packet)
  await eventually(() => server.sockets.length === 1)
}
afterEach(async () => {
  client.close()
  await server.close()
})
const event = (word: unknown, id = '') => `42${id}${JSON.stringify(['sendMessage', word])}`
const say = (word: unknown, id = '') => frame(event(word, id))
const write = (...frames: Buffer[]) => client.write(Buffer.concat(frames))
const turn = () => new Promise(setImmediate)

it.each([3, 4] as const)('hears and answers what is plain past Engine.IO %i and Socket.IO', async (engine) => {
  await open({}, engine)
  const { conn } = server.last
  const seen: unknown[] = []
  conn.on('packet', (packet) => seen.push(packet))
  write(say('one'), say('two', '0'), frame('42007["sendMessage",{"a":1},null]'), say('four', '9'.repeat(15)))
  await eventually(() => packets.length === 3)
  expect(server.heard).toEqual([
    ['sendMessage', 'one'],
    ['sendMessage', 'two', 'ack'],
    ['sendMessage', { a: 1 }, null, 'ack'],
    ['sendMessage', 'four', 'ack'],
  ])
  expect(packets.map((packet) => packet.split('[')[0])).toEqual(['430', '437', `43${'9'.repeat(15)}`])
  expect([server.short, seen]).toEqual([4, []])
})

it('hears texts of all lengths and tongues by the short way', async () => {
  await open()
  const words = [
    '',
    'grüß',
    '漢字',
    '👩‍👩‍👧 Ann',
    '\u0000',
    'é',
    ...[77, 100, 101, 102, 65_000].map((length) => 'ö'.repeat(length / 2)),
  ]
  words.push(...Array.from({ length: 140 }, (_, length) => 'x'.repeat(length)))
  const mask = Buffer.from('80fe01ff', 'hex')
  const { stream } = server
  for (const word of words) await inTurn(() => stream.emit('data', frame(event(word), { mask })))
  expect(server.words).toEqual(words)
  expect(server.short).toBe(words.length)
})

it('a frame that comes in pieces, or is too long, goes the long way; the next one the short way', async () => {
  await open()
  const large = 'x'.repeat(70_000)
  const { stream } = server
  for (const byte of say('bytes')) await inTurn(() => stream.emit('data', Buffer.of(byte)))
  write(say('short'))
  await eventually(() => server.heard.length === 2)
  write(say(large))
  await eventually(() => server.heard.length === 3)
  await turn()
  write(say('again'))
  await eventually(() => server.heard.length === 4)
  expect(server.words).toEqual(['bytes', 'short', large, 'again'])
  expect(server.short).toBe(2)
})

it('a frame that is cut anywhere is heard once, when all of it is there', async () => {
  await open()
  const { stream } = server
  // Without a mask, what came before would complete it.
  const whole = frame(event('twice'), { mask: Buffer.alloc(4) })
  for (let at = 0; at < whole.length; at++) {
    server.forget()
    await inTurn(() => stream.emit('data', Buffer.concat([whole, whole.subarray(0, at)])))
    expect(server.words).toEqual(['twice'])
    await inTurn(() => stream.emit('data', Buffer.from(whole.subarray(at))))
    expect(server.words).toEqual(['twice', 'twice'])
  }
  expect(server.ends).toEqual([])
})

it('a frame within a frame is not heard, wherever that one is cut', async () => {
  await open()
  const { stream } = server
  const inner = frame('42["sendMessage","smuggled"]')
  const outer = frame(inner, { opcode: 9, mask: Buffer.alloc(4) })
  for (let at = 1; at < outer.length; at++)
    for (const chunk of [outer.subarray(0, at), outer.subarray(at)])
      await inTurn(() => stream.emit('data', Buffer.from(chunk)))
  await inTurn(() => stream.emit('data', say('plain')))
  // The second byte of a ping.
  await inTurn(() => stream.emit('data', Buffer.of(0x89)))
  await inTurn(() => stream.emit('data', Buffer.from(inner)))
  expect(server.words).toEqual(['plain'])
})

it('an event between fragments is refused as ever', async () => {
  await open()
  const { stream } = server
  await inTurn(() => stream.emit('data', frame('42["sendMes', { fin: false })))
  await inTurn(() => stream.emit('data', say('between')))
  await client.closed
  expect([server.words, client.code]).toEqual([[], 1002])
})

const attachment = [frame('451-["sendMessage",{"_placeholder":true,"num":0}]'), frame('b', { opcode: 2 })]
const fragments = [frame('42["sendMes', { fin: false }), frame('sage","fragments"]', { opcode: 0 })]
const ping = frame('p', { opcode: 9 })
it.each([
  ['a ping', [ping], null],
  ['a pong of Engine.IO', [frame('3')], null],
  ['fragments', fragments, 'fragments'],
  ['fragments with a ping between them', [fragments[0]!, ping, fragments[1]!], 'fragments'],
  ['an attachment', attachment, Buffer.from('b')],
  ['another namespace', [frame('42/,["sendMessage","named"]')], 'named'],
  ['an id that is no safe integer', [say('odd', '9'.repeat(16))], 'odd'],
  ['an event that there is not', [frame('42["nobody",1]'), frame('42["error","x"]')], null],
])('nothing overtakes %s, in one chunk or one turn or turn by turn', async (_what, frames, word) => {
  await open()
  const expected = ['first', ...(word === null ? [] : [word]), 'last']
  const all = [say('first'), ...frames, say('last')]
  const { stream } = server
  const hear = async (...turns: Buffer[][]) => {
    server.forget()
    for (const chunks of turns) await inTurn(() => chunks.forEach((chunk) => stream.emit('data', Buffer.from(chunk))))
    expect(server.words).toEqual(expected)
    return server.short
  }
  expect(await hear([Buffer.concat(all)])).toBe(1)
  expect(await hear(all)).toBe(1)
  expect(await hear(...all.map((one) => [one]))).toBe(2)
  const bytes = Buffer.concat(all)
  for (let at = 1; at < bytes.length; at++) await hear([bytes.subarray(0, at), bytes.subarray(at)])
})

it.each([
  ['bytes that are no UTF-8', frame(Buffer.from('42["sendMessage","\xff"]', 'latin1')), 1007],
  ['a frame without a mask', frame(event('x'), { masked: false }), 1002],
  ['a reserved bit', frame(event('x'), { reserved: 4 }), 1002],
  ['an opcode that there is not', frame(event('x'), { opcode: 3 }), 1002],
  ['a frame larger than all', frame(event('x'), { claims: 2 ** 21 }), 1009],
  ['bad JSON', frame('42["sendMessage",]'), null],
  ['a reserved name', frame('42["disconnect"]'), null],
  ['no event', frame('42[{}]'), null],
  ['a namespace that there is not', frame('42/nowhere,["sendMessage"]'), null],
  ['a close frame', frame(Buffer.of(3, 0xe8), { opcode: 8 }), 1000],
])('%s ends the connection as ever, behind what was said before it', async (_what, bad, code) => {
  await open()
  write(say('before'), bad, say('behind'))
  await client.closed
  await eventually(() => server.ends.length === 1)
  expect(server.words[0]).toBe('before')
  expect([server.short, client.code]).toEqual([1, code])
})

it('who closes the connection hears nothing more of the same chunk', async () => {
  await open({
    does: (socket, _event, [word]) => {
      if (word === 'bye') socket.disconnect(true)
    },
  })
  write(say('hello'), say('bye'), say('behind'))
  await client.closed
  expect(server.words).toEqual(['hello', 'bye'])
})

it('nothing is heard on a connection that is closing and has something to write still', async () => {
  await open()
  const { stream } = server
  const conn = server.last.conn as unknown as { transport: { writable: boolean }; write(packet: string): void }
  conn.transport.writable = false
  conn.write('2["held"]')
  server.last.conn.close()
  await inTurn(() => stream.emit('data', say('late')))
  expect([server.last.connected, server.words]).toEqual([true, []])
})

it('a socket that comes after another on one connection is heard in its place', async () => {
  await open()
  write(say('one', '1'))
  await eventually(() => packets.length === 1)
  write(frame('41'))
  await eventually(() => server.ends.length === 1)
  client.say('40')
  await eventually(() => server.sockets.length === 2)
  write(say('two', '2'), say('three'))
  await eventually(() => server.heard.length === 3)
  expect(server.short).toBe(3)
  await eventually(() => packets.filter((packet) => packet.startsWith('43')).length === 2)
})

it('what comes while a pong is waited for prolongs that, as ever', async () => {
  await open({ ping: { pingInterval: 20, pingTimeout: 60_000 } })
  const { conn } = server.last as unknown as {
    conn: { pingTimeoutTimer: unknown; hasRefreshedPingTimeout: boolean }
  }
  const pong = client.say.bind(client, '3')
  client.say = () => undefined
  await eventually(() => conn.pingTimeoutTimer !== null)
  write(say('waiting'))
  await eventually(() => server.heard.length === 1)
  expect([server.short, conn.hasRefreshedPingTimeout]).toEqual([0, true])
  pong()
  await eventually(() => conn.pingTimeoutTimer === null)
})
it('who talks and answers no ping is taken for gone, as ever', async () => {
  await open({ ping: { pingInterval: 20, pingTimeout: 50 } })
  client.say = () => undefined
  await eventually(() => {
    write(say('still here'))
    return server.ends.length > 0
  })
  expect(server.ends).toEqual(['ping timeout'])
})

it('a hearer that throws is to blame itself: neither the connection nor what stands behind notices', async () => {
  const cause = new Error('a fault of ours')
  await open({
    does: (_socket, _event, [word]) => {
      if (word === 'bad') throw cause
    },
  })
  const thrown: unknown[] = []
  const nextTick = process.nextTick.bind(process)
  const spy = jest.spyOn(process, 'nextTick').mockImplementation((work, ...args: unknown[]) => {
    if (args[0] === cause)
      try {
        ;(work as (...rest: unknown[]) => void)(...args)
      } catch (error) {
        thrown.push(error)
      }
    else nextTick(work, ...args)
  })
  try {
    write(say('bad'), say('good', '1'))
    await eventually(() => packets.length === 1)
  } finally {
    spy.mockRestore()
  }
  expect(server.words).toEqual(['bad', 'good'])
  expect(thrown).toEqual([cause])
})

interface Parts {
  upgrading?: boolean
  transport: { socket: { _receiver: Record<string, unknown> } }
}
it.each<[string, (parts: Parts) => void]>([
  ['an Engine.IO that does not say whether it upgrades', (parts) => delete parts.upgrading],
  [
    'a receiver that somebody else stands before',
    ({ transport }) => {
      const { _receiver: receiver } = transport.socket
      const write = receiver['write'] as (...args: unknown[]) => unknown
      receiver['write'] = (...args: unknown[]) => write.apply(receiver, args)
    },
  ],
  [
    'a receiver that takes its time',
    ({ transport }) => (transport.socket._receiver['_allowSynchronousEvents'] = false),
  ],
  ['a receiver that takes less', ({ transport }) => (transport.socket._receiver['_maxPayload'] = 60_000)],
])('%s is left alone', async (_what, change) => {
  await open({ prepare: (connection) => change(connection as unknown as Parts) })
  write(say('one', '1'), say('two'))
  await eventually(() => server.heard.length === 2)
  expect([server.words, server.short]).toEqual([['one', 'two'], 0])
})
