// @ts-check
// Stock Socket.IO with its best documented settings and the shortest handler that serves our events from memory.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { Server } from 'socket.io'

const require = createRequire(import.meta.url)
/** @param {string} name */
const version = (name) => `${name} ${require(`${name}/package.json`).version}`

export const STOCK_SETTINGS = [
  version('socket.io'),
  'in-memory adapter, websocket only, perMessageDeflate off, serveClient off, requests discarded, no durability',
].join(', ')

/** @typedef {{ id: string, seq: number }} Room */
/** @typedef {{ room: Room, from: { id: string, name: string, type: string } }} Seat */

/**
 * The stock way to say something to the others of a room.
 * @param {import('socket.io').Socket} socket @param {Seat} seat @param {object} message
 */
const emit = (socket, seat, message) => void socket.to(seat.room.id).emit('messageArrived', message)

/**
 * @param {{ deliver?: typeof emit, joined?: (socket: import('socket.io').Socket, seat: Seat) => void,
 *   http?: import('node:http').RequestListener }} [parts] what a rehearsal adds to it
 */
export async function startRooms({ deliver = emit, joined, http } = {}) {
  const server = createServer(http)
  const io = new Server(server, { transports: ['websocket'], perMessageDeflate: false, serveClient: false })
  /** @type {Map<string, Room>} */
  const rooms = new Map()
  io.engine.on('connection', (/** @type {any} */ raw) => (raw.request = null))
  io.on('connection', (socket) => {
    /** @type {Seat | undefined} */
    let seat
    socket.on('joinConversation', (body, answer) => {
      const room = rooms.get(body.conversationId) ?? { id: body.conversationId, seq: 0 }
      rooms.set(room.id, room)
      seat = { room, from: { id: body.id, name: body.name, type: body.name === 'Nadia' ? 'Customer' : 'Agent' } }
      void socket.join(room.id)
      answer({ code: 200, conversationId: room.id })
      joined?.(socket, seat)
    })
    socket.on('sendMessage', (body, answer) => {
      if (!seat) return answer({ code: 404 })
      const { room, from } = seat
      const { type, messageId, to, text, attachments, tag } = body
      const seq = ++room.seq
      const id = `${room.id}.${seq}`
      const timestamp = new Date().toISOString()
      const place = { id, conversationId: room.id, to, timestamp, channel: 'web', seq, from }
      deliver(socket, seat, { ...place, type, messageId, text, tag, refId: 'bench-000', attachments })
      answer({ code: 200, conversationId: room.id, id, messageId, seq, timestamp })
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { url: `http://127.0.0.1:${port}`, close: () => io.close() }
}
