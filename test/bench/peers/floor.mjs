// @ts-check
// No peer, but the floor under all of them: what a trigger, one JSON text and the bare writes of its bytes cost in Node.
// Members come by stock Socket.IO; what is said to them goes by the handles of their TCP connections, with no queue, no
// order, no limit and no look at who is still there. Nothing that is fit for use can be cheaper.
import { answerAsServer } from '../child.mjs'
import { STOCK_SETTINGS, driveRooms, startRooms } from './rooms.mjs'

const { WriteWrap } = /** @type {any} */ (process).binding('stream_wrap')
/** Never in use: what is written here is small, and the system takes it at once. */
const request = new WriteWrap()
/** @type {Map<string, any[]>} */
const handles = new Map()

/** A WebSocket frame of an event, up to 64 KB of one-byte characters. @param {object} message */
function frameOf(message) {
  const text = `42${JSON.stringify(['messageArrived', message])}`
  const frame = Buffer.allocUnsafe(4 + text.length)
  frame[0] = 0x81
  frame[1] = 126
  frame.writeUInt16BE(text.length, 2)
  frame.latin1Write(text, 4)
  return frame
}

/** @param {import('./rooms.mjs').Room} room @param {object} message */
function write({ id }, message) {
  const frame = frameOf(message)
  for (const handle of handles.get(id) ?? []) handle.writeBuffer(request, frame)
}

answerAsServer(
  async () => ({
    ...(await startRooms({
      joined: (socket, { room }) => {
        const { _handle } = /** @type {any} */ (socket.conn.transport).socket._socket
        handles.set(room.id, [...(handles.get(room.id) ?? []), _handle])
      },
    })),
    door: 'open',
    settings: `${STOCK_SETTINGS}, members’ handles written to directly: the floor, not a server`,
  }),
  {
    drive: (
      /** @type {Awaited<ReturnType<typeof startRooms>>} */ server,
      /** @type {import('../triggers.mjs').Driven} */ driven,
    ) => driveRooms(server, driven, write),
  },
)
