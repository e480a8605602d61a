// @ts-check
// Side B: stock Socket.IO without any durability.
import { answerAsServer } from './child.mjs'
import { STOCK_SETTINGS, startRooms } from './rooms.mjs'

answerAsServer(async () => ({ ...(await startRooms()), door: 'open', settings: STOCK_SETTINGS }))
