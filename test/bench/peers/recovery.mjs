// @ts-check
// A peer: Socket.IO with its own connection state recovery, and as many packets in its window as it is told.
import { answerAsServer } from '../child.mjs'
import { STOCK_SETTINGS, startRooms } from './rooms.mjs'

const WINDOW = 10 * 60_000
const ROOMS = 1_000

async function start() {
  const rooms = await startRooms({
    options: { connectionStateRecovery: { maxDisconnectionDuration: WINDOW, skipMiddlewares: true } },
  })
  return {
    ...rooms,
    door: 'open',
    settings: `${STOCK_SETTINGS}, connection state recovery with a window of ${WINDOW / 60_000} min, in memory, no durability`,
  }
}

answerAsServer(start, {
  /** Fills the window with what others were told. @type {(server: any, body: { messages: number }) => void} */
  fill: ({ io }, { messages }) => {
    const message = { type: 'ChatMessage', text: 'All work and no play makes a dull gateway.', seq: 1 }
    for (let i = 0; i < messages; i++) io.to(`other-${i % ROOMS}`).emit('messageArrived', message)
  },
  /** Says something to each of these rooms. @type {(server: any, body: { ids: string[], messages: number }) => void} */
  say: ({ io, rooms }, { ids, messages }) => {
    for (let i = 0; i < messages; i++)
      for (const id of ids) {
        const room = rooms.get(id)
        io.to(id).emit('messageArrived', { type: 'ChatMessage', text: `said ${++room.seq}`, seq: room.seq })
      }
  },
})
