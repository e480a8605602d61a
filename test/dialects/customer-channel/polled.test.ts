// What clients that poll bring with one request: all of it is heard, in its order, and others are heard in between.
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { io } from 'socket.io-client'
import { divided, spreadPolls } from '../../../src/dialects/customer-channel/polled'
import { openGateway } from '../../support/gateway'

const PACKET = '42["sendMessage",{"text":"a:b"}]'
const packets = (count: number, written: (packet: string) => string) =>
  Array.from({ length: count }, () => written(PACKET))
const asText = (packet: string) => `${packet.length}:${packet}`
const asBytes = (packet: string) =>
  Buffer.concat([Buffer.from([0, ...Array.from(String(packet.length), Number), 255]), Buffer.from(packet)])

describe('what one request brings', () => {
  it.each<[string, number, string | Buffer, string | Buffer]>([
    ['protocol 4', 4, packets(250, String).join('\x1e'), packets(100, String).join('\x1e')],
    ['protocol 3', 3, packets(250, asText).join(''), packets(100, asText).join('')],
    [
      'protocol 3 as bytes',
      3,
      Buffer.concat(Array(250).fill(asBytes(PACKET))),
      Buffer.concat(Array(100).fill(asBytes(PACKET))),
    ],
  ])('in %s is divided between packets', (_, protocol, data, first) => {
    const { now, later } = divided(data, protocol)!
    expect(now).toEqual(first)
    const second = divided(later!, protocol)!
    expect(second.now).toEqual(first)
    expect(divided(second.later!, protocol)!.later).toBeNull()
  })
  it.each<[string, number, string | Buffer]>([
    ['a long packet', 4, `4${'x'.repeat(900_000)}`],
    ['a separator behind the last', 4, packets(100, (packet) => `${packet}\x1e`).join('')],
    ['a long packet of protocol 3', 3, `900001:4${'x'.repeat(900_000)}`],
    ['nothing', 4, ''],
  ])('is left whole for %s', (_, protocol, data) => {
    expect(divided(data, protocol)).toEqual({ now: data, later: null })
  })
  it.each<[string, string | Buffer]>([
    ['a length without an end', '1'.repeat(900_000)],
    ['a length below nothing', '-5:'.repeat(2_000)],
    ['a length of blanks and digits', ' 1:6'.repeat(200_000)],
    ['a length with zeros without end', '00000000001:6'],
    ['no lengths', ':'.repeat(2_000)],
    ['bytes without lengths', Buffer.alloc(900_000)],
    ['bytes of no digits', Buffer.from([0, 200, 46, 1, 255, 1])],
    ['bytes with zeros without end', Buffer.from([0, ...Buffer.alloc(11), 1, 255, 54])],
  ])('of protocol 3 is not taken for %s', (_, data) => {
    expect(divided(data, 3)).toBeNull()
  })
  it('is the same when it is put together again, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('\x1e', '4', '1', ':', 'x'), maxLength: 400 }), (data) => {
        const parts: string[] = []
        for (let rest: string | null = data; rest !== null;) {
          const { now, later } = divided(rest, 4)!
          parts.push(now as string)
          rest = later as string | null
        }
        expect(parts.join('\x1e')).toBe(data)
      }),
    )
  })
})

describe('a connection that polls', () => {
  function connection() {
    const heard: string[] = []
    const answers: string[] = []
    let closed = 0
    const transport = {
      name: 'polling',
      readyState: 'open',
      parser: { decodePayload: (data: string) => data.split('\x1e') },
      onDataRequest(data: string, response: { end: (text: string) => void }) {
        this.parser.decodePayload(data).forEach((packet) => heard.push(packet))
        response.end('ok')
      },
    }
    const conn = { transport, protocol: 4, close: () => closed++ }
    spreadPolls(conn as unknown as Parameters<typeof spreadPolls>[0])
    const bring = (count: number) =>
      transport.onDataRequest(Array.from({ length: count }, (_, i) => String(i)).join('\x1e'), {
        end: (text) => void answers.push(text),
      })
    return { transport, heard, answers, bring, closed: () => closed }
  }
  it('is answered when all it brought is heard, a hundred packets in a turn', async () => {
    const { heard, answers, bring, closed } = connection()
    bring(100)
    expect([heard.length, answers.length]).toEqual([100, 1])
    bring(250)
    const states = [[heard.length, answers.length]]
    for (let turn = 0; turn < 2; turn++) {
      await nextTurn()
      states.push([heard.length, answers.length])
    }
    expect(states).toEqual([
      [200, 1],
      [300, 1],
      [350, 2],
    ])
    expect(heard.slice(100)).toEqual(Array.from({ length: 250 }, (_, i) => String(i)))
    expect(closed()).toBe(0)
  })
  it('is cut off when it does not wait for that, and all of its requests are answered', async () => {
    const { transport, bring, closed, answers } = connection()
    bring(101)
    bring(1)
    expect(closed()).toBe(1)
    transport.readyState = 'closed'
    await nextTurn()
    expect(answers).toHaveLength(2)
  })
  it('is cut off when it went on by a WebSocket before all was heard', async () => {
    const { transport, heard, answers, bring, closed } = connection()
    bring(250)
    transport.readyState = 'closed'
    await nextTurn()
    expect([heard.length, answers.length, closed()]).toEqual([100, 1, 1])
  })
})

describe('the gateway', () => {
  it.each([4, 3])(
    'takes very many packets by one request in protocol %s, and the connection goes on',
    async (version) => {
      const gateway = await openGateway()
      const address = `${gateway.url}/socket.io/?EIO=${version}&transport=polling`
      const greeting = await (await fetch(address)).text()
      const { sid } = JSON.parse(greeting.slice(greeting.indexOf('{'))) as { sid: string }
      const say = async (body: string) => {
        const headers = { 'content-type': 'text/plain;charset=UTF-8' }
        const answer = await fetch(`${address}&sid=${sid}`, { method: 'POST', body, headers })
        return [answer.status, await answer.text()]
      }
      for (const count of [100_000, 1]) {
        const noops = Array.from({ length: count }, () => (version === 4 ? '6' : '1:6'))
        expect(await say(noops.join(version === 4 ? '\x1e' : ''))).toEqual([200, 'ok'])
      }
      await gateway.close()
    },
  )
  it('takes the forms of JSONP in the same way', async () => {
    const gateway = await openGateway()
    const address = `${gateway.url}/socket.io/?EIO=4&transport=polling&j=0`
    const greeting = await (await fetch(address)).text()
    const sid = /sid\\":\\"([^\\]+)/.exec(greeting)?.[1]
    for (const count of [100_000, 1]) {
      const body = new URLSearchParams({ d: Array.from({ length: count }, () => '6').join('\x1e') })
      expect(await fetch(`${address}&sid=${sid}`, { method: 'POST', body })).toMatchObject({ status: 200 })
    }
    await gateway.close()
  })
  it('answers each of a thousand requests that a client had kept, by polling', async () => {
    const gateway = await openGateway()
    const socket = io(gateway.url, { transports: ['polling'] })
    const ids = Array.from({ length: 1_000 }, (_, i) => `none-${i}`)
    const answers = ids.map((conversationId) => socket.emitWithAck('joinConversation', { conversationId }) as unknown)
    expect(await Promise.all(answers)).toEqual(ids.map(() => expect.objectContaining({ code: 404 }) as unknown))
    socket.close()
    await gateway.close()
  })
})
