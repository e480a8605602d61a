// A gateway of a few lines that does on demand what the real one never should: lose acknowledgements, refuse, forget.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, type Socket } from 'socket.io'
import type { Failure, WireMessage } from '../../src/dialects/customer-channel/wire'

export const failure = (code: number, word: string, more: { retryable?: boolean; retryAfter?: number } = {}): Failure =>
  ({ code, error: { code: word, message: `${word}.`, retryable: false, ...more } }) as Failure
export const busy = (retryAfter?: number): Failure =>
  failure(503, 'unavailable', { retryable: true, ...(retryAfter === undefined ? {} : { retryAfter }) })

type Answer = (reply: object) => void
interface Request {
  conversationId?: string
  id?: string
  messageId?: string
  text?: string
  type?: string
  activityType?: string
  after?: number
  token?: string
  [other: string]: unknown
}
/** What happens to the next request, in order: it is refused, or taken without an answer. */
type Fate = Failure | 'lost' | 'deaf'

export interface FakeGateway {
  readonly url: string
  readonly log: WireMessage[]
  readonly joins: Request[]
  readonly sends: Request[]
  readonly registrations: Request[]
  readonly posts: { path: string; body: Request }[]
  readonly tokens: (string | undefined)[]
  readonly fates: { join: Fate[]; send: Fate[]; post: Failure[]; handshake: Failure[]; register: Failure[] }
  /** Overrides what a POST answers. */
  answerPost: (path: string, body: Request) => object
  sockets(): Socket[]
  /** Somebody else says something. */
  say(text: string, from?: string): WireMessage
  /** The next connection is broken as soon as it is a WebSocket: before the word of Engine.IO that opens it. */
  breakNextHandshake(): void
  /** How many handshakes were broken so far. */
  brokenHandshakes(): number
  /** Breaks every connection, as a node does that dies. */
  breakConnections(): void
  close(): Promise<void>
}

