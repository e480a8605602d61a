// The short way in of a session that changes its transport: from polling to a WebSocket, or from one to another.
import { once } from 'node:events'
import { connect, type Socket as Stream } from 'node:net'
import { io } from 'socket.io-client'
import oldIo from 'socket.io-client-v2'
import { frame, handshake, RawSocket } from '../../malformed/raw-socket'
import { eventually } from '../../support/eventually'
import { InletServer, inTurn, streamOf } from './inlet-server'

let server: InletServer
beforeEach(async () => {
  server = await InletServer.open()
})
afterEach(() => server.close())
const say = (word: string) => frame(`42${JSON.stringify(['sendMessage', word])}`)

it.each([
  [
    'socket.io-client 4',
    (url: string) => io(url, { transports: ['polling', 'websocket'], forceNew: true, reconnection: false }),
  ],
  [
    'socket.io-client 2',
    (url: string) => oldIo(url, { transports: ['polling', 'websocket'], forceNew: true, reconnection: false }),
  ],
])('after polling, %s is heard by the short way', async (_name, start) => {
  const socket = start(server.url)
  await eventually(() => server.sockets.length === 1)
  const call = (word: number) => new Promise((resolve) => socket.emit('sendMessage', word, resolve))
  await call(0)
  const { conn } = server.last
  await eventually(() => conn.transport.name === 'websocket' && !(conn as unknown as { upgrading: boolean }).upgrading)
  await new Promise(setImmediate)
  const before = server.short
  for (let word = 1; word <= 20; word++) await call(word)
  expect(server.short - before).toBe(20)
  expect(server.words).toEqual(Array.from({ length: 21 }, (_, word) => word))
  socket.close()
})

/** A session of polling, by hand, and a WebSocket that asks for it; `stream` is the server's end of that. */
async function probed(sid: string) {
  let stream: Stream | null = null
  server.last.conn.once('upgrading', (transport) => (stream = streamOf(transport)))
  const { hostname, port } = new URL(server.url)
  const far = connect(Number(port), hostname)
  far.write(handshake(server.url, 4, `&sid=${sid}`))
  await said(far, '101 ')
  far.write(frame('2probe'))
  await said(far, '3probe')
  return { far, stream: stream as unknown as Stream }
}
it('what stands behind the upgrade in its turn is heard in its order', async () => {
  const polling = `${server.url}/socket.io/?EIO=4&transport=polling`
  const sid = /"sid":"([^"]+)"/.exec(await (await fetch(polling)).text())?.[1] ?? ''
  await fetch(`${polling}&sid=${sid}`, { method: 'POST', body: '40' })
  await eventually(() => server.sockets.length === 1)
  const { far, stream } = await probed(sid)
  await inTurn(() => {
    stream.emit('data', Buffer.concat([frame('5'), say('one'), say('two')]))
    stream.emit('data', say('three'))
  })
  await inTurn(() => stream.emit('data', Buffer.concat([say('four'), say('five')])))
  far.destroy()
  expect(server.words).toEqual(['one', 'two', 'three', 'four', 'five'])
  expect(server.short).toBe(2)
})

it('a WebSocket that was left for another is heard no more', async () => {
  const client = await RawSocket.open(server.url)
  await eventually(() => server.sockets.length === 1)
  const { stream: former } = server
  await inTurn(() => former.emit('data', say('zero')))
  const { far, stream } = await probed((server.last.conn as unknown as { id: string }).id)
  await inTurn(() => former.emit('data', say('one')))
  await inTurn(() => stream.emit('data', Buffer.concat([frame('5'), say('two')])))
  await inTurn(() => former.emit('data', say('astray')))
  await inTurn(() => stream.emit('data', say('three')))
  for (const one of [far, client.socket]) one.destroy()
  expect(server.words).toEqual(['zero', 'one', 'two', 'three'])
  expect(server.short).toBe(1)
})

async function said(stream: Stream, word: string): Promise<void> {
  for (let text = ''; !text.includes(word);) text += String((await once(stream, 'data'))[0])
}
