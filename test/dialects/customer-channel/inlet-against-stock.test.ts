// Whatever bytes a client sends, however they are cut: with an inlet the same is heard, answered and refused as without.
import fc from 'fast-check'
import { frame, RawSocket } from '../../malformed/raw-socket'
import { eventually } from '../../support/eventually'
import { InletServer, inTurn, NAMES } from './inlet-server'

const RUNS = 500

let servers: readonly [InletServer, InletServer]
beforeAll(async () => {
  servers = [await InletServer.open(), await InletServer.open({ hasInlet: false })]
})
afterAll(() => Promise.all(servers.map((server) => server.close())))

/** What one server makes of it. */
async function outcome(server: InletServer, engine: 3 | 4, chunks: readonly (readonly Buffer[])[]) {
  server.forget()
  const client = await RawSocket.open(server.url, { engine })
  const packets: string[] = []
  // Who disconnects and connects anew gets another session id, at random.
  client.heard = (packet) => packets.push(packet.replace(/"sid":"[^"]+"/u, '"sid":"…"'))
  await eventually(() => server.sockets.length === 1)
  const { stream } = server
  for (const together of chunks)
    await inTurn(() => {
      // `ws` unmasks in place.
      for (const chunk of together) if (stream.listenerCount('data') > 0) stream.emit('data', Buffer.from(chunk))
    })
  client.end()
  await client.closed
  await eventually(() => server.ends.length === server.sockets.length)
  const { heard, ends, short } = server
  return { short, seen: { heard: [...heard], ends: [...ends], code: client.code, packets: packets.sort() } }
}

const mask = fc
  .oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.constant(new Uint8Array(4)))
  .map((bytes) => Buffer.from(bytes))
const often = <T>(arbitrary: fc.Arbitrary<T>) => ({ arbitrary, weight: 6 })
const name = fc.oneof(
  often(fc.constantFrom(...NAMES)),
  fc.constantFrom('connect', 'disconnect', 'newListener', 'error', '', 'nobody', '__proto__'),
)
const id = fc.oneof(
  often(fc.constantFrom('', '', '0', '7', '42', '007', '999999999999999')),
  fc.constantFrom('1234567890123456', '9'.repeat(30), '1.5', '-1', ' 1', '1 ', '1e3', '/,', '/,5', '/admin,', '１'),
)
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string(),
  fc.constantFrom(85, 90, 100, 300, 65_480, 65_500, 66_000).map((length) => 'x'.repeat(length)),
)
const value = fc.oneof(often(text), fc.jsonValue({ maxDepth: 2 }))
const json = fc.tuple(name, fc.array(value, { maxLength: 3 })).map(([event, args]) => JSON.stringify([event, ...args]))
const event = fc.tuple(id, json).map(([number, list]) => `42${number}${list}`)
const NOT_PLAIN = ['', '4', '42', '420', '42[', '42[]', '42[1]', '42[null]', '42{}', '42"x"', '42 ["sendMessage"]']
const packet = fc.oneof(
  often(event),
  event.chain((whole) => fc.nat(whole.length).map((length) => whole.slice(0, length))),
  fc.constantFrom(...NOT_PLAIN, '42["sendMessage"],', '42["sendMessage"]]', '\u{feff}42["sendMessage"]', '42["é😀"]'),
  fc.constantFrom('40', '41', '3', '6', '2', '1', '5', 'b4', '430[]', '43["x"]', '44"x"', '47', '4', '42["\ud800"]'),
)
const plain = fc.tuple(packet, mask).map(([whole, by]) => [frame(whole, { mask: by })])
/** An event with attachments, all of them or not, and something in between. */
const binary = fc
  .tuple(fc.constantFrom('', '7'), fc.nat(2), fc.constantFrom('2', '3', ''))
  .map(([number, sent, between]) => [
    frame(`452-${number}["sendMessage",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`),
    ...Array.from({ length: sent }, () => frame(Buffer.of(1, 2), { opcode: 2 })),
    ...(between === '' ? [] : [frame(between)]),
    ...(sent === 2 ? [] : [frame(Buffer.of(3), { opcode: 2 })]),
  ])