export const CONVERSATION = 'conversation-1'
/** RFC 6455 §1.3. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const NOW = '2026-11-20T10:15:30.000Z'
const people = [
  { id: 'handle-1', name: 'Nadia', type: 'Customer' },
  { id: 'agent-1', name: 'Ada', type: 'Agent' },
]

export async function startFakeGateway(): Promise<FakeGateway> {
  const http = createServer((request, response) => void post(fake, request, response))
  const io = new Server(http, { serveClient: false })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  let toBreak = 0
  let broken = 0
  const fake: FakeGateway = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    log: [],
    joins: [],
    sends: [],
    registrations: [],
    posts: [],
    tokens: [],
    fates: { join: [], send: [], post: [], handshake: [], register: [] },
    answerPost: () => ({}),
    sockets: () => [...io.sockets.sockets.values()],
    say: (text, from = 'agent-1') => {
      const message = append(fake, { text, type: 'ChatMessage' }, from)
      io.to(CONVERSATION).emit('messageArrived', message)
      return message
    },
    breakNextHandshake: () => {
      toBreak += 1
    },
    brokenHandshakes: () => broken,
    breakConnections: () => {
      for (const socket of fake.sockets()) socket.conn.close()
    },
    close: () => io.close(),
  }
  io.engine.use((request: IncomingMessage, _response: unknown, next: () => void) => {
    if (toBreak === 0) {
      next()
      return
    }
    toBreak -= 1
    const { socket, headers } = request
    const accept = createHash('sha1')
      .update(`${headers['sec-websocket-key'] ?? ''}${WEBSOCKET_GUID}`)
      .digest('base64')
    socket.once('close', () => (broken += 1))
    socket.end(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
  })
  io.use((socket, next) => {
    const { token } = socket.handshake.auth as { token?: string }
    fake.tokens.push(token)
    const refusal = fake.fates.handshake.shift()
    if (refusal === undefined) next()
    else next(Object.assign(new Error(refusal.error.message), { data: refusal }))
  })
  io.on('connection', (socket) => serve(fake, socket))
  return fake
}

function serve(fake: FakeGateway, socket: Socket): void {
  socket.on('joinConversation', (request: Request, answer: Answer) => join(fake, socket, request, answer))
  socket.on('sendMessage', (request: Request, answer: Answer) => send(fake, socket, request, answer))
  socket.on('endConversation', (_request: Request, answer: Answer) => {
    append(fake, { type: 'ActivityMessage', activityType: 'endOfConversation', info: {} }, 'handle-1')
    answer({ code: 200 })
    socket.emit('messageArrived', fake.log.at(-1))
  })
  socket.on('leaveConversation', (_request: Request, answer: Answer) => answer({ code: 200 }))
  socket.on('registerConnector', (request: Request, answer: Answer) => {
    fake.registrations.push(request)
    answer(fake.fates.register.shift() ?? { code: 200 })
  })
}

function join(fake: FakeGateway, socket: Socket, request: Request, answer: Answer): void {
  fake.joins.push(request)
  const fate = fake.fates.join.shift()
  if (fate === 'lost' || fate === 'deaf') return
  if (fate !== undefined) {
    answer(fate)
    return
  }
  const { conversationId = '', after = 0 } = request
  void socket.join(conversationId)
  answer({ code: 200, conversationId, role: 'customer', token: `fresh-${fake.joins.length}` })
  const state = fake.log.some((message) => 'activityType' in message) ? 'ended' : 'active'
  const conversation = { conversationId, id: conversationId, channel: 'web', state, seq: fake.log.length }
  const messages = fake.log.filter(({ seq = 0 }) => seq > after)
  socket.emit('conversationInfo', {
    conversation,
    messages,
    participants: people,
    participant: people,
    role: 'customer',
  })
  const greetings = { type: 'ActivityMessage', activityType: 'greetings', info: {}, conversationId }
  socket.emit('messageArrived', { ...greetings, from: people[1], to: [], tag: '', timestamp: NOW, channel: 'web' })
}

function send(fake: FakeGateway, socket: Socket, request: Request, answer: Answer): void {
  fake.sends.push(request)
  const fate = fake.fates.send.shift()
  if (fate === 'deaf') return
  if (typeof fate === 'object') {
    answer(fate)
    return
  }
  if (request.activityType === 'typing' || request.conversationId === undefined) {
    if (fate !== 'lost') answer({ code: 200, conversationId: CONVERSATION })
    return
  }
  const known = fake.log.find((message) => 'messageId' in message && message.messageId === request.messageId)
  const message = known ?? append(fake, request, 'handle-1')
  if (known === undefined) socket.to(CONVERSATION).emit('messageArrived', message)
  const { id, seq, timestamp, conversationId } = message
  if (fate !== 'lost') answer({ code: 200, conversationId, id, messageId: request.messageId, seq, timestamp })
}

function append(fake: FakeGateway, said: object, from: string): WireMessage {
  const seq = fake.log.length + 1
  const envelope = { id: `${CONVERSATION}.${seq}`, messageId: `m${seq}`, seq, timestamp: NOW, channel: 'web' }
  const person = people.find(({ id }) => id === from)
  const message = { ...envelope, to: [], tag: '', attachments: [], ...said, conversationId: CONVERSATION, from: person }
  fake.log.push(message as unknown as WireMessage)
  return message as unknown as WireMessage
}

async function post(fake: FakeGateway, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url?.includes('/api/') !== true) return
  let text = ''
  for await (const chunk of request) text += String(chunk)
  const body = JSON.parse(text === '' ? '{}' : text) as Request
  fake.posts.push({ path: request.url, body })
  const refusal = fake.fates.post.shift()
  response.writeHead(refusal?.code ?? 200, { 'content-type': 'application/json' })
  response.end(JSON.stringify(refusal === undefined ? fake.answerPost(request.url, body) : { error: refusal.error }))
}
