// @ts-check
// A peer: stock Socket.IO with its adapter in memory, without any durability.
import { answerAsServer } from '../child.mjs'
import { STOCK_SETTINGS, driveRooms, startRooms } from './rooms.mjs'

answerAsServer(
  async () => ({
    ...(await startRooms()),
    door: 'open',
    settings: `${STOCK_SETTINGS}, in-memory adapter, no durability`,
  }),
  { drive: driveRooms },
)