const fragments = fc
  .tuple(event, fc.nat(20), fc.constantFrom('ping', 'pong', 'event', 'nothing'), mask)
  .map(([whole, at, between, by]) => {
    const bytes = Buffer.from(whole)
    const other = { ping: frame('p', { opcode: 9 }), pong: frame('p', { opcode: 10 }), event: frame(whole) }
    return [
      frame(bytes.subarray(0, at), { fin: false, mask: by }),
      ...(between === 'nothing' ? [] : [other[between]]),
      frame(bytes.subarray(at), { opcode: 0 }),
    ]
  })
const control = fc.constantFrom(
  frame('ping', { opcode: 9 }),
  frame('', { opcode: 10 }),
  frame(Buffer.of(3, 0xe8), { opcode: 8 }),
  frame('', { opcode: 8 }),
  frame('x', { opcode: 8 }),
)
const EVENT = '42["sendMessage","framed"]'
const broken = fc.oneof(
  fc.constantFrom(1, 2, 4, 7).map((reserved) => frame(EVENT, { reserved })),
  fc.constantFrom(0, 2, 3, 11).map((opcode) => frame(EVENT, { opcode })),
  fc.constantFrom(30, 65_535, 65_536, 2 ** 21).map((claims) => frame(EVENT, { claims })),
  fc.constantFrom('c3', 'ff', 'eda080', 'f09f98').map((bad) => {
    const bytes = [Buffer.from('42["sendMessage","'), Buffer.from(bad, 'hex'), Buffer.from('"]')]
    return frame(Buffer.concat(bytes))
  }),
  fc.constant(frame(EVENT, { masked: false })),
  // Lengths that would have fitted into less.
  fc.constantFrom([126, 2], [127, 8]).map(([length = 0, bytes = 0]) => {
    const whole = frame(EVENT)
    const size = Buffer.alloc(bytes)
    size[bytes - 1] = EVENT.length
    return Buffer.concat([Buffer.of(0x81, 0x80 | length), size, whole.subarray(2)])
  }),
)
const part = fc.oneof(
  { arbitrary: plain, weight: 30 },
  binary,
  fragments,
  fc.oneof(control, broken).map((one) => [one]),
)
/** How long the next chunk is, and whether it comes in the same turn as the one before. */
const cut = fc.tuple(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 400 })), fc.boolean())
/** Bytes in chunks, by turns. Mostly a frame is a chunk, or all is one, or it is cut anywhere. */
const streams = fc
  .tuple(fc.array(part, { minLength: 1, maxLength: 12 }), fc.array(cut, { maxLength: 40 }), fc.nat(2))
  .map(([parts, cuts, how]): Buffer[][] => {
    const frames = parts.flat()
    if (how === 0) return frames.map((one) => [one])
    const bytes = Buffer.concat(frames)
    if (how === 1) return [[bytes]]
    const turns: Buffer[][] = []
    let at = 0
    for (const [length, isTogether] of [...cuts, [bytes.length, false] as const]) {
      if (at >= bytes.length) break
      const chunk = bytes.subarray(at, (at += length))
      if (isTogether && turns.length > 0) turns.at(-1)?.push(chunk)
      else turns.push([chunk])
    }
    return turns
  })

it('hears, answers and ends alike', async () => {
  let [heard, short] = [0, 0]
  await fc.assert(
    fc.asyncProperty(streams, fc.constantFrom(3, 4), async (chunks, engine) => {
      const [ours, stock] = [await outcome(servers[0], engine, chunks), await outcome(servers[1], engine, chunks)]
      expect(ours.seen).toEqual(stock.seen)
      expect(stock.short).toBe(0)
      heard += ours.seen.heard.length
      short += ours.short
    }),
    { numRuns: RUNS },
  )
  // Both ways were gone by many.
  expect(short).toBeGreaterThan(RUNS / 5)
  expect(heard - short).toBeGreaterThan(RUNS / 5)
}, 60_000)
