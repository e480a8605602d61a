// The clients of the field, as they come out of the box: socket.io-client 4 and 2, over WebSocket and over polling.
import { io } from 'socket.io-client'
import oldIo from 'socket.io-client-v2'

type Body = Record<string, unknown>
export interface StockClient {
  /** Messages and activities, of the picture and after, greetings left out. */
  readonly arrived: Body[]
  emit(event: string, body: object): void
  call(event: string, body: object): Promise<Body>
  readonly transport: string
  close(): void
}
export interface StockKind {
  readonly version: 2 | 4
  readonly transport: 'websocket' | 'polling'
}
export const STOCK_KINDS: readonly StockKind[] = [
  { version: 4, transport: 'websocket' },
  { version: 4, transport: 'polling' },
  { version: 2, transport: 'websocket' },
  { version: 2, transport: 'polling' },
]
interface Door {
  /** With its query, which the client forwards. */
  readonly url: string
  readonly path: string
  /** A bearer token. */
  readonly bearer?: string
}
interface Socket {
  on(event: string, listener: (...args: unknown[]) => void): unknown
  emit(event: string, ...args: unknown[]): unknown
  close(): unknown
}

export async function openStock({ version, transport }: StockKind, door: Door): Promise<StockClient> {
  const socket = version === 4 ? open4(transport, door) : open2(transport, door)
  const arrived: Body[] = []
  const hear = (body: Body) => body['activityType'] !== 'greetings' && arrived.push(body)
  socket.on('conversationInfo', (info) => (info as { messages: Body[] }).messages.forEach(hear))
  socket.on('messageArrived', (body) => hear(body as Body))
  await new Promise<void>((resolve, reject) => {
    socket.on('connect', () => resolve())
    for (const failure of ['connect_error', 'error'])
      socket.on(failure, (cause) => {
        socket.close()
        reject(cause instanceof Error ? cause : new Error(JSON.stringify(cause)))
      })
  })
  return {
    arrived,
    emit: (event, body) => void socket.emit(event, body),
    call: (event, body) =>
      new Promise((resolve) => socket.emit(event, body, (reply: unknown) => resolve(reply as Body))),
    transport,
    close: () => void socket.close(),
  }
}

function open4(transport: StockKind['transport'], { url, path, bearer }: Door): Socket {
  const extraHeaders = headersOf(bearer)
  return io(url, { path, transports: [transport], forceNew: true, reconnection: false, extraHeaders })
}
function open2(transport: StockKind['transport'], { url, path, bearer }: Door): Socket {
  const transportOptions = { [transport]: { extraHeaders: headersOf(bearer) } }
  return oldIo(url, { path, transports: [transport], forceNew: true, reconnection: false, transportOptions })
}
const headersOf = (bearer?: string): Record<string, string> =>
  bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }
