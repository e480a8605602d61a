// Frames as nobody should send them: broken WebSocket framing, broken Engine.IO packets, broken Socket.IO grammar.
import { EVENTS } from '../../src/dialects/customer-channel/catalog-events'
import type { Chance } from './chance'
import { EVIL_NAMES, garbled, junk, MARK, write } from './junk'
import { frame } from './raw-socket'

export interface FrameCase {
  readonly kind: string
  readonly bytes: Buffer
  /** It is not whole: only the end of the connection ends it. */
  readonly isCut?: boolean
}

const NAMES = [...Object.keys(EVENTS), 'joinConveration']
const RESERVED = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'error', 'newListener', 'removeListener']
const eventName = (chance: Chance): unknown =>
  chance.pick<() => unknown>([
    () => chance.pick(NAMES),
    () => chance.pick(RESERVED),
    () => chance.pick(EVIL_NAMES),
    () => chance.pick([0, -1, 1.5, 1e308]),
    () => MARK + 'x'.repeat(chance.pick([1, 300, 30_000])),
    () => junk(chance),
  ])()
/** Mostly what the grammar allows: what is refused at once goes no further, and costs a connection. */
const ODD_IDS = ['-1', '9'.repeat(30), '9'.repeat(400), '1.5', '1e5', ' 1', '0x1', '１', '\u0000']
const ackId = (chance: Chance): string =>
  chance.pick(chance.oneIn(8) ? ODD_IDS : ['', '7', '0', '00', '9007199254740993', '18446744073709551616'])
const ODD_NAMESPACES = ['/admin,', '/admin', '//,', '/?a=b,', '/__proto__,', '/ ,', `/${MARK},`, '/\ud800,', '/']
const namespace = (chance: Chance): string =>
  chance.oneIn(8) ? chance.pick(ODD_NAMESPACES) : chance.pick(['', '', '/,'])
const args = (chance: Chance): unknown[] => Array.from({ length: chance.below(4) }, () => junk(chance))

const text = (packet: string): Buffer => frame(packet)
const binary = (bytes: number | Buffer): Buffer =>
  frame(typeof bytes === 'number' ? Buffer.alloc(bytes, 0x7a) : bytes, { opcode: 2 })

