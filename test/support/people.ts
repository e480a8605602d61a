// People and connectors as plain socket.io-clients, and what they hear, in order.
import { io, type Socket } from 'socket.io-client'
import { eventually } from './eventually'
import { ADMIN } from './gateway'

type Body = Record<string, unknown>
export interface Heard {
  readonly event: string
  readonly body: Body
}
export interface Reply extends Body {
  readonly code: number
}

export async function post(url: string, path: string, body: unknown, token?: string) {
  return request(url, path, { method: 'POST', body: JSON.stringify(body) }, token)
}
export async function request(url: string, path: string, options: RequestInit = {}, token?: string) {
  const answer = await fetch(`${url}${path}`, {
    ...options,
    headers: {
      // A connection that is kept for the next request may be cut by then: whoever tests what cuts it would be told so.
      connection: 'close',
      ...(options.body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(options.headers as Record<string, string> | undefined),
    },
  })
  const text = await answer.text()
  const json: Body = answer.headers.get('content-type')?.includes('json') ? (JSON.parse(text) as Body) : {}
  return { status: answer.status, text, json, headers: answer.headers }
}

export async function init(url: string, more: Body = {}, token?: string) {
  const { status, json, text } = await post(
    url,
    '/api/customer/init',
    { channel: 'web', refId: 'r1', firstName: 'Ann', ...more },
    token,
  )
  if (status !== 200) throw new Error(`init: ${status} ${text}`)
  return json as { conversationId: string; participant: { id: string; name: string }; token: string; requestId: string }
}
export async function login(url: string, who: { username: string; password: string } = ADMIN): Promise<string> {
  const { status, json, text } = await post(url, '/api/agent/login', who)
  if (status !== 200) throw new Error(`login: ${status} ${text}`)
  return json['token'] as string
}
/** A new agent, signed in. */
export async function hire(url: string, username: string, role = 'agent'): Promise<{ token: string; id: string }> {
  const password = 'a password of twelve'
  const made = await post(url, '/api/admin/agents', { username, password, role, name: username }, await login(url))
  if (made.status !== 201) throw new Error(`hire: ${made.status} ${made.text}`)
  return { token: await login(url, { username, password }), id: (made.json['agent'] as { id: string }).id }
}

export interface Someone {
  readonly socket: Socket
  /** Everything that arrived, in order, acknowledgements among it as `ack`. */
  readonly heard: Heard[]
  /** Every Engine.IO packet that came, as it was read from the wire. */
  readonly bytes: string[]
  call(event: string, body: unknown): Promise<Reply>
  /** Arrived messages and activities of a kind, in order. */
  arrived(): Body[]
  /** Texts and names of activities, greetings left out. */
  words(): string[]
  close(): void
}

interface Options {
  readonly auth?: Body
  readonly path?: string
  readonly transports?: string[]
  readonly query?: Record<string, string>
  readonly extraHeaders?: Record<string, string>
}
/** Connects; rejects with what the server said. */
export async function connect(url: string, options: Options = {}): Promise<Someone> {
  const { origin, pathname } = new URL(url)
  const socket = io(origin, {
    transports: ['websocket'],
    path: `${pathname === '/' ? '' : pathname}/socket.io`,
    forceNew: true,
    reconnection: false,
    ...options,
  })
  const heard: Heard[] = []
  const bytes: string[] = []
  socket.io.engine.on('packet', ({ type, data }) => bytes.push(`${type} ${String(data)}`))
  socket.onAny((event: string, body: Body, ack?: unknown) => {
    heard.push({ event, body })
    if (typeof ack === 'function') return
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', (error) => {
      socket.disconnect()
      reject(error)
    })
  })
  const arrived = () =>
    heard.flatMap(({ event, body }) =>
      event === 'conversationInfo' ? (body['messages'] as Body[]) : event === 'messageArrived' ? [body] : [],
    )
  return {
    socket,
    heard,
    bytes,
    call: (event, body) =>
      new Promise((resolve, reject) => {
        socket.timeout(15_000).emit(event, body, (late: Error | null, reply: Reply) => {
          if (late) {
            reject(late)
            return
          }
          // Noted where it stands: what came with it in one packet is heard before a promise goes on.
          heard.push({ event: 'ack', body: reply })
          resolve(reply)
        })
      }),
    arrived,
    words: () =>
      arrived()
        .map((body) => (body['type'] === 'ChatMessage' ? String(body['text']) : String(body['activityType'])))
        .filter((word) => word !== 'greetings'),
    close: () => void socket.disconnect(),
  }
}

/** A customer who has started a chat on the web and joined it. */
export async function customer(url: string, more: Body = {}) {
  const started = await init(url, more)
  const someone = await connect(url)
  const joined = await someone.call('joinConversation', joining(started))
  if (joined.code !== 200) throw new Error(`join: ${JSON.stringify(joined)}`)
  await greeted(someone, started.conversationId)
  return { ...someone, ...started }
}
/** The greeting comes when history has ended: what is said from then on arrives live. */
async function greeted({ heard }: Someone, conversationId: string): Promise<void> {
  const isGreeting = ({ body }: Heard) =>
    body['activityType'] === 'greetings' && body['conversationId'] === conversationId
  await eventually(() => heard.some(isGreeting))
}
export const joining = ({ conversationId, participant, token }: Awaited<ReturnType<typeof init>>) => ({
  conversationId,
  id: participant.id,
  token,
})
/** A member of the staff, in this conversation. */
export async function agentIn(url: string, conversationId: string, token: string) {
  const someone = await connect(url, { auth: { token } })
  const joined = await someone.call('joinConversation', { conversationId })
  if (joined.code !== 200) throw new Error(`join: ${JSON.stringify(joined)}`)
  await greeted(someone, conversationId)
  return someone
}
export const say = (conversationId: string, text: string, more: Body = {}) => ({
  conversationId,
  type: 'ChatMessage',
  text,
  ...more,
})
/** The latest that arrived with this text or activity, in the picture or after it: waits for it. */
export async function latest(someone: Pick<Someone, 'arrived'>, word: string): Promise<Body> {
  const find = () => someone.arrived().findLast(({ text, activityType }) => text === word || activityType === word)
  await eventually(() => find() !== undefined)
  return find()!
}
/** The picture that the latest join gave, once the greeting that ends it has come. */
export async function pictureOf({ heard }: Pick<Someone, 'heard'>): Promise<Picture> {
  await eventually(() => heard.findLast(isPictureOrGreeting)?.event === 'messageArrived')
  return heard.findLast(({ event }) => event === 'conversationInfo')!.body as unknown as Picture
}
const isPictureOrGreeting = ({ event, body }: Heard) =>
  event === 'conversationInfo' || (event === 'messageArrived' && body['activityType'] === 'greetings')
export interface Picture {
  readonly conversation: Body
  readonly messages: Body[]
  readonly participants: { id: string; name: string; type: string }[]
  readonly participant: unknown
  readonly role: string
}
