// @ts-check
// Stands in for side A without the gateway: stock rooms behind our doors (init, login, token) that can be told to err.
import { randomBytes } from 'node:crypto'
import { answerAsServer } from './child.mjs'
import { STOCK_SETTINGS, startRooms } from './peers/rooms.mjs'

/** `lose`, `double`, `swap`, `number` or `misdirect`: what happens to one message in five hundred. */
const FAULT = process.env['BENCH_FAULT'] ?? ''
const EVERY = 499

const secret = () => randomBytes(16).toString('base64url')
const STAFF = secret()
let delivered = 0
/** @type {(() => void) | undefined} */
let held
let lastRoom = ''

/** @type {NonNullable<Parameters<typeof startRooms>[0]>['deliver']} */
const deliver = (socket, { room }, message) => {
  const emit = (body = message, to = room.id) => void socket.to(to).emit('messageArrived', body)
  const other = lastRoom
  const before = held
  held = undefined
  lastRoom = room.id
  if (FAULT && ++delivered % EVERY === 0) spoil({ emit, room, message, other })
  else emit()
  before?.()
}

/** @param {{ emit: (body?: object, to?: string) => void, room: { seq: number }, message: object, other: string }} _ */
function spoil({ emit, room, message, other }) {
  if (FAULT === 'double') emit()
  if (FAULT === 'misdirect') emit(message, other)
  if (FAULT === 'number') emit({ ...message, seq: room.seq + 1 })
  else if (FAULT === 'swap') held = () => setTimeout(emit, 20)
  else if (FAULT !== 'lose') emit()
}

/**
 * What a gateway says on a join besides the acknowledgement.
 * @type {NonNullable<Parameters<typeof startRooms>[0]>['joined']}
 */
const joined = (socket, { room, from }) => {
  const info = { conversationId: room.id, type: 'ActivityMessage', from, to: [], info: {} }
  socket.emit('conversationInfo', { conversation: { id: room.id, seq: ++room.seq }, messages: [], participants: [] })
  socket.emit('messageArrived', { ...info, activityType: 'greetings' })
  socket.to(room.id).emit('messageArrived', { ...info, activityType: 'participantJoined', seq: room.seq })
}

/** @type {Record<string, (body: any, request: import('node:http').IncomingMessage) => object | undefined>} */
const ROUTES = {
  '/api/customer/init': () => ({
    conversationId: secret(),
    participant: { id: secret(), name: 'Nadia' },
    token: secret(),
  }),
  '/api/agent/login': ({ username, password }) =>
    username && password ? { token: STAFF, agent: { id: secret(), name: username, role: 'agent' } } : undefined,
  '/api/admin/agents': ({ username, password }, { headers }) =>
    username && password && headers.authorization === `Bearer ${STAFF}` ? { id: secret() } : undefined,
}

/** @type {import('node:http').RequestListener} */
const http = async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  const answer = ROUTES[request.url ?? '']?.(JSON.parse(body), request)
  response.writeHead(answer ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}))
}

answerAsServer(async () => ({
  ...(await startRooms({ deliver, joined, http })),
  door: 'guarded',
  settings: `a rehearsal, not the gateway: ${STOCK_SETTINGS}${FAULT && `, fault: ${FAULT}`}`,
}))