/** Socket.IO's grammar. */
const PACKETS: Readonly<Record<string, (chance: Chance) => string>> = {
  event: (chance) => `42${namespace(chance)}${ackId(chance)}${write([eventName(chance), ...args(chance)])}`,
  'reserved name': (chance) => `42${ackId(chance)}${write([chance.pick(RESERVED), ...args(chance)])}`,
  'evil name': (chance) => `42${ackId(chance)}${write([chance.pick(EVIL_NAMES), ...args(chance)])}`,
  'function’s place': (chance) =>
    `42${write([chance.pick(NAMES), null, { ack: true }, ...args(chance), 'function(){}'])}`,
  'no event': (chance) => `42${ackId(chance)}${write(junk(chance))}`,
  ack: (chance) => `43${namespace(chance)}${ackId(chance)}${write(chance.oneIn(8) ? junk(chance) : args(chance))}`,
  connect: (chance) => `40${namespace(chance)}${chance.oneIn(2) ? write(junk(chance)) : ''}`,
  'connect error': (chance) => `44${namespace(chance)}${write(junk(chance))}`,
  'unknown packet': (chance) => `4${chance.pick(['7', '8', '9', 'a', ' ', '-', '😀', '\u0000'])}${write(args(chance))}`,
  'binary head': (chance) =>
    `4${chance.pick(['5', '6'])}${chance.pick(['1', '0', '-1', '11', '1.5', '99999999', '', 'x', '1e1'])}${chance.pick(['-', '', '--'])}${ackId(chance)}${write(
      [chance.pick(NAMES), { _placeholder: true, num: chance.pick([0, 1, -1, 1e9, 0.5]) }],
    )}`,
  garbled: (chance) => garbled(`42${ackId(chance)}${write([chance.pick(NAMES), { conversationId: MARK }])}`, chance),
  'engine packet': (chance) =>
    `${chance.pick(['0', '1', '3', '5', '6', '7', '9', 'x', ' ', 'b', 'bAAAA', '2probe', '3probe', '5'])}${chance.pick(['', 'probe', MARK])}`,
  nothing: (chance) => chance.pick(['', '4', '42', '42[', '42[]', '42[""]', '420', '4\u0000']),
}
/** A connection survives these, and costs much: they come more often. */
const SURVIVED = ['event', 'event', 'evil name', 'function’s place', 'ack']
const KINDS = [...Object.keys(PACKETS), ...SURVIVED, ...SURVIVED]
/** Below Socket.IO: the frames themselves. */
const FRAMES: Readonly<Record<string, (chance: Chance) => Buffer>> = {
  'fragments in order': (chance) => {
    const whole = Buffer.from(`42${write([chance.pick(NAMES), junk(chance)])}`)
    const at = chance.below(whole.length)
    return Buffer.concat([
      frame(whole.subarray(0, at), { fin: false }),
      frame('', { opcode: 9 }),
      frame('', { opcode: 0, fin: false }),
      frame(whole.subarray(at), { opcode: 0 }),
    ])
  },
  'fragments out of order': (chance) =>
    chance.pick([
      frame('42["x"]', { fin: false }),
      frame('42["x"]', { opcode: 0 }),
      Buffer.concat([frame('42[', { fin: false }), text('42["x"]')]),
      frame('x', { opcode: 9, fin: false }),
    ]),
  'reserved bits': (chance) => frame('42["x"]', { reserved: 1 + chance.below(7) }),
  'unknown opcode': (chance) => frame('42["x"]', { opcode: chance.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) }),
  'not masked': () => frame('42["x"]', { masked: false }),
  'broken UTF-8': (chance) =>
    frame(
      Buffer.concat([
        Buffer.from('42["sendMessage",{"text":"'),
        Buffer.from(chance.pick(['c3', 'e282', 'f09f98', 'ff', 'eda080', 'c0af']), 'hex'),
        Buffer.from(chance.pick(['', '"}]'])),
      ]),
    ),
  'a claim too large': (chance) =>
    frame('42["x"]', {
      claims: chance.pick<number | bigint>([2 ** 31, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n, 3_000_000]),
    }),
  'a long control frame': (chance) => frame('x'.repeat(126), { opcode: chance.pick([8, 9, 10]) }),
  'a strange close': (chance) =>
    frame(Buffer.from(chance.pick(['', '03', '0000', '03e7', 'ffff', '03e8ff', '03ed']), 'hex'), { opcode: 8 }),
  pings: (chance) => Buffer.concat(Array.from({ length: chance.pick([1, 20]) }, () => frame(MARK, { opcode: 9 }))),
  pongs: (chance) => Buffer.concat(Array.from({ length: chance.pick([1, 20]) }, () => frame(MARK, { opcode: 10 }))),
  heartbeats: (chance) => Buffer.concat(Array.from({ length: chance.pick([1, 50]) }, () => text('3'))),
  'binary without a head': (chance) => binary(chance.pick([0, 1, 100, 5_000])),
  'binary with its head': (chance) => {
    const count = 1 + chance.below(3)
    const places = Array.from({ length: count }, (_, i) => ({ _placeholder: true, num: i }))
    const request = chance.oneIn(2) ? places[0] : { conversationId: MARK, text: places[0], z: places }
    return Buffer.concat([
      text(`45${count}-${chance.pick(['', '7'])}${write([chance.pick(NAMES), request])}`),
      ...places.map(() => binary(chance.pick([0, 3, 1_000]))),
    ])
  },
  'binary with another placeholder': (chance) =>
    Buffer.concat([
      text(
        `451-${write([chance.pick(NAMES), { _placeholder: true, num: chance.pick([1, -1, 1e9, 'length', '__proto__']) }])}`,
      ),
      binary(3),
    ]),
}
/** What has no end: the connection is ended behind it. */
const CUTS: Readonly<Record<string, (chance: Chance) => Buffer>> = {
  'half a frame': (chance) => {
    const whole = text(`42${write([chance.pick(NAMES), junk(chance)])}`)
    return whole.subarray(0, chance.below(whole.length))
  },
  'a claim not kept': () => frame('42["x"]', { claims: 1_000 }),
  'half a packet of binaries': () =>
    Buffer.concat([text('453-["sendMessage",{"_placeholder":true,"num":0}]'), binary(9)]),
  // A session without a namespace lives on, in silence.
  disconnect: (chance) => text(`41${namespace(chance)}${chance.oneIn(3) ? '{}' : ''}`),
  'random bytes': (chance) => Buffer.from(Array.from({ length: 1 + chance.below(200) }, () => chance.below(256))),
}
/** Too much, now and then: it costs more to send than to refuse. */
const large = (): Buffer => text(`42["sendMessage",{"text":"${MARK.repeat(120_000)}"}]`)

export function frameCase(chance: Chance): FrameCase {
  if (chance.oneIn(400)) return { kind: 'a frame too large', bytes: large() }
  const of = chance.below(20)
  if (of === 0) {
    const kind = chance.pick(Object.keys(CUTS))
    return { kind, bytes: CUTS[kind]!(chance), isCut: true }
  }
  if (of < 5) {
    const kind = chance.pick(Object.keys(FRAMES))
    return { kind, bytes: FRAMES[kind]!(chance) }
  }
  const kind = chance.pick(KINDS)
  const packet = PACKETS[kind]!(chance)
  return { kind, bytes: text(packet), isCut: packet.startsWith('41') }
}

/** The body of a polling POST: packets, separated as Engine.IO 4 does it, mostly. */
export function pollingBody(chance: Chance): string {
  const packet = () => PACKETS[chance.pick(Object.keys(PACKETS))]!(chance)
  const packets = Array.from({ length: 1 + chance.below(4) }, packet)
  const body = packets.join(chance.oneIn(4) ? chance.pick(['', '\n', '\u001e\u001e', '1:', '-1:', 'b']) : '\u001e')
  return chance.oneIn(5) ? garbled(body, chance) : body
}
/** A CONNECT that is none. */
export const connectPacket = (chance: Chance): string =>
  chance.pick([
    () => `40${write(junk(chance))}`,
    () => `40${write({ token: junk(chance) })}`,
    () => `40${namespace(chance)}${write({ token: junk(chance), [chance.pick(EVIL_NAMES)]: junk(chance) })}`,
  ])()
/** The query of a handshake. */
export function handshakeQuery(chance: Chance): string {
  const value = () =>
    chance.pick([
      '',
      '4',
      '3',
      '2',
      '99',
      '-1',
      'NaN',
      'websocket',
      'polling',
      'flashsocket',
      '__proto__',
      '%00',
      '%',
      '%ff',
      MARK,
    ])
  const name = () =>
    chance.pick(['EIO', 'transport', 'sid', 'j', 'b64', 't', 'token', '__proto__', 'constructor', MARK])
  return Array.from({ length: chance.below(5) }, () => `${name()}=${value()}`).join('&')
}
