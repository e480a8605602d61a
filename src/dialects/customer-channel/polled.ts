// What one request of a client that polls brings: hundreds of thousands of packets may be in it, and others have their turn between them.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'socket.io'

/** Packets of one turn of the event loop: some two milliseconds of it. */
const OF_A_TURN = 100
/** Of the length in front of a packet, in protocol 3. */
const MOST_DIGITS = 10
const SEPARATOR = '\x1e'
/** Ends the length in front of a packet, where they come as bytes. */
const END_OF_LENGTH = 255
/** Of a form as browsers without CORS send it: what is in it is told apart only by Engine.IO, and handed on at once. */
const MOST_OF_A_FORM = 64 * 1024

type Data = string | Buffer
/** What is used of Engine.IO's transport. */
interface Polling {
  readonly name: string
  readonly readyState: string
  onData(data: Data): void
  onDataRequest(request: unknown, response: ServerResponse): void
}

/**
 * Hands on what such a request brings a few packets at a time, and answers it when all of it is handed on: until then a
 * client sends nothing else, nor goes on by a WebSocket. One that does is cut off. A WebSocket brings its packets one by
 * one and is let be.
 */
export function spreadPolls(connection: Socket['conn']): void {
  const { transport, protocol } = connection as unknown as { transport: Polling; protocol: number }
  if (transport.name !== 'polling') return
  if (typeof transport.onData !== 'function' || typeof transport.onDataRequest !== 'function') return
  const [handOn, begin] = [transport.onData.bind(transport), transport.onDataRequest.bind(transport)]
  let left: Data | null = null
  const answers: (() => void)[] = []
  const most = 'head' in transport ? MOST_OF_A_FORM : Infinity // JSONP
  const goOn = () => {
    const data = left
    if (data !== null && transport.readyState === 'open') {
      const { now, later } = divided(data, protocol)
      left = later
      handOn(now)
    } else left = null
    if (left !== null) setImmediate(goOn)
    else for (const answer of answers.splice(0)) answer()
  }
  transport.onData = (data) => {
    if (left !== null || data.length > most) connection.close(true)
    else {
      left = data
      goOn()
    }
  }
  transport.onDataRequest = (request, response) => {
    const end = response.end.bind(response)
    Object.assign(response, {
      end: (text?: string) => {
        if (left === null) return end(text)
        answers.push(() => end(text))
        return response
      },
    })
    begin(request, response)
  }
}

/** Packets are not read here, only told from each other. */
export function divided(data: Data, protocol: number): { readonly now: Data; readonly later: Data | null } {
  const next = protocol === 4 ? behindSeparator : typeof data === 'string' ? behindText : behindBytes
  let at = 0
  for (let count = 0; count < OF_A_TURN && at < data.length; count++) at = next(data as string & Buffer, at)
  if (at >= data.length) return { now: data, later: null }
  return { now: data.slice(0, protocol === 4 ? at - 1 : at), later: data.slice(at) }
}
function behindSeparator(data: string, at: number): number {
  const end = data.indexOf(SEPARATOR, at)
  return end < 0 ? data.length : end + 1
}
/** `<characters>:<packet>`. What is written otherwise is for Engine.IO to refuse, as a whole. */
function behindText(data: string, at: number): number {
  const length = /^\d+(?=:)/.exec(data.slice(at, at + MOST_DIGITS + 1))?.[0]
  return length === undefined ? data.length : at + length.length + 1 + Number(length)
}
/** A byte for the type, one for each digit, 255, and the packet. */
function behindBytes(data: Buffer, at: number): number {
  const head = data.subarray(at + 1, at + MOST_DIGITS + 2)
  const end = head.indexOf(END_OF_LENGTH)
  const length = Number(head.subarray(0, Math.max(0, end)).join(''))
  return end < 0 || Number.isNaN(length) ? data.length : at + end + 2 + length
}
