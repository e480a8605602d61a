// @ts-check
// Stock Socket.IO with its best documented settings and the shortest handler that serves our events.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { Server } from 'socket.io'
import { hearTriggers } from '../triggers.mjs'

const require = createRequire(import.meta.url)
/** @param {string} name */
export const version = (name) => `${name} ${require(`${name}/package.json`).version}`

export const STOCK_SETTINGS = [
  version('socket.io'),
  'websocket only, perMessageDeflate off, serveClient off, requests discarded',
].join(', ')

/**
 * `tail`: what is being written, where something is written before it is said; `last`: the pattern for what a trigger says.
 * @typedef {{ id: string, seq: number, tail: Promise<unknown>, last: any }} Room
 * @typedef {{ room: Room, from: { id: string, name: string, type: string } }} Seat
 */

/**
 * The stock way to say something to the others of a room.
 * @param {import('socket.io').Socket} socket @param {Seat} seat @param {object} message
 */
const emit = (socket, seat, message) => void socket.to(seat.room.id).emit('messageArrived', message)

/**
 * @param {{ deliver?: typeof emit, joined?: (socket: import('socket.io').Socket, seat: Seat) => void,
 *   http?: import('node:http').RequestListener, options?: Partial<import('socket.io').ServerOptions>,
 *   write?: (message: any) => Promise<unknown> | void }} [parts] what a peer or a rehearsal adds to it; `write` comes
 *   before anybody hears of a message
 */
export async function startRooms({ deliver = emit, joined, http, options, write } = {}) {
  const server = createServer(http)
  const io = new Server(server, { transports: ['websocket'], perMessageDeflate: false, serveClient: false, ...options })
  /** @type {Map<string, Room>} */
  const rooms = new Map()
  io.engine.on('connection', (/** @type {any} */ raw) => (raw.request = null))
  io.on('connection', (socket) => {
    /** @type {Map<string, Seat>} */
    const seats = new Map()
    socket.on('joinConversation', async (body, answer) => {
      const room = rooms.get(body.conversationId) ?? {
        id: body.conversationId,
        seq: 0,
        tail: Promise.resolve(),
        last: null,
      }
      rooms.set(room.id, room)
      const seat = { room, from: { id: body.id, name: body.name, type: body.name === 'Nadia' ? 'Customer' : 'Agent' } }
      seats.set(room.id, seat)
      await socket.join(room.id)
      answer({ code: 200, conversationId: room.id })
      joined?.(socket, seat)
    })
    socket.on('sendMessage', (body, answer) => {
      const seat = seats.get(body.conversationId)
      if (!seat) return answer({ code: 404 })
      const { room, from } = seat
      const { type, messageId, to, text, attachments, tag } = body
      const seq = ++room.seq
      const id = `${room.id}.${seq}`
      const timestamp = new Date().toISOString()
      const place = { id, conversationId: room.id, to, timestamp, channel: 'web', seq, from }
      const message = { ...place, type, messageId, text, tag, refId: 'bench-000', attachments }
      room.last = message
      const tell = () => {
        deliver(socket, seat, message)
        answer({ code: 200, conversationId: room.id, id, messageId, seq, timestamp })
      }
      if (!write) return tell()
      const written = write(message)
      if (!written) return tell()
      // Order within a room: nobody hears the second before the first.
      room.tail = room.tail.then(() => written).then(tell)
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { io, rooms, url: `http://127.0.0.1:${port}`, close: () => io.close() }
}

/**
 * Says what it is triggered to say, without anybody's asking over a socket: by `io.to(room).emit`, or as `say` does.
 * @param {Pick<Awaited<ReturnType<typeof startRooms>>, 'io' | 'rooms'>} server @param {import('../triggers.mjs').Driven} driven
 * @param {(room: Room, message: object) => void} [say]
 */
export function driveRooms(
  { io, rooms },
  driven,
  say = ({ id }, message) => void io.to(id).emit('messageArrived', message),
) {
  return hearTriggers((triggers) => {
    for (const { room: index, key } of triggers) {
      const room = rooms.get(driven.ids[index] ?? '')
      if (!room) throw new Error('A trigger for a room that nobody has joined.')
      const seq = ++room.seq
      const stamp = { id: `${room.id}.${seq}`, timestamp: new Date().toISOString(), seq }
      say(room, { ...room.last, ...stamp, messageId: key })
    }
  })
}
